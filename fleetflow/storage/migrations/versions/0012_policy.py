"""What admins may change while FleetFlow runs: one row of choices, each empty where the settings decide."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FORTH = """
CREATE TABLE telemetry.policy (
    id SMALLINT NOT NULL,
    keep_samples_days INTEGER,
    pseudonyms BOOLEAN,
    upload_files_per_hour INTEGER,
    changed_by TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT policy_pkey PRIMARY KEY (id),
    CONSTRAINT policy_single_check CHECK (id = 1),
    CONSTRAINT policy_keep_samples_days_check CHECK (keep_samples_days >= 0),
    CONSTRAINT policy_upload_files_per_hour_check CHECK (upload_files_per_hour > 0)
);
"""


def upgrade() -> None:
    op.execute(FORTH)


def downgrade() -> None:
    op.execute("DROP TABLE telemetry.policy")
