"""Trips: stored once however often they are sent, and read back. The row is the truth and the work list at once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleetflow.storage.tables import trip_logs
from fleetflow.trips.columns import unpack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from fleetflow.trips.samples import Samples


class TripStatus(StrEnum):
    """PENDING -> PROCESSING -> COMPLETED, or FAILED with the reason in `error`."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class NewTrip:
    """A trip about to be stored; `blob` is what `fleetflow.trips.columns.pack` made of its samples."""

    id: UUID
    vehicle_id: UUID
    driver_id: UUID
    blob: bytes
    point_count: int
    content_hash: bytes
    started_at: datetime | None = None
    ended_at: datetime | None = None
    sample_hz: float | None = None
    source: str = "api"
    idempotency_key: str | None = None


class Outcome(StrEnum):
    """What became of a new trip."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class Stored:
    """Under which id the trip is known; for a conflict, the id of the trip that has the key already.

    Nothing is stored of a driver who was erased: triggers leave the row out.
    """

    trip_id: UUID
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class TripRecord:
    """What is known about a trip besides its samples."""

    id: UUID
    vehicle_id: UUID
    driver_id: UUID
    status: TripStatus
    source: str
    started_at: datetime | None
    ended_at: datetime | None
    received_at: datetime
    completed_at: datetime | None
    point_count: int
    distance_km: float | None
    duration_s: float | None
    sample_hz: float | None
    attempts: int
    error: str | None
    quality: str | None
    quality_reasons: list[dict[str, str]] | None
    offset_long_g: float | None
    offset_lat_g: float | None
    band_km: list[float] | None


# One statement for all requests that wait: the blobs travel as binary and become JSONB in the server. Rows are
# inserted in the order of their hashes, so that two writers with the same trips wait for each other in one order.
INSERT = """
INSERT INTO telemetry.trip_logs (id, vehicle_id, driver_id, telemetry_blob, point_count, content_hash,
                                 started_at, ended_at, sample_hz, source, idempotency_key)
SELECT id, vehicle_id, driver_id, convert_from(blob, 'UTF8')::jsonb, point_count, content_hash,
       started_at, ended_at, sample_hz, source, idempotency_key
FROM unnest(%(id)b::uuid[], %(vehicle_id)b::uuid[], %(driver_id)b::uuid[], %(blob)b::bytea[],
            %(point_count)b::int[], %(content_hash)b::bytea[], %(started_at)b::timestamptz[],
            %(ended_at)b::timestamptz[], %(sample_hz)b::float8[], %(source)s::text[], %(idempotency_key)s::text[])
     AS new (id, vehicle_id, driver_id, blob, point_count, content_hash,
             started_at, ended_at, sample_hz, source, idempotency_key)
ON CONFLICT DO NOTHING
RETURNING id
"""
INSERT_FIELDS = tuple(NewTrip.__slots__)

FIND_TWINS = """
SELECT id, idempotency_key, content_hash FROM telemetry.trip_logs
WHERE idempotency_key = ANY(%(keys)s::text[]) OR content_hash = ANY(%(hashes)b::bytea[])
"""


def insert_trips(conn: sa.Connection, trips: Sequence[NewTrip]) -> list[Stored]:
    """Store the trips that are not there yet; one result per trip, in their order."""
    ordered = sorted(trips, key=lambda trip: trip.content_hash)
    values = {name: [getattr(trip, name) for trip in ordered] for name in INSERT_FIELDS}
    inserted = set(conn.exec_driver_sql(INSERT, values).scalars())
    repeated = [trip for trip in trips if trip.id not in inserted]
    twins = _find_twins(conn, repeated) if repeated else {}
    return [twins.get(trip.id) or Stored(trip.id, Outcome.STORED) for trip in trips]


def _find_twins(conn: sa.Connection, trips: Sequence[NewTrip]) -> dict[UUID, Stored]:
    keys = [trip.idempotency_key for trip in trips if trip.idempotency_key is not None]
    hashes = [trip.content_hash for trip in trips]
    rows = conn.exec_driver_sql(FIND_TWINS, {"keys": keys, "hashes": hashes}).all()
    by_key = {row.idempotency_key: row for row in rows if row.idempotency_key is not None}
    by_hash = {bytes(row.content_hash): row for row in rows}
    found = {}
    for trip in trips:
        twin = by_key.get(trip.idempotency_key) or by_hash.get(trip.content_hash)
        found[trip.id] = Stored(twin.id, _outcome(trip, twin)) if twin else Stored(trip.id, Outcome.ERASED)
    return found


def _outcome(trip: NewTrip, twin: sa.Row[tuple[UUID, str, bytes]]) -> Outcome:
    if twin.id == trip.id:
        return Outcome.STORED  # by an attempt whose commit was never heard of
    return Outcome.DUPLICATE if bytes(twin.content_hash) == trip.content_hash else Outcome.CONFLICT


def read_trip(conn: sa.Connection, trip_id: UUID) -> TripRecord | None:
    """The trip's record, None for an unknown id."""
    columns = [trip_logs.c[name] for name in TripRecord.__slots__]
    row = conn.execute(sa.select(*columns).where(trip_logs.c.id == trip_id)).mappings().one_or_none()
    return None if row is None else TripRecord(**{**row, "status": TripStatus(row["status"])})


def read_samples(conn: sa.Connection, trip_id: UUID) -> Samples | None:
    """The trip's samples, None for an unknown id and where they were removed; `t_s` is None where none were sent."""
    blob = sa.cast(trip_logs.c.telemetry_blob, sa.Text)
    text = conn.scalar(sa.select(blob).where(trip_logs.c.id == trip_id, trip_logs.c.samples_removed_at.is_(None)))
    return None if text is None else unpack(text)
