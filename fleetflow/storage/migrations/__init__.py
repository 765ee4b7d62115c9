"""The way from an empty database to the tables of today, as Alembic revisions numbered 0001, 0002, ..."""
