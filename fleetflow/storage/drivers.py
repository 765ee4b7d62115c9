"""One driver: who he is, what he drove, and which events he had. Unusable trips are left out, as in the ranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleetflow.storage.frames import frame_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    import pandas as pd

    from fleetflow.safety.events import EventKind

CARD = """
SELECT telemetry.shown_name(driver.name), driver.group_name,
       (SELECT vehicle.vehicle_class FROM telemetry.trip_logs AS trip
        JOIN telemetry.vehicles AS vehicle ON vehicle.id = trip.vehicle_id
        WHERE trip.driver_id = driver.id AND vehicle.vehicle_class IS NOT NULL
        GROUP BY vehicle.vehicle_class
        ORDER BY sum(trip.distance_km) DESC NULLS LAST, vehicle.vehicle_class LIMIT 1) AS vehicle_class
FROM telemetry.drivers AS driver WHERE driver.id = :driver_id
"""
TRIPS = """
SELECT trip.id::text AS trip_id, trip.started_at, COALESCE(trip.started_at, trip.received_at) AS began_at,
       trip.duration_s, trip.distance_km, trip.band_km[1] AS town_km, trip.band_km[2] AS country_km,
       trip.band_km[3] AS motorway_km
FROM telemetry.trip_logs AS trip
WHERE trip.driver_id = :driver_id AND trip.status = 'COMPLETED' AND trip.quality IS DISTINCT FROM 'unusable'
  AND (CAST(:since AS timestamptz) IS NULL OR COALESCE(trip.started_at, trip.received_at) >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR COALESCE(trip.started_at, trip.received_at) < :until)
ORDER BY began_at, trip.id
"""
# What an event was judged to be at a moment is the last review before it.
EVENTS = """
SELECT trip.id::text AS trip_id, COALESCE(trip.started_at, trip.received_at) AS began_at,
       trip.started_at + event.peak_s * interval '1 second' AS peak_at, event.kind,
       CASE event.kind WHEN 'speeding' THEN event.speed_kmh ELSE event.peak_g END AS peak, event.speed_kmh,
       vehicle.vehicle_class, event.doubts <> '{}' AS doubtful, event.review,
       (SELECT past.review FROM telemetry.event_reviews AS past
        WHERE past.event_id = event.id AND past.created_at < CAST(:known_at AS timestamptz)
        ORDER BY past.id DESC LIMIT 1) AS review_then
FROM telemetry.trip_logs AS trip
JOIN telemetry.harsh_events AS event ON event.trip_id = trip.id
JOIN unnest(CAST(:kinds AS text[]), CAST(:floors AS float8[])) AS floor (kind, peak) ON floor.kind = event.kind
LEFT JOIN telemetry.vehicles AS vehicle ON vehicle.id = trip.vehicle_id
WHERE trip.driver_id = :driver_id AND trip.status = 'COMPLETED' AND trip.quality IS DISTINCT FROM 'unusable'
  AND (CAST(:since AS timestamptz) IS NULL OR COALESCE(trip.started_at, trip.received_at) >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR COALESCE(trip.started_at, trip.received_at) < :until)
  AND CASE event.kind WHEN 'speeding' THEN event.speed_kmh ELSE event.peak_g END > floor.peak
ORDER BY began_at, event.id
"""
MOMENTS = ("started_at", "began_at", "peak_at")
TEXTS = ("trip_id", "kind", "vehicle_class", "review", "review_then")


@dataclass(frozen=True, slots=True)
class DriverCard:
    """Who a driver is; the class is that of the vehicles in which he drove most, each None where nobody said."""

    name: str | None
    group_name: str | None
    vehicle_class: str | None


def read_driver(conn: sa.Connection, driver_id: UUID) -> DriverCard | None:
    """Who the driver is; None when the id is unknown."""
    row = conn.execute(sa.text(CARD), {"driver_id": driver_id}).one_or_none()
    return None if row is None else DriverCard(*row)


def read_driver_trips(
    conn: sa.Connection, driver_id: UUID, *, since: datetime | None = None, until: datetime | None = None
) -> pd.DataFrame:
    """The analysed trips that began in a period, in order.

    Columns: trip_id, started_at (missing where the points carry no date), began_at (then when it was received),
    duration_s, distance_km, and town_km, country_km and motorway_km, what was driven in each speed band.
    """
    return _frame(conn, TRIPS, {"driver_id": driver_id, "since": since, "until": until})


def read_driver_events(
    conn: sa.Connection, driver_id: UUID, floors: Mapping[EventKind, float], *,
    since: datetime | None = None, until: datetime | None = None, known_at: datetime | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The events of these trips whose peaks are above the floor of their kind (g; km/h for speeding).

    Columns: trip_id, began_at, peak_at (missing without a date), kind, peak, speed_kmh, vehicle_class, doubtful,
    review, and review_then, what the review was at `known_at`.
    """
    values = {
        "driver_id": driver_id, "since": since, "until": until, "known_at": known_at,
        "kinds": [kind.value for kind in floors], "floors": list(floors.values()),
    }  # fmt: skip
    return _frame(conn, EVENTS, values)


def _frame(conn: sa.Connection, statement: str, values: Mapping[str, object]) -> pd.DataFrame:
    """The result with the types of its columns even when there is no row; a text that is not there is None."""
    frame = frame_of(conn.execute(sa.text(statement), values))
    frame = frame.astype({name: _dtype(name) for name in frame.columns})
    texts = [name for name in TEXTS if name in frame]
    return frame.assign(**{name: frame[name].where(frame[name].notna(), None) for name in texts})


def _dtype(name: str) -> str:
    if name in MOMENTS:
        return "datetime64[us, UTC]"
    if name == "doubtful":
        return "bool"
    return "object" if name in TEXTS else "float64"
