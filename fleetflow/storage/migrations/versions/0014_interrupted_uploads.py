"""How much an upload was to bring, so that one whose sending was cut off can be told from one that is whole."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

FORTH = """
ALTER TABLE telemetry.uploads
    ADD COLUMN trip_count INTEGER,
    ADD COLUMN stored_count INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN refused_count INTEGER DEFAULT 0 NOT NULL,
    ADD COLUMN sending_until TIMESTAMP WITH TIME ZONE;
"""
BACK = """
ALTER TABLE telemetry.uploads
    DROP COLUMN trip_count, DROP COLUMN stored_count, DROP COLUMN refused_count, DROP COLUMN sending_until
"""


def upgrade() -> None:
    op.execute(FORTH)


def downgrade() -> None:
    op.execute(BACK)
