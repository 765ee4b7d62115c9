"""Analysing stored trips again by a newer detection."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE telemetry.reanalyses (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    below_version SMALLINT NOT NULL,
    state VARCHAR(20) DEFAULT 'RUNNING' NOT NULL,
    total_trips INTEGER NOT NULL,
    done_trips INTEGER DEFAULT 0 NOT NULL,
    skipped_trips INTEGER DEFAULT 0 NOT NULL,
    last_trip_id UUID,
    portion_end_id UUID,
    attempts SMALLINT DEFAULT 0 NOT NULL,
    lease_token UUID,
    lease_expires_at TIMESTAMP WITH TIME ZONE,
    asked_by TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT reanalyses_pkey PRIMARY KEY (id),
    CONSTRAINT reanalyses_state_check CHECK (state IN ('RUNNING', 'COMPLETED', 'CANCELLED')),
    CONSTRAINT reanalyses_finished_check CHECK ((state = 'RUNNING') = (finished_at IS NULL)),
    CONSTRAINT reanalyses_lease_check CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL))
);
CREATE UNIQUE INDEX reanalyses_running_idx ON telemetry.reanalyses (state) WHERE state = 'RUNNING';
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE telemetry.reanalyses")
