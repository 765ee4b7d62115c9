"""All that is stored about one driver, table by table, for the driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID

    import sqlalchemy as sa

TABLES = {
    "driver": "SELECT id, name, group_name, created_at FROM telemetry.drivers WHERE id = %(id)s",
    "trips": """
        SELECT trip.id, trip.vehicle_id, vehicle.name AS vehicle_name, trip.source, trip.status, trip.error,
               trip.started_at, trip.ended_at, trip.received_at, trip.completed_at, trip.point_count, trip.distance_km,
               trip.duration_s, trip.sample_hz, trip.quality, trip.samples_removed_at
        FROM telemetry.trip_logs AS trip LEFT JOIN telemetry.vehicles AS vehicle ON vehicle.id = trip.vehicle_id
        WHERE trip.driver_id = %(id)s ORDER BY trip.id""",
    "events": """
        SELECT mine.trip_id, mine.kind, mine.start_s, mine.peak_s, mine.end_s, mine.peak_g, mine.speed_kmh,
               mine.latitude, mine.longitude, array_to_string(mine.doubts, '; ') AS doubts, mine.review
        FROM telemetry.harsh_events AS mine
        JOIN telemetry.trip_logs AS trip ON trip.id = mine.trip_id WHERE trip.driver_id = %(id)s
        ORDER BY mine.trip_id, mine.id""",
    "scores": """
        SELECT mine.trip_id, mine.profile_version, profile.name AS profile_name, mine.safety_score, mine.points,
               mine.harsh_braking_count, mine.rapid_accel_count, mine.harsh_cornering_count, mine.speeding_count,
               mine.created_at, mine.updated_at
        FROM telemetry.driver_scores AS mine
        JOIN telemetry.scoring_profiles AS profile ON profile.version = mine.profile_version
        JOIN telemetry.trip_logs AS trip ON trip.id = mine.trip_id WHERE trip.driver_id = %(id)s
        ORDER BY mine.trip_id, mine.profile_version""",
    "reviews": """
        SELECT mine.trip_id, mine.kind, mine.peak_s, mine.review, mine.reason, mine.author, mine.created_at
        FROM telemetry.event_reviews AS mine
        JOIN telemetry.trip_logs AS trip ON trip.id = mine.trip_id WHERE trip.driver_id = %(id)s
        ORDER BY mine.id""",
    "notes": """
        SELECT coached_on, note, author, created_at, withdrawn_at
        FROM telemetry.coaching_notes WHERE driver_id = %(id)s ORDER BY id""",
    "uploads": """
        SELECT mine.trip_id, upload.file_name, upload.uploaded_by, upload.uploaded_at
        FROM telemetry.upload_trips AS mine JOIN telemetry.uploads AS upload ON upload.id = mine.upload_id
        JOIN telemetry.trip_logs AS trip ON trip.id = mine.trip_id WHERE trip.driver_id = %(id)s
        ORDER BY mine.trip_id""",
}
SAMPLES = """
SELECT telemetry_blob::text FROM telemetry.trip_logs WHERE id = %(id)s AND samples_removed_at IS NULL
"""
COUNT_POINTS = """
SELECT coalesce(sum(point_count), 0)::bigint FROM telemetry.trip_logs
WHERE driver_id = %(id)s AND samples_removed_at IS NULL
"""


def read_table(conn: sa.Connection, name: str, driver_id: UUID) -> tuple[list[str], list[tuple[Any, ...]]]:
    """One of TABLES: its columns and rows."""
    found = conn.exec_driver_sql(TABLES[name], {"id": driver_id})
    return list(found.keys()), [tuple(row) for row in found]


def read_sample_text(conn: sa.Connection, trip_id: UUID) -> str | None:
    """A trip's samples as they are stored, one JSON array a channel; None where they were removed."""
    text: str | None = conn.exec_driver_sql(SAMPLES, {"id": trip_id}).scalar_one_or_none()
    return text


def count_points(conn: sa.Connection, driver_id: UUID) -> int:
    """How many samples of a driver there are."""
    return int(conn.exec_driver_sql(COUNT_POINTS, {"id": driver_id}).scalar_one())
