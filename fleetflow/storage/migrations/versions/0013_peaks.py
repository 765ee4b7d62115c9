"""The index on peaks answers by itself: what the inbox asks of harsh events is in it, and the table stays unread."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PEAK = "(CASE WHEN kind = 'speeding' THEN speed_kmh ELSE peak_g END)"


def upgrade() -> None:
    op.execute("DROP INDEX telemetry.harsh_events_peak_idx")
    op.execute(
        f"CREATE INDEX harsh_events_peak_idx ON telemetry.harsh_events (kind, {PEAK})"
        " INCLUDE (id, trip_id, peak_s, peak_g, speed_kmh, doubts, review)"
    )


def downgrade() -> None:
    op.execute("DROP INDEX telemetry.harsh_events_peak_idx")
    op.execute(f"CREATE INDEX harsh_events_peak_idx ON telemetry.harsh_events (kind, {PEAK})")
