"""Who works on a trip: claims with a lease and a token, on the database's clock.

A worker that dies leaves a lease that runs out; one that was frozen and thaws holds a token that is no longer in
the row, so it can write nothing. Attempts count deaths: a trip that has seen one is claimed alone ever after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    import sqlalchemy as sa

    from fleetflow.trips.offset import Offset
    from fleetflow.trips.quality import Quality
    from fleetflow.trips.summary import TripSummary


@dataclass(frozen=True, slots=True)
class ClaimedTrip:
    """A trip that is this worker's until its lease runs out; `blob` is for `fleetflow.trips.columns.unpack`."""

    id: UUID
    vehicle_id: UUID
    driver_id: UUID
    received_at: datetime
    sample_hz: float | None
    attempts: int
    analysed_before: bool
    blob: str


@dataclass(frozen=True, slots=True)
class TripFindings:
    """What the analysis of a trip leaves in its row, besides events and scores.

    `offset` is None where no speed could show one.
    """

    summary: TripSummary
    quality: Quality
    offset: Offset | None = None


CLAIM = """
UPDATE telemetry.trip_logs AS trip
SET status = 'PROCESSING', attempts = attempts + 1, lease_token = %(token)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
FROM ({chosen}) AS chosen
WHERE trip.id = chosen.id
RETURNING trip.id, trip.vehicle_id, trip.driver_id, trip.received_at, trip.sample_hz, trip.attempts,
          trip.detection_version IS NOT NULL AS analysed_before, trip.telemetry_blob::text AS blob
"""
CLAIM_FRESH = CLAIM.format(
    chosen="""
    SELECT id
    FROM (SELECT id, sum(point_count) OVER (ORDER BY id) AS points, row_number() OVER (ORDER BY id) AS place
          FROM (SELECT id, point_count FROM telemetry.trip_logs
                WHERE status = 'PENDING' AND attempts = 0
                ORDER BY id LIMIT %(max_trips)s FOR UPDATE SKIP LOCKED) AS waiting) AS counted
    WHERE points <= %(max_points)s OR place = 1"""
)
CLAIM_RETRY = CLAIM.format(
    chosen="""
    SELECT id FROM telemetry.trip_logs
    WHERE (status = 'PENDING' AND attempts > 0)
       OR (status = 'PROCESSING' AND lease_expires_at < clock_timestamp() AND attempts < %(max_attempts)s)
    ORDER BY attempts, id LIMIT 1 FOR UPDATE SKIP LOCKED"""
)

FAIL_EXHAUSTED = """
UPDATE telemetry.trip_logs
SET status = 'FAILED', lease_token = NULL, lease_expires_at = NULL, completed_at = clock_timestamp(),
    error = format('The worker died %%s times while it analysed this trip.', attempts)
WHERE id IN (SELECT id FROM telemetry.trip_logs
             WHERE status = 'PROCESSING' AND lease_expires_at < clock_timestamp()
               AND attempts >= %(max_attempts)s
             FOR UPDATE SKIP LOCKED)
RETURNING id
"""

FOUND = """
    distance_km = done.distance_km, duration_s = done.duration_s,
    sample_hz = COALESCE(trip.sample_hz, done.sample_hz), detection_version = %(detection_version)s,
    quality = done.quality, quality_reasons = done.reasons::jsonb,
    offset_long_g = done.offset_long_g, offset_lat_g = done.offset_lat_g, band_km = done.band_km::float8[]
FROM unnest(%(ids)s::uuid[], %(distance_km)s::float8[], %(duration_s)s::float8[], %(sample_hz)s::float8[],
            %(quality)s::text[], %(reasons)s::text[], %(offset_long_g)s::float8[], %(offset_lat_g)s::float8[],
            %(band_km)s::text[])
     AS done (id, distance_km, duration_s, sample_hz, quality, reasons, offset_long_g, offset_lat_g, band_km)
"""
"""What an UPDATE of trips sets to what was found of them, and from where; `as_columns` gives the parameters."""

COMPLETE = f"""
UPDATE telemetry.trip_logs AS trip
SET status = 'COMPLETED', lease_token = NULL, lease_expires_at = NULL, completed_at = clock_timestamp(), {FOUND}
WHERE trip.id = done.id AND trip.lease_token = %(token)s
RETURNING trip.id
"""  # noqa: S608  # FOUND is a constant

COMPLETED_FIELDS = (
    "distance_km", "duration_s", "sample_hz", "quality", "reasons", "offset_long_g", "offset_lat_g", "band_km",
)  # fmt: skip

FAIL = """
UPDATE telemetry.trip_logs
SET status = 'FAILED', lease_token = NULL, lease_expires_at = NULL, completed_at = clock_timestamp(),
    error = %(error)s
WHERE id = %(id)s AND lease_token = %(token)s
RETURNING id
"""

HAND_BACK = """
UPDATE telemetry.trip_logs
SET status = 'PENDING', lease_token = NULL, lease_expires_at = NULL, attempts = attempts - 1
WHERE status = 'PROCESSING' AND lease_token = %(token)s
RETURNING id
"""

STILL_OPEN = """
SELECT id FROM telemetry.trip_logs WHERE id = ANY(%(ids)s::uuid[]) AND status IN ('PENDING', 'PROCESSING')
"""
FAILED_AMONG = "SELECT id FROM telemetry.trip_logs WHERE id = ANY(%(ids)s::uuid[]) AND status = 'FAILED'"


def claim_fresh(
    conn: sa.Connection, token: UUID, *, lease_s: float, max_trips: int, max_points: int
) -> list[ClaimedTrip]:
    """The oldest trips that nobody has tried: up to `max_trips` with `max_points` in all, at least one if any."""
    values = {"token": token, "lease_s": lease_s, "max_trips": max_trips, "max_points": max_points}
    rows = conn.exec_driver_sql(CLAIM_FRESH, values)
    return sorted((ClaimedTrip(*row) for row in rows), key=lambda trip: trip.id)


def claim_retry(conn: sa.Connection, token: UUID, *, lease_s: float, max_attempts: int) -> ClaimedTrip | None:
    """One trip that has been tried before: handed back after a death, or its lease ran out."""
    values = {"token": token, "lease_s": lease_s, "max_attempts": max_attempts}
    row = conn.exec_driver_sql(CLAIM_RETRY, values).one_or_none()
    return None if row is None else ClaimedTrip(*row)


def fail_exhausted(conn: sa.Connection, *, max_attempts: int) -> list[UUID]:
    """Give up trips whose worker died too often; their ids."""
    return list(conn.exec_driver_sql(FAIL_EXHAUSTED, {"max_attempts": max_attempts}).scalars())


def complete_trips(
    conn: sa.Connection, token: UUID, findings: Mapping[UUID, TripFindings], *, detection_version: int
) -> set[UUID]:
    """Mark trips COMPLETED; returns those that were still this token's, and only they may be given a score."""
    values = {"token": token, "detection_version": detection_version, **as_columns(findings)}
    return set(conn.exec_driver_sql(COMPLETE, values).scalars())


def as_columns(findings: Mapping[UUID, TripFindings]) -> dict[str, list[Any]]:
    """What analyses say of whole trips, as the parameters of FOUND."""
    rows = [_row(each) for each in findings.values()]
    return {"ids": list(findings), **{name: [row[name] for row in rows] for name in COMPLETED_FIELDS}}


def _row(found: TripFindings) -> dict[str, object]:
    summary, offset = found.summary, found.offset
    return {
        "distance_km": summary.distance_km,
        "duration_s": summary.duration_s,
        "sample_hz": summary.sample_hz,
        "quality": found.quality.verdict.value,
        "reasons": _reasons(found.quality),
        "offset_long_g": None if offset is None else offset.long_g,
        "offset_lat_g": None if offset is None else offset.lat_g,
        "band_km": _as_array(summary.band_km),  # unnest would flatten rows of three
    }


def _as_array(values: Sequence[float] | None) -> str | None:
    return None if values is None else f"{{{','.join(map(str, values))}}}"


def _reasons(quality: Quality) -> str:
    reasons = [{"finding": each.finding, "verdict": each.verdict, "text": each.text} for each in quality.reasons]
    return orjson.dumps(reasons).decode()


def fail_trip(conn: sa.Connection, token: UUID, trip_id: UUID, error: str) -> bool:
    """Mark a trip FAILED with a reason for people; False when it was no longer this token's."""
    values = {"token": token, "id": trip_id, "error": error}
    return conn.exec_driver_sql(FAIL, values).one_or_none() is not None


def hand_back(conn: sa.Connection, token: UUID) -> list[UUID]:
    """Return what is left of a claim, unharmed: this was no death, so it counts as no attempt."""
    return list(conn.exec_driver_sql(HAND_BACK, {"token": token}).scalars())


def select_open(conn: sa.Connection, trip_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the trips that are waiting or being worked on."""
    return set(conn.exec_driver_sql(STILL_OPEN, {"ids": list(trip_ids)}).scalars())


def select_failed(conn: sa.Connection, trip_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the trips that have FAILED."""
    return set(conn.exec_driver_sql(FAILED_AMONG, {"ids": list(trip_ids)}).scalars())
