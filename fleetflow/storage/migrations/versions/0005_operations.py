"""What operations shows: a row for every worker that is alive, and completed trips by time."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

THERE = """
CREATE TABLE telemetry.worker_heartbeats (
    worker_id UUID NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    queue VARCHAR(20) NOT NULL,
    queue_reachable BOOLEAN NOT NULL,
    completed_trips BIGINT DEFAULT 0 NOT NULL,
    silent_after_s DOUBLE PRECISION NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT worker_heartbeats_pkey PRIMARY KEY (worker_id)
);
CREATE INDEX trip_logs_completed_idx ON telemetry.trip_logs (completed_at) WHERE status = 'COMPLETED';
"""

BACK = """
DROP INDEX telemetry.trip_logs_completed_idx;
DROP TABLE telemetry.worker_heartbeats;
"""


def upgrade() -> None:
    op.execute(THERE)


def downgrade() -> None:
    op.execute(BACK)
