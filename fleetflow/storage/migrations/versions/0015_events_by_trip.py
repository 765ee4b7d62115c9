"""A larger sample of how many trips events belong to: Postgres took twenty events a trip for fifty, and read them all."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE telemetry.harsh_events ALTER COLUMN trip_id SET STATISTICS 1000")
    op.execute("ANALYZE telemetry.harsh_events (trip_id)")


def downgrade() -> None:
    op.execute("ALTER TABLE telemetry.harsh_events ALTER COLUMN trip_id SET STATISTICS -1")
