"""When a failed trip was given back to the workers; and figures that are no numbers have no way into the tables."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

THERE = """
ALTER TABLE telemetry.trip_logs
    ADD COLUMN retried_at TIMESTAMP WITH TIME ZONE,
    ADD CONSTRAINT trip_logs_attempts_check CHECK (attempts >= 0),
    ADD CONSTRAINT trip_logs_offset_long_g_check CHECK (offset_long_g > '-Infinity' AND offset_long_g < 'Infinity'),
    ADD CONSTRAINT trip_logs_offset_lat_g_check CHECK (offset_lat_g > '-Infinity' AND offset_lat_g < 'Infinity'),
    ADD CONSTRAINT trip_logs_band_length_check
        CHECK (array_position(band_km, NULL) IS NULL AND 0 <= ALL (band_km) AND 'Infinity' > ALL (band_km)),
    ADD CONSTRAINT trip_logs_quality_reasons_check CHECK (jsonb_typeof(quality_reasons) = 'array');
CREATE INDEX trip_logs_retried_idx ON telemetry.trip_logs (retried_at)
    WHERE status = 'PENDING' AND retried_at IS NOT NULL;
ALTER TABLE telemetry.harsh_events
    ADD CONSTRAINT harsh_events_moments_check CHECK (start_s > '-Infinity' AND end_s < 'Infinity'),
    ADD CONSTRAINT harsh_events_speed_change_kmh_check
        CHECK (speed_change_kmh > '-Infinity' AND speed_change_kmh < 'Infinity');
ALTER TABLE telemetry.scoring_profiles
    ADD CONSTRAINT scoring_profiles_content_check CHECK (jsonb_typeof(content) = 'object');
ALTER TABLE telemetry.rescore_runs
    ADD CONSTRAINT rescore_runs_trips_check CHECK (total_trips >= 0 AND done_trips >= 0);
ALTER TABLE telemetry.reanalyses
    ADD CONSTRAINT reanalyses_trips_check CHECK (total_trips >= 0 AND done_trips >= 0 AND skipped_trips >= 0);
"""

BACK = """
ALTER TABLE telemetry.reanalyses DROP CONSTRAINT reanalyses_trips_check;
ALTER TABLE telemetry.rescore_runs DROP CONSTRAINT rescore_runs_trips_check;
ALTER TABLE telemetry.scoring_profiles DROP CONSTRAINT scoring_profiles_content_check;
ALTER TABLE telemetry.harsh_events
    DROP CONSTRAINT harsh_events_speed_change_kmh_check,
    DROP CONSTRAINT harsh_events_moments_check;
DROP INDEX telemetry.trip_logs_retried_idx;
ALTER TABLE telemetry.trip_logs
    DROP CONSTRAINT trip_logs_quality_reasons_check,
    DROP CONSTRAINT trip_logs_band_length_check,
    DROP CONSTRAINT trip_logs_offset_lat_g_check,
    DROP CONSTRAINT trip_logs_offset_long_g_check,
    DROP CONSTRAINT trip_logs_attempts_check,
    DROP COLUMN retried_at;
"""


def upgrade() -> None:
    op.execute(THERE)


def downgrade() -> None:
    op.execute(BACK)
