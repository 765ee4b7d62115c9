"""The first tables: trips, their events and scores, profiles, drivers and vehicles."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE telemetry.drivers (
    id UUID NOT NULL,
    name VARCHAR(200),
    group_name VARCHAR(100),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT drivers_pkey PRIMARY KEY (id)
);
CREATE TABLE telemetry.scoring_profiles (
    version INTEGER GENERATED ALWAYS AS IDENTITY,
    name VARCHAR(100) NOT NULL,
    content JSONB NOT NULL,
    content_hash BYTEA NOT NULL,
    author TEXT NOT NULL,
    note TEXT DEFAULT '' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT scoring_profiles_pkey PRIMARY KEY (version),
    CONSTRAINT scoring_profiles_content_hash_key UNIQUE (content_hash)
);
CREATE TABLE telemetry.trip_logs (
    id UUID NOT NULL,
    vehicle_id UUID NOT NULL,
    driver_id UUID NOT NULL,
    telemetry_blob JSONB NOT NULL,
    status VARCHAR(20) DEFAULT 'PENDING' NOT NULL,
    source VARCHAR(40) DEFAULT 'api' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    completed_at TIMESTAMP WITH TIME ZONE,
    point_count INTEGER NOT NULL,
    distance_km DOUBLE PRECISION,
    duration_s DOUBLE PRECISION,
    sample_hz DOUBLE PRECISION,
    detection_version SMALLINT,
    attempts SMALLINT DEFAULT 0 NOT NULL,
    lease_token UUID,
    lease_expires_at TIMESTAMP WITH TIME ZONE,
    error TEXT,
    idempotency_key VARCHAR(255),
    content_hash BYTEA NOT NULL,
    CONSTRAINT trip_logs_pkey PRIMARY KEY (id),
    CONSTRAINT trip_logs_status_check CHECK (status IN ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED')),
    CONSTRAINT trip_logs_lease_check CHECK ((status = 'PROCESSING') = (lease_token IS NOT NULL)),
    CONSTRAINT trip_logs_lease_end_check CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
    CONSTRAINT trip_logs_error_check CHECK ((status = 'FAILED') = (error IS NOT NULL)),
    CONSTRAINT trip_logs_point_count_check CHECK (point_count > 0),
    CONSTRAINT trip_logs_distance_km_check CHECK (distance_km >= 0 AND distance_km < 'Infinity'),
    CONSTRAINT trip_logs_duration_s_check CHECK (duration_s >= 0 AND duration_s < 'Infinity'),
    CONSTRAINT trip_logs_sample_hz_check CHECK (sample_hz > 0 AND sample_hz < 'Infinity'),
    CONSTRAINT trip_logs_telemetry_blob_check CHECK (jsonb_typeof(telemetry_blob) = 'object'),
    CONSTRAINT trip_logs_idempotency_key_key UNIQUE (idempotency_key),
    CONSTRAINT trip_logs_content_hash_key UNIQUE (content_hash)
);
-- Compressing columns of numbers costs half of an insert and saves little (docs/decisions/0001-columnar-blob.md).
ALTER TABLE telemetry.trip_logs ALTER COLUMN telemetry_blob SET STORAGE EXTERNAL;
ALTER TABLE telemetry.trip_logs SET (toast_tuple_target = 128);
CREATE INDEX trip_logs_driver_idx ON telemetry.trip_logs (driver_id, started_at);
CREATE INDEX trip_logs_failed_idx ON telemetry.trip_logs (id) WHERE status = 'FAILED';
CREATE INDEX trip_logs_lease_idx ON telemetry.trip_logs (lease_expires_at) WHERE status = 'PROCESSING';
CREATE INDEX trip_logs_retry_idx ON telemetry.trip_logs (id) WHERE status = 'PENDING' AND attempts > 0;
CREATE INDEX trip_logs_began_idx ON telemetry.trip_logs (COALESCE(started_at, received_at));
CREATE INDEX trip_logs_waiting_idx ON telemetry.trip_logs (id) WHERE status = 'PENDING' AND attempts = 0;
CREATE TABLE telemetry.vehicles (
    id UUID NOT NULL,
    name VARCHAR(200),
    group_name VARCHAR(100),
    vehicle_class VARCHAR(40),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT vehicles_pkey PRIMARY KEY (id)
);
CREATE TABLE telemetry.driver_scores (
    trip_id UUID NOT NULL,
    profile_version INTEGER NOT NULL,
    driver_id UUID NOT NULL,
    safety_score SMALLINT NOT NULL,
    harsh_braking_count INTEGER NOT NULL,
    rapid_accel_count INTEGER NOT NULL,
    harsh_cornering_count INTEGER NOT NULL,
    speeding_count INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT driver_scores_pkey PRIMARY KEY (trip_id, profile_version),
    CONSTRAINT driver_scores_safety_score_check CHECK (safety_score BETWEEN 0 AND 100),
    CONSTRAINT driver_scores_counts_check CHECK (harsh_braking_count >= 0 AND rapid_accel_count >= 0 AND harsh_cornering_count >= 0 AND speeding_count >= 0),
    CONSTRAINT driver_scores_trip_id_fkey FOREIGN KEY(trip_id) REFERENCES telemetry.trip_logs (id) ON DELETE CASCADE,
    CONSTRAINT driver_scores_profile_version_fkey FOREIGN KEY(profile_version) REFERENCES telemetry.scoring_profiles (version),
    CONSTRAINT driver_scores_driver_id_fkey FOREIGN KEY(driver_id) REFERENCES telemetry.drivers (id)
);
CREATE INDEX driver_scores_driver_idx ON telemetry.driver_scores (profile_version, driver_id);
CREATE TABLE telemetry.harsh_events (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    trip_id UUID NOT NULL,
    kind VARCHAR(20) NOT NULL,
    start_s DOUBLE PRECISION NOT NULL,
    peak_s DOUBLE PRECISION NOT NULL,
    end_s DOUBLE PRECISION NOT NULL,
    peak_g DOUBLE PRECISION,
    speed_kmh DOUBLE PRECISION,
    latitude DOUBLE PRECISION,
    longitude DOUBLE PRECISION,
    doubts TEXT[] DEFAULT '{}' NOT NULL,
    CONSTRAINT harsh_events_pkey PRIMARY KEY (id),
    CONSTRAINT harsh_events_kind_check CHECK (kind IN ('braking', 'acceleration', 'cornering', 'speeding')),
    CONSTRAINT harsh_events_order_check CHECK (start_s <= peak_s AND peak_s <= end_s),
    CONSTRAINT harsh_events_peak_g_check CHECK (peak_g >= 0 AND peak_g < 'Infinity'),
    CONSTRAINT harsh_events_peak_check CHECK (CASE kind WHEN 'speeding' THEN speed_kmh IS NOT NULL ELSE peak_g IS NOT NULL END),
    CONSTRAINT harsh_events_speed_kmh_check CHECK (speed_kmh >= 0 AND speed_kmh < 'Infinity'),
    CONSTRAINT harsh_events_latitude_check CHECK (latitude BETWEEN -90 AND 90),
    CONSTRAINT harsh_events_longitude_check CHECK (longitude BETWEEN -180 AND 180),
    CONSTRAINT harsh_events_trip_id_fkey FOREIGN KEY(trip_id) REFERENCES telemetry.trip_logs (id) ON DELETE CASCADE
);
CREATE INDEX harsh_events_trip_id_idx ON telemetry.harsh_events (trip_id);
CREATE TABLE telemetry.profile_activations (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    profile_version INTEGER NOT NULL,
    activated_by TEXT NOT NULL,
    activated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT profile_activations_pkey PRIMARY KEY (id),
    CONSTRAINT profile_activations_profile_version_fkey FOREIGN KEY(profile_version) REFERENCES telemetry.scoring_profiles (version)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute(
        "DROP TABLE telemetry.driver_scores, telemetry.harsh_events, telemetry.trip_logs, telemetry.profile_activations,"
        " telemetry.scoring_profiles, telemetry.drivers, telemetry.vehicles"
    )
