"""What the inbox of events needs: events by how hard they were, and a vehicle's trips."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX harsh_events_peak_idx ON telemetry.harsh_events
    (kind, (CASE WHEN kind = 'speeding' THEN speed_kmh ELSE peak_g END));
CREATE INDEX trip_logs_vehicle_idx ON telemetry.trip_logs (vehicle_id, started_at);
"""


def upgrade() -> None:
    op.execute(INDEXES)


def downgrade() -> None:
    op.execute("DROP INDEX telemetry.harsh_events_peak_idx, telemetry.trip_logs_vehicle_idx")
