"""Scores that are cheap to store: what cannot be wrong is not looked up again for each of them."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# docs/decisions/0013-what-a-score-refers-to.md
UPGRADE = """
ALTER TABLE telemetry.driver_scores DROP CONSTRAINT driver_scores_profile_version_fkey,
    DROP CONSTRAINT driver_scores_driver_id_fkey;
"""
DOWNGRADE = """
ALTER TABLE telemetry.driver_scores
    ADD CONSTRAINT driver_scores_profile_version_fkey FOREIGN KEY (profile_version) REFERENCES telemetry.scoring_profiles (version),
    ADD CONSTRAINT driver_scores_driver_id_fkey FOREIGN KEY (driver_id) REFERENCES telemetry.drivers (id);
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
