"""Many trips and their events as columns, to be judged at once: read in binary, straight into numpy.

A million rows as Python objects take seconds and a gigabyte; as fixed-width binary they take neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import psycopg

from fleetflow.errors import StorageUnavailableError
from fleetflow.safety.judging import CLASSES, KINDS, EventColumns, TripColumns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import sqlalchemy as sa

COPY_HEADER_BYTES, COPY_TRAILER_BYTES = 19, 2
PG_TYPES = {"int2": ">i2", "int4": ">i4", "float8": ">f8", "uuid": "V16"}

CHOSEN = """
SELECT trip.*, COALESCE(started_at, received_at) AS began_at,
       (row_number() OVER (ORDER BY trip.id) - 1)::int4 AS row
FROM telemetry.trip_logs AS trip LEFT JOIN telemetry.drivers AS driver ON driver.id = trip.driver_id
WHERE status = 'COMPLETED' AND {condition}
"""
TRIPS = """
SELECT chosen.id, chosen.driver_id, (dense_rank() OVER (ORDER BY chosen.driver_id) - 1)::int4,
       COALESCE(array_position(%(classes)s::text[], vehicle.vehicle_class::text) - 1, 0)::int2,
       (timezone(%(zone)s, began_at)::date - DATE '2000-01-01')::int4,
       COALESCE(distance_km, 'NaN'), COALESCE(duration_s, 'NaN'),
       (quality IS DISTINCT FROM 'unusable' AND duration_s IS NOT NULL)::int4::int2
FROM chosen LEFT JOIN telemetry.vehicles AS vehicle ON vehicle.id = chosen.vehicle_id
ORDER BY chosen.row
"""
TRIP_FIELDS = ("uuid", "uuid", "int4", "int2", "int4", "float8", "float8", "int2")
EVENTS = """
SELECT chosen.row, (array_position(%(kinds)s::text[], kind::text) - 1)::int2,
       CASE kind WHEN 'speeding' THEN event.speed_kmh ELSE event.peak_g END,
       (CASE WHEN review IS NULL THEN CASE WHEN doubts = '{}' THEN 0 ELSE 1 END
             WHEN review = 'confirmed' THEN 2 ELSE 3 END)::int2
FROM chosen JOIN telemetry.harsh_events AS event ON event.trip_id = chosen.id
"""
EVENT_FIELDS = ("int4", "int2", "float8", "int2")
BY_IDS = "trip.id = ANY(%(ids)s::uuid[])"
BY_PERIOD = """(%(since)s::timestamptz IS NULL OR COALESCE(started_at, received_at) >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR COALESCE(started_at, received_at) < %(until)s)
    AND (%(group_name)s::text IS NULL OR driver.group_name = %(group_name)s)
    AND (%(vehicle_class)s::text IS NULL
         OR vehicle_id IN (SELECT id FROM telemetry.vehicles WHERE vehicle_class = %(vehicle_class)s))"""


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """Trips in the order of their ids with their events; `driver_ids` are the drivers by number (16 bytes each)."""

    trip_ids: npt.NDArray[np.void]
    driver_ids: npt.NDArray[np.void]
    trips: TripColumns
    events: EventColumns


def read_fleet(
    conn: sa.Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    group_name: str | None = None,
    vehicle_class: str | None = None,
    zone: str = "UTC",
) -> Fleet:
    """The analysed trips that began in a period, of a group of drivers, a class of vehicles or all.

    Days are those of the IANA zone.

    The two statements must see the same trips: use it inside `fleetflow.storage.database.snapshot`.
    """
    values = {
        "since": since, "until": until, "group_name": group_name, "vehicle_class": vehicle_class, "zone": zone,
    }  # fmt: skip
    return _read(conn, BY_PERIOD, values)


def read_trips_of(conn: sa.Connection, trip_ids: Sequence[UUID]) -> Fleet:
    """The trips of these ids, which nobody deletes meanwhile; days are UTC's."""
    return _read(conn, BY_IDS, {"ids": list(trip_ids), "zone": "UTC"})


def as_uuids(values: npt.NDArray[np.void]) -> list[UUID]:
    """Ids from columns as ids for people and statements."""
    return [UUID(bytes=value.tobytes()) for value in values]


def _read(conn: sa.Connection, condition: str, values: Mapping[str, Any]) -> Fleet:
    chosen = f"WITH chosen AS MATERIALIZED ({CHOSEN.format(condition=condition)})"
    values = {**values, "kinds": list(KINDS), "classes": list(CLASSES)}
    trip = _copy(conn, chosen + TRIPS, values, TRIP_FIELDS)
    event = _copy(conn, chosen + EVENTS, values, EVENT_FIELDS)
    driver = trip["f2"].astype(np.int32)
    _, first = np.unique(driver, return_index=True)
    trips = TripColumns(
        driver=driver,
        vehicle_class=trip["f3"].astype(np.int8),
        day=trip["f4"].astype(np.int32),
        distance_km=trip["f5"].astype(np.float64),
        duration_s=trip["f6"].astype(np.float64),
        usable=trip["f7"].astype(np.bool_),
    )
    events = EventColumns(
        trip=event["f0"].astype(np.int32),
        kind=event["f1"].astype(np.int8),
        peak=event["f2"].astype(np.float64),
        standing=event["f3"].astype(np.int8),
    )
    return Fleet(trip["f0"].copy(), trip["f1"][first].copy(), trips, events)


def _copy(conn: sa.Connection, select: str, values: Mapping[str, Any], types: Sequence[str]) -> npt.NDArray[np.void]:
    """The rows of a statement whose columns are of fixed width and never null; `f0`, `f1`, ... are its columns."""
    row = np.dtype([("size", ">i2"), *_fields(types)])
    driver: Any = conn.connection.driver_connection
    try:
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY ({select}) TO STDOUT (FORMAT binary)", values) as copy,
        ):
            content = b"".join(copy)
    except psycopg.OperationalError as error:
        raise StorageUnavailableError("The database does not answer.") from error
    return np.frombuffer(content, row, offset=COPY_HEADER_BYTES, count=_rows(content, row.itemsize))


def _fields(types: Sequence[str]) -> list[tuple[str, str]]:
    return [
        field for number, name in enumerate(types) for field in ((f"n{number}", ">i4"), (f"f{number}", PG_TYPES[name]))
    ]


def _rows(content: bytes, width: int) -> int:
    return (len(content) - COPY_HEADER_BYTES - COPY_TRAILER_BYTES) // width
