"""Alembic's entry point: runs on the connection that fleetflow.storage.migrate hands over."""

from alembic import context

from fleetflow.storage.tables import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=SCHEMA,
    include_schemas=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
