"""Uploaded files, where their trips came from, and saved mappings of columns."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE telemetry.import_mappings (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    name VARCHAR(100) NOT NULL,
    signature VARCHAR(64) NOT NULL,
    content JSONB NOT NULL,
    author TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT import_mappings_pkey PRIMARY KEY (id),
    CONSTRAINT import_mappings_name_key UNIQUE (name),
    CONSTRAINT import_mappings_name_check CHECK (length(name) > 0)
);
CREATE INDEX import_mappings_signature_idx ON telemetry.import_mappings (signature);
CREATE TABLE telemetry.uploads (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    file_name VARCHAR(255) NOT NULL,
    file_hash BYTEA NOT NULL,
    size_bytes BIGINT NOT NULL,
    format TEXT NOT NULL,
    mapping JSONB,
    uploaded_by TEXT NOT NULL,
    uploaded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT uploads_pkey PRIMARY KEY (id),
    CONSTRAINT uploads_size_bytes_check CHECK (size_bytes > 0)
);
CREATE TABLE telemetry.upload_trips (
    upload_id BIGINT NOT NULL,
    trip_id UUID NOT NULL,
    CONSTRAINT upload_trips_pkey PRIMARY KEY (upload_id, trip_id),
    CONSTRAINT upload_trips_upload_id_fkey FOREIGN KEY(upload_id) REFERENCES telemetry.uploads (id) ON DELETE CASCADE,
    CONSTRAINT upload_trips_trip_id_fkey FOREIGN KEY(trip_id) REFERENCES telemetry.trip_logs (id) ON DELETE CASCADE
);
CREATE INDEX upload_trips_trip_id_idx ON telemetry.upload_trips (trip_id);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE telemetry.upload_trips, telemetry.uploads, telemetry.import_mappings")
