"""The tables of schema `telemetry` as SQLAlchemy sees them; the migrations make them, a test compares."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

SCHEMA = "telemetry"
SCHEMA_REVISION = "0015"
"""The newest migration, and the only schema this version of FleetFlow works with."""

REVIEWS = "('confirmed', 'false', 'defensive', 'other driver')"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ix": "%(table_name)s_%(column_0_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    },
)


def _moment(name: str, *, required: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=not required, server_default=func.now() if required else None)


trip_logs = Table(
    "trip_logs",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("vehicle_id", UUID, nullable=False),
    Column("driver_id", UUID, nullable=False),
    Column("telemetry_blob", JSONB, nullable=False),
    Column("status", String(20), nullable=False, server_default="PENDING"),
    Column("source", String(40), nullable=False, server_default="api"),
    _moment("started_at"),
    _moment("ended_at"),
    _moment("received_at", required=True),
    _moment("completed_at"),
    Column("point_count", Integer, nullable=False),
    Column("distance_km", Double),
    Column("duration_s", Double),
    Column("sample_hz", Double),
    Column("detection_version", SmallInteger),
    Column("quality", String(20)),
    Column("quality_reasons", JSONB),
    Column("offset_long_g", Double),
    Column("offset_lat_g", Double),
    Column("band_km", ARRAY(Double)),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("lease_token", UUID),
    _moment("lease_expires_at"),
    Column("error", Text),
    Column("idempotency_key", String(300), unique=True),
    Column("content_hash", LargeBinary, nullable=False, unique=True),
    _moment("retried_at"),
    _moment("samples_removed_at"),
    CheckConstraint("status IN ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED')", name="status"),
    CheckConstraint("(status = 'PROCESSING') = (lease_token IS NOT NULL)", name="lease"),
    CheckConstraint("(lease_token IS NULL) = (lease_expires_at IS NULL)", name="lease_end"),
    CheckConstraint("(status = 'FAILED') = (error IS NOT NULL)", name="error"),
    CheckConstraint("point_count > 0", name="point_count"),
    CheckConstraint("distance_km >= 0 AND distance_km < 'Infinity'", name="distance_km"),
    CheckConstraint("duration_s >= 0 AND duration_s < 'Infinity'", name="duration_s"),
    CheckConstraint("sample_hz > 0 AND sample_hz < 'Infinity'", name="sample_hz"),
    CheckConstraint("jsonb_typeof(telemetry_blob) = 'object'", name="telemetry_blob"),
    CheckConstraint("quality IN ('good', 'doubtful', 'unusable')", name="quality"),
    CheckConstraint("cardinality(band_km) = 3", name="band_km"),
    CheckConstraint("attempts >= 0", name="attempts"),
    CheckConstraint("offset_long_g > '-Infinity' AND offset_long_g < 'Infinity'", name="offset_long_g"),
    CheckConstraint("offset_lat_g > '-Infinity' AND offset_lat_g < 'Infinity'", name="offset_lat_g"),
    CheckConstraint(
        "array_position(band_km, NULL) IS NULL AND 0 <= ALL (band_km) AND 'Infinity' > ALL (band_km)",
        name="band_length",
    ),
    CheckConstraint("jsonb_typeof(quality_reasons) = 'array'", name="quality_reasons"),
    Index("trip_logs_waiting_idx", "id", postgresql_where=text("status = 'PENDING' AND attempts = 0")),
    Index("trip_logs_retry_idx", "id", postgresql_where=text("status = 'PENDING' AND attempts > 0")),
    Index(
        "trip_logs_retried_idx",
        "retried_at",
        postgresql_where=text("status = 'PENDING' AND retried_at IS NOT NULL"),
    ),
    Index("trip_logs_lease_idx", "lease_expires_at", postgresql_where=text("status = 'PROCESSING'")),
    Index("trip_logs_failed_idx", "id", postgresql_where=text("status = 'FAILED'")),
    Index("trip_logs_driver_idx", "driver_id", "started_at"),
    Index("trip_logs_vehicle_idx", "vehicle_id", "started_at"),
    Index(
        "trip_logs_samples_idx",
        "received_at",
        postgresql_where=text("samples_removed_at IS NULL AND status IN ('COMPLETED', 'FAILED')"),
    ),
    Index("trip_logs_completed_idx", "completed_at", postgresql_where=text("status = 'COMPLETED'")),
)

BEGAN_AT = func.coalesce(trip_logs.c.started_at, trip_logs.c.received_at)
"""When a trip began, as far as anybody knows; by this trips are listed and chosen."""
Index("trip_logs_began_idx", BEGAN_AT)

harsh_events = Table(
    "harsh_events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("trip_id", UUID, ForeignKey(trip_logs.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("start_s", Double, nullable=False),
    Column("peak_s", Double, nullable=False),
    Column("end_s", Double, nullable=False),
    Column("peak_g", Double),
    Column("speed_kmh", Double),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("doubts", ARRAY(Text), nullable=False, server_default="{}"),
    Column("derived", Boolean, nullable=False, server_default=text("false")),
    Column("speed_change_kmh", Double),
    Column("review", String(20)),
    CheckConstraint("kind IN ('braking', 'acceleration', 'cornering', 'speeding')", name="kind"),
    CheckConstraint("start_s <= peak_s AND peak_s <= end_s", name="order"),
    CheckConstraint("start_s > '-Infinity' AND end_s < 'Infinity'", name="moments"),
    CheckConstraint("speed_change_kmh > '-Infinity' AND speed_change_kmh < 'Infinity'", name="speed_change_kmh"),
    CheckConstraint("peak_g >= 0 AND peak_g < 'Infinity'", name="peak_g"),
    CheckConstraint("CASE kind WHEN 'speeding' THEN speed_kmh IS NOT NULL ELSE peak_g IS NOT NULL END", name="peak"),
    CheckConstraint("speed_kmh >= 0 AND speed_kmh < 'Infinity'", name="speed_kmh"),
    CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
    CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
    CheckConstraint(f"review IN {REVIEWS}", name="review"),
    Index(
        "harsh_events_peak_idx",
        "kind",
        text("(CASE WHEN kind = 'speeding' THEN speed_kmh ELSE peak_g END)"),
        postgresql_include=["id", "trip_id", "peak_s", "peak_g", "speed_kmh", "doubts", "review"],
    ),
)

event_reviews = Table(
    "event_reviews",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("trip_id", UUID, ForeignKey(trip_logs.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("event_id", BigInteger, ForeignKey(harsh_events.c.id, ondelete="SET NULL"), index=True),
    Column("kind", String(20), nullable=False),
    Column("peak_s", Double, nullable=False),
    Column("review", String(20)),
    Column("reason", Text, nullable=False, server_default=""),
    Column("author", Text, nullable=False),
    _moment("created_at", required=True),
    CheckConstraint("kind IN ('braking', 'acceleration', 'cornering', 'speeding')", name="kind"),
    CheckConstraint(f"review IN {REVIEWS}", name="review"),
)

scoring_profiles = Table(
    "scoring_profiles",
    metadata,
    Column("version", Integer, Identity(always=True), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", LargeBinary, nullable=False, unique=True),
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    _moment("created_at", required=True),
    CheckConstraint("jsonb_typeof(content) = 'object'", name="content"),
)

profile_activations = Table(
    "profile_activations",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("profile_version", Integer, ForeignKey(scoring_profiles.c.version), nullable=False),
    Column("activated_by", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    _moment("activated_at", required=True),
)

drivers = Table(
    "drivers",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("name", String(200)),
    Column("group_name", String(100)),
    _moment("created_at", required=True),
)

SHOWN_NAME = func.telemetry.shown_name(drivers.c.name, type_=String)
"""A driver's name as pages show it: none on connections without names (see database.without_names)."""

vehicles = Table(
    "vehicles",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("name", String(200)),
    Column("group_name", String(100)),
    Column("vehicle_class", String(40)),
    _moment("created_at", required=True),
)

# The profile and the driver are not looked up for each row (docs/decisions/0013-what-a-score-refers-to.md).
driver_scores = Table(
    "driver_scores",
    metadata,
    Column("trip_id", UUID, ForeignKey(trip_logs.c.id, ondelete="CASCADE"), primary_key=True),
    Column("profile_version", Integer, primary_key=True),
    Column("driver_id", UUID, nullable=False),
    Column("safety_score", SmallInteger, nullable=False),
    Column("points", Integer, nullable=False),
    Column("harsh_braking_count", Integer, nullable=False),
    Column("rapid_accel_count", Integer, nullable=False),
    Column("harsh_cornering_count", Integer, nullable=False),
    Column("speeding_count", Integer, nullable=False),
    _moment("created_at", required=True),
    _moment("updated_at"),
    CheckConstraint("points >= 0 AND safety_score = greatest(100 - points, 0)", name="points"),
    CheckConstraint("safety_score BETWEEN 0 AND 100", name="safety_score"),
    CheckConstraint(
        "harsh_braking_count >= 0 AND rapid_accel_count >= 0 AND harsh_cornering_count >= 0 AND speeding_count >= 0",
        name="counts",
    ),
    Index("driver_scores_driver_idx", "profile_version", "driver_id"),
)

rescore_runs = Table(
    "rescore_runs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("profile_version", Integer, ForeignKey(scoring_profiles.c.version), nullable=False),
    Column("state", String(20), nullable=False, server_default="RUNNING"),
    _moment("since"),
    _moment("until"),
    Column("activates", Boolean, nullable=False),
    Column("total_trips", Integer, nullable=False),
    Column("done_trips", Integer, nullable=False, server_default="0"),
    Column("last_trip_id", UUID),
    Column("asked_by", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    _moment("started_at", required=True),
    _moment("finished_at"),
    CheckConstraint("state IN ('RUNNING', 'COMPLETED', 'CANCELLED')", name="state"),
    CheckConstraint("(state = 'RUNNING') = (finished_at IS NULL)", name="finished"),
    CheckConstraint("since < until", name="period"),
    CheckConstraint("total_trips >= 0 AND done_trips >= 0", name="trips"),
    CheckConstraint("NOT activates OR (since IS NULL AND until IS NULL)", name="activates"),
    Index("rescore_runs_running_idx", "state", unique=True, postgresql_where=text("state = 'RUNNING'")),
)

reanalyses = Table(
    "reanalyses",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("below_version", SmallInteger, nullable=False),
    Column("state", String(20), nullable=False, server_default="RUNNING"),
    Column("total_trips", Integer, nullable=False),
    Column("done_trips", Integer, nullable=False, server_default="0"),
    Column("skipped_trips", Integer, nullable=False, server_default="0"),
    Column("last_trip_id", UUID),
    Column("portion_end_id", UUID),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("lease_token", UUID),
    _moment("lease_expires_at"),
    Column("asked_by", Text, nullable=False),
    _moment("started_at", required=True),
    _moment("finished_at"),
    CheckConstraint("state IN ('RUNNING', 'COMPLETED', 'CANCELLED')", name="state"),
    CheckConstraint("(state = 'RUNNING') = (finished_at IS NULL)", name="finished"),
    CheckConstraint("(lease_token IS NULL) = (lease_expires_at IS NULL)", name="lease"),
    CheckConstraint("total_trips >= 0 AND done_trips >= 0 AND skipped_trips >= 0", name="trips"),
    Index("reanalyses_running_idx", "state", unique=True, postgresql_where=text("state = 'RUNNING'")),
)

coaching_notes = Table(
    "coaching_notes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("driver_id", UUID, ForeignKey(drivers.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("coached_on", Date, nullable=False),
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    _moment("created_at", required=True),
    _moment("withdrawn_at"),
    CheckConstraint("length(note) BETWEEN 1 AND 2000", name="note"),
)

worker_heartbeats = Table(
    "worker_heartbeats",
    metadata,
    Column("worker_id", UUID, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("queue", String(20), nullable=False),
    Column("queue_reachable", Boolean, nullable=False),
    Column("completed_trips", BigInteger, nullable=False, server_default="0"),
    Column("silent_after_s", Double, nullable=False),
    _moment("started_at", required=True),
    _moment("seen_at", required=True),
)

import_mappings = Table(
    "import_mappings",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("signature", String(64), nullable=False, index=True),
    Column("content", JSONB, nullable=False),
    Column("author", Text, nullable=False),
    _moment("created_at", required=True),
    CheckConstraint("length(name) > 0", name="name"),
)

policy = Table(
    "policy",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("keep_samples_days", Integer),
    Column("pseudonyms", Boolean),
    Column("upload_files_per_hour", Integer),
    Column("changed_by", Text, nullable=False),
    _moment("changed_at", required=True),
    CheckConstraint("id = 1", name="single"),
    CheckConstraint("keep_samples_days >= 0", name="keep_samples_days"),
    CheckConstraint("upload_files_per_hour > 0", name="upload_files_per_hour"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("file_name", String(255), nullable=False),
    Column("file_hash", LargeBinary, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("format", Text, nullable=False),
    Column("mapping", JSONB),
    Column("uploaded_by", Text, nullable=False),
    _moment("uploaded_at", required=True),
    Column("trip_count", Integer),  # None: from before this was kept
    Column("stored_count", Integer, nullable=False, server_default=text("0")),  # upload_trips, before any erasure
    Column("refused_count", Integer, nullable=False, server_default=text("0")),
    _moment("sending_until"),  # a lease, as workers have one: whoever sends says so anew every few seconds
    CheckConstraint("size_bytes > 0", name="size_bytes"),
)

upload_trips = Table(
    "upload_trips",
    metadata,
    Column("upload_id", BigInteger, ForeignKey(uploads.c.id, ondelete="CASCADE"), primary_key=True),
    Column("trip_id", UUID, ForeignKey(trip_logs.c.id, ondelete="CASCADE"), primary_key=True, index=True),
)
accounts = Table(
    "accounts",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("password_hash", Text),
    Column("roles", ARRAY(Text), nullable=False),
    Column("must_change_password", Boolean, nullable=False, server_default=text("false")),
    _moment("created_at", required=True),
    _moment("disabled_at"),
    Column("subject", Text, unique=True),
    CheckConstraint("length(name) > 0 AND name = btrim(name)", name="name"),
    CheckConstraint(
        "roles <@ ARRAY['fleet_manager', 'safety_officer', 'admin'] AND cardinality(roles) > 0", name="roles"
    ),
)
Index("accounts_name_idx", func.lower(accounts.c.name), unique=True)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    Column("account_id", BigInteger, ForeignKey(accounts.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("idle_s", Integer, nullable=False),
    Column("address", String(100), nullable=False, server_default=""),
    _moment("created_at", required=True),
    _moment("seen_at", required=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("idle_s > 0", name="idle_s"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("prefix", String(20), nullable=False, unique=True),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_by", Text, nullable=False),
    _moment("created_at", required=True),
    _moment("expires_at"),
    _moment("last_used_at"),
    _moment("revoked_at"),
    Column("vehicle_ids", ARRAY(UUID)),
    Column("per_minute", Integer),
    _moment("rotated_at"),
    CheckConstraint("scopes <@ ARRAY['write', 'read'] AND cardinality(scopes) > 0", name="scopes"),
    CheckConstraint("cardinality(vehicle_ids) > 0", name="vehicle_ids"),
    CheckConstraint("per_minute > 0", name="per_minute"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject", Text, nullable=False),
    Column("before", JSONB),
    Column("after", JSONB),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("salt", LargeBinary),
    Column("details_hash", LargeBinary),
    Column("erased", Boolean, nullable=False, server_default=text("false")),
    Index("audit_log_at_idx", "at"),
)
"""Append-only: a trigger numbers and chains each entry, another refuses every change but the erasure of its details."""

erased_drivers = Table("erased_drivers", metadata, Column("id_hash", LargeBinary, primary_key=True))
"""Tombstones: triggers leave out trips and rows of a driver whose id has its keyed hash here."""

erasure_keys = Table("erasure_keys", metadata, Column("key", LargeBinary, primary_key=True))
"""The key of these hashes."""

erased_totals = Table(
    "erased_totals",
    metadata,
    Column("drivers", Integer, primary_key=True, autoincrement=False),
    Column("trips", BigInteger, nullable=False),
    Column("distance_km", Double, nullable=False),
    Column("events", BigInteger, nullable=False),
    Index("erased_totals_single_idx", text("(true)"), unique=True),
)
"""All that was ever erased, as one sum: one row that no person can be told from."""
