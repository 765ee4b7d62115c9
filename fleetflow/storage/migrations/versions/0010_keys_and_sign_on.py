"""Keys bound to vehicles, limited and rotated; accounts that sign in elsewhere; idempotency keys apart by API key."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

FORTH = """
ALTER TABLE telemetry.api_keys
    ADD COLUMN vehicle_ids UUID[],
    ADD COLUMN per_minute INTEGER,
    ADD COLUMN rotated_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT api_keys_vehicle_ids_check CHECK (cardinality(vehicle_ids) > 0),
    ADD CONSTRAINT api_keys_per_minute_check CHECK (per_minute > 0);
ALTER TABLE telemetry.accounts
    ALTER COLUMN password_hash DROP NOT NULL,
    ADD COLUMN subject TEXT,
    ADD CONSTRAINT accounts_subject_key UNIQUE (subject);
ALTER TABLE telemetry.trip_logs ALTER COLUMN idempotency_key TYPE VARCHAR(300);
"""

BACK = """
ALTER TABLE telemetry.trip_logs ALTER COLUMN idempotency_key TYPE VARCHAR(255) USING left(idempotency_key, 255);
DELETE FROM telemetry.accounts WHERE password_hash IS NULL;
ALTER TABLE telemetry.accounts ALTER COLUMN password_hash SET NOT NULL, DROP COLUMN subject;
ALTER TABLE telemetry.api_keys DROP COLUMN vehicle_ids, DROP COLUMN per_minute, DROP COLUMN rotated_at;
"""


def upgrade() -> None:
    op.execute(FORTH)


def downgrade() -> None:
    op.execute(BACK)
