"""A real Postgres for the tests."""
