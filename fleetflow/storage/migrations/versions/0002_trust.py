"""Signal quality, reviews, penalty points, profiles with vehicle classes, re-score runs and coaching notes."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE telemetry.trip_logs
    ADD COLUMN quality VARCHAR(20),
    ADD COLUMN quality_reasons JSONB,
    ADD COLUMN offset_long_g DOUBLE PRECISION,
    ADD COLUMN offset_lat_g DOUBLE PRECISION,
    ADD COLUMN band_km DOUBLE PRECISION[],
    ADD CONSTRAINT trip_logs_quality_check CHECK (quality IN ('good', 'doubtful', 'unusable')),
    ADD CONSTRAINT trip_logs_band_km_check CHECK (cardinality(band_km) = 3);
ALTER TABLE telemetry.harsh_events
    ADD COLUMN derived BOOLEAN DEFAULT false NOT NULL,
    ADD COLUMN speed_change_kmh DOUBLE PRECISION,
    ADD COLUMN review VARCHAR(20),
    ADD CONSTRAINT harsh_events_review_check CHECK (review IN ('confirmed', 'false', 'defensive', 'other driver'));
ALTER TABLE telemetry.profile_activations ADD COLUMN note TEXT DEFAULT '' NOT NULL;
ALTER TABLE telemetry.driver_scores ADD COLUMN points INTEGER, ADD COLUMN updated_at TIMESTAMP WITH TIME ZONE;
"""

# What scores so far cost is known: their profiles had a penalty per kind, no caps and no classes.
POINTS = """
UPDATE telemetry.driver_scores AS score
SET points = harsh_braking_count * (profile.content #>> '{braking,penalty}')::int
           + rapid_accel_count * (profile.content #>> '{acceleration,penalty}')::int
           + harsh_cornering_count * (profile.content #>> '{cornering,penalty}')::int
           + speeding_count * (profile.content #>> '{speeding,penalty}')::int
FROM telemetry.scoring_profiles AS profile
WHERE profile.version = score.profile_version;
ALTER TABLE telemetry.driver_scores
    ALTER COLUMN points SET NOT NULL,
    ADD CONSTRAINT driver_scores_points_check CHECK (points >= 0 AND safety_score = greatest(100 - points, 0));
UPDATE telemetry.scoring_profiles
SET content = jsonb_build_object('rules', content, 'classes', '{}'::jsonb, 'counts_doubtful', false, 'minimum_km', 0);
"""

TABLES = """
CREATE TABLE telemetry.event_reviews (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    trip_id UUID NOT NULL,
    event_id BIGINT,
    kind VARCHAR(20) NOT NULL,
    peak_s DOUBLE PRECISION NOT NULL,
    review VARCHAR(20),
    reason TEXT DEFAULT '' NOT NULL,
    author TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT event_reviews_pkey PRIMARY KEY (id),
    CONSTRAINT event_reviews_kind_check CHECK (kind IN ('braking', 'acceleration', 'cornering', 'speeding')),
    CONSTRAINT event_reviews_review_check CHECK (review IN ('confirmed', 'false', 'defensive', 'other driver')),
    CONSTRAINT event_reviews_trip_id_fkey FOREIGN KEY(trip_id) REFERENCES telemetry.trip_logs (id) ON DELETE CASCADE,
    CONSTRAINT event_reviews_event_id_fkey FOREIGN KEY(event_id) REFERENCES telemetry.harsh_events (id) ON DELETE SET NULL
);
CREATE INDEX event_reviews_trip_id_idx ON telemetry.event_reviews (trip_id);
CREATE INDEX event_reviews_event_id_idx ON telemetry.event_reviews (event_id);
CREATE TABLE telemetry.rescore_runs (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    profile_version INTEGER NOT NULL,
    state VARCHAR(20) DEFAULT 'RUNNING' NOT NULL,
    since TIMESTAMP WITH TIME ZONE,
    until TIMESTAMP WITH TIME ZONE,
    activates BOOLEAN NOT NULL,
    total_trips INTEGER NOT NULL,
    done_trips INTEGER DEFAULT 0 NOT NULL,
    last_trip_id UUID,
    asked_by TEXT NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT rescore_runs_pkey PRIMARY KEY (id),
    CONSTRAINT rescore_runs_state_check CHECK (state IN ('RUNNING', 'COMPLETED', 'CANCELLED')),
    CONSTRAINT rescore_runs_finished_check CHECK ((state = 'RUNNING') = (finished_at IS NULL)),
    CONSTRAINT rescore_runs_period_check CHECK (since < until),
    CONSTRAINT rescore_runs_activates_check CHECK (NOT activates OR (since IS NULL AND until IS NULL)),
    CONSTRAINT rescore_runs_profile_version_fkey FOREIGN KEY(profile_version) REFERENCES telemetry.scoring_profiles (version)
);
CREATE UNIQUE INDEX rescore_runs_running_idx ON telemetry.rescore_runs (state) WHERE state = 'RUNNING';
CREATE TABLE telemetry.coaching_notes (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    driver_id UUID NOT NULL,
    coached_on DATE NOT NULL,
    note TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT coaching_notes_pkey PRIMARY KEY (id),
    CONSTRAINT coaching_notes_note_check CHECK (length(note) BETWEEN 1 AND 2000),
    CONSTRAINT coaching_notes_driver_id_fkey FOREIGN KEY(driver_id) REFERENCES telemetry.drivers (id) ON DELETE CASCADE
);
CREATE INDEX coaching_notes_driver_id_idx ON telemetry.coaching_notes (driver_id);
"""

BACK = """
DROP TABLE telemetry.coaching_notes, telemetry.rescore_runs, telemetry.event_reviews;
UPDATE telemetry.scoring_profiles SET content = content -> 'rules';
ALTER TABLE telemetry.driver_scores DROP COLUMN points, DROP COLUMN updated_at;
ALTER TABLE telemetry.profile_activations DROP COLUMN note;
ALTER TABLE telemetry.harsh_events DROP COLUMN derived, DROP COLUMN speed_change_kmh, DROP COLUMN review;
ALTER TABLE telemetry.trip_logs
    DROP COLUMN quality, DROP COLUMN quality_reasons, DROP COLUMN offset_long_g, DROP COLUMN offset_lat_g, DROP COLUMN band_km;
"""


def upgrade() -> None:
    for statements in (COLUMNS, POINTS, TABLES):
        op.execute(statements)


def downgrade() -> None:
    op.execute(BACK)
