"""On what roads harsh events happen: what a kilometre in each speed band costs the fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.events import EventKind
from fleetflow.safety.judging import CLASSES, KINDS, EventColumns, is_harsh
from fleetflow.safety.whatif.rules import rules_of
from fleetflow.storage import profiles
from fleetflow.storage.columnar import read_columns
from fleetflow.storage.fleet import CLASSED_VEHICLES, KIND_OF_LETTER
from fleetflow.trips.survey import BAND_EDGES_KMH

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa

    from fleetflow.trips.samples import FloatArray

# Speeding is left out: how fast somebody drives is not the road's doing.
EVENTS = f"""
SELECT ascii(event.kind) AS kind, event.peak_g, COALESCE(event.speed_kmh, 'NaN') AS speed_kmh,
       COALESCE(vehicle.class, 0) AS vehicle_class,
       CASE WHEN review IS NOT NULL THEN CASE review WHEN 'confirmed' THEN 2 ELSE 3 END
            WHEN array_ndims(doubts) IS NULL THEN 0 ELSE 1 END AS standing
FROM telemetry.trip_logs AS trip
JOIN telemetry.harsh_events AS event ON event.trip_id = trip.id
LEFT JOIN {CLASSED_VEHICLES} AS vehicle ON vehicle.id = trip.vehicle_id
WHERE trip.status = 'COMPLETED' AND trip.quality IS DISTINCT FROM 'unusable' AND trip.band_km IS NOT NULL
  AND event.kind <> 'speeding' AND event.peak_g > %(above_g)s
  AND (%(since)s::timestamptz IS NULL OR COALESCE(trip.started_at, trip.received_at) >= %(since)s)
  AND (%(vehicle_class)s::text IS NULL
       OR trip.vehicle_id IN (SELECT id FROM telemetry.vehicles WHERE vehicle_class = %(vehicle_class)s))
"""  # noqa: S608 - a constant
TYPES = {"kind": "int2", "peak_g": "float8", "speed_kmh": "float8", "vehicle_class": "int2", "standing": "int2"}


def read_band_points(
    conn: sa.Connection,
    profile_version: int,
    *,
    since: datetime | None = None,
    vehicle_class: str | None = None,
) -> FloatArray:
    """The fleet's penalty points in each speed band (slow to fast, see BAND_EDGES_KMH) by the speed at the event.

    Caps are left out, since they are a trip's and not a road's. Raises ProfileMissingError.
    """
    profile = profiles.read_profile(conn, profile_version).profile
    rules = rules_of(profile)
    above_g = float(np.delete(rules.thresholds, KINDS.index(EventKind.SPEEDING), axis=0).min())
    values = {"since": since, "vehicle_class": vehicle_class, "above_g": above_g, "classes": list(CLASSES)}
    event = read_columns(conn, EVENTS, values, TYPES)
    kind, of_class = KIND_OF_LETTER[event["kind"]], event["vehicle_class"].astype(np.int8)
    each = np.arange(len(kind), dtype=np.int32)  # every event is a trip of its own here: only its class matters
    columns = EventColumns(each, kind, event["peak_g"], event["standing"].astype(np.int8))
    counts = is_harsh(columns, of_class, profile) & np.isfinite(event["speed_kmh"])
    band = np.searchsorted(BAND_EDGES_KMH, event["speed_kmh"][counts], side="right")
    points = rules.penalties[kind[counts], of_class[counts]]
    return np.bincount(band, points, len(BAND_EDGES_KMH) + 1).astype(np.float64)
