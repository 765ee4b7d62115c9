"""Many trips and their events as columns, to be judged at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import numpy.typing as npt

from fleetflow.safety.events import EventKind
from fleetflow.safety.judging import CLASSES, KINDS, EventColumns, TripColumns
from fleetflow.safety.whatif.rules import rules_of
from fleetflow.storage.columnar import as_column, local_days, number_ids, read_columns

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa

    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.trips.samples import FloatArray

# Ahead of the join: once for each vehicle, not for each trip.
CLASSED_VEHICLES = """
(SELECT id, array_position(%(classes)s::text[], vehicle_class::text) - 1 AS class FROM telemetry.vehicles OFFSET 0)
"""
TRIPS = f"""
SELECT trip.id, trip.driver_id, COALESCE(started_at, received_at) AS began_at,
       COALESCE(vehicle.class, 0) AS vehicle_class,
       COALESCE(distance_km, 'NaN') AS distance_km, COALESCE(duration_s, 'NaN') AS duration_s,
       (quality IS DISTINCT FROM 'unusable' AND duration_s IS NOT NULL)::int4 AS usable
FROM telemetry.trip_logs AS trip
LEFT JOIN telemetry.drivers AS driver ON driver.id = trip.driver_id
LEFT JOIN {CLASSED_VEHICLES} AS vehicle ON vehicle.id = trip.vehicle_id
WHERE status = 'COMPLETED' AND {{condition}}
ORDER BY trip.id
"""  # noqa: S608 - a constant
TRIP_TYPES = {
    "id": "uuid", "driver_id": "uuid", "began_at": "timestamptz", "vehicle_class": "int2", "distance_km": "float8",
    "duration_s": "float8", "usable": "int2",
}  # fmt: skip
# What fits into one number is sent as one: each further column costs a fifth of a second per million events. The four
# kinds differ in their first letter.
EVENTS = """
SELECT (row_of_trip * 4 + CASE WHEN review IS NOT NULL THEN CASE review WHEN 'confirmed' THEN 2 ELSE 3 END
                               WHEN array_ndims(doubts) IS NULL THEN 0 ELSE 1 END) * 256 + ascii(kind) AS packed,
       CASE WHEN peak_g IS NULL THEN speed_kmh ELSE peak_g END AS peak
FROM {chosen} AS chosen (id, row_of_trip)
JOIN telemetry.harsh_events AS event ON event.trip_id = chosen.id
"""
EVENT_TYPES = {"packed": "int8", "peak": "float8"}
KIND_OF_LETTER = np.zeros(256, dtype=np.int8)
KIND_OF_LETTER[[ord(kind[0]) for kind in KINDS]] = range(len(KINDS))

ALL_OF_PERIOD = """
(SELECT trip.id, row_number() OVER (ORDER BY trip.id) - 1
 FROM telemetry.trip_logs AS trip LEFT JOIN telemetry.drivers AS driver ON driver.id = trip.driver_id
 WHERE status = 'COMPLETED' AND {condition})
"""
BY_IDS = "(SELECT id, row - 1 FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS _ (id, row))"
ABOVE = "WHERE CASE WHEN peak_g IS NULL THEN speed_kmh > %(above_kmh)s ELSE peak_g > %(above_g)s END"
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
    values = {"since": since, "until": until, "group_name": group_name, "vehicle_class": vehicle_class}
    trip = read_columns(conn, TRIPS.format(condition=BY_PERIOD), {**values, "classes": list(CLASSES)}, TRIP_TYPES)
    event = read_columns(conn, EVENTS.format(chosen=ALL_OF_PERIOD.format(condition=BY_PERIOD)), values, EVENT_TYPES)
    driver_ids, driver = number_ids(trip["driver_id"])
    trips = TripColumns(
        driver=driver.astype(np.int32),
        vehicle_class=trip["vehicle_class"].astype(np.int8),
        day=local_days(trip["began_at"], zone).astype(np.int32),
        distance_km=trip["distance_km"],
        duration_s=trip["duration_s"],
        usable=trip["usable"].astype(np.bool_),
    )
    return Fleet(trip["id"], driver_ids, trips, _events(event["packed"], event["peak"]))


def read_events_for(conn: sa.Connection, trip_ids: npt.NDArray[np.void], profile: ScoringProfile) -> EventColumns:
    """Of trips that nobody deletes meanwhile, in their order, the events that may be harsh under a profile."""
    thresholds = rules_of(profile).thresholds.min(axis=1)
    speeding = KINDS.index(EventKind.SPEEDING)
    above = {"above_kmh": float(thresholds[speeding]), "above_g": float(np.delete(thresholds, speeding).min())}
    values = {"ids": as_column(trip_ids, "uuid"), **above}
    event = read_columns(conn, EVENTS.format(chosen=BY_IDS) + ABOVE, values, EVENT_TYPES)
    return _events(event["packed"], event["peak"])


def as_uuids(values: npt.NDArray[np.void]) -> list[UUID]:
    """Ids from columns as ids for people and statements."""
    return [UUID(bytes=value.tobytes()) for value in values]


def _events(packed: npt.NDArray[np.int64], peak: FloatArray) -> EventColumns:
    return EventColumns(
        trip=(packed >> 10).astype(np.int32),
        kind=KIND_OF_LETTER[packed & 255],
        peak=peak,
        standing=(packed >> 8 & 3).astype(np.int8),
    )
