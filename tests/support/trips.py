"""Made-up trips for tests that care about the way of a trip, not about its driving."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from uuid_utils.compat import uuid7

from fleetflow.storage.trips import NewTrip
from fleetflow.trips.columns import fingerprint, pack
from fleetflow.trips.samples import Samples, Trip

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def new_trip(g_force_long: Sequence[float] = (0.1, -0.5), **changes: Any) -> NewTrip:
    """A trip of a new vehicle and driver, at 50 km/h throughout, ready to be stored."""
    samples = Samples(speed_kmh=np.full(len(g_force_long), 50.0), g_force_long=np.array(g_force_long, dtype=np.float64))
    trip = Trip(uuid.uuid4(), uuid.uuid4(), samples, started_at=NOON, sample_hz=10.0)
    values = {
        "id": uuid7(),
        "vehicle_id": trip.vehicle_id,
        "driver_id": trip.driver_id,
        "blob": pack(samples),
        "point_count": len(samples),
        "content_hash": fingerprint(trip),
        "started_at": trip.started_at,
        "sample_hz": trip.sample_hz,
    }
    return NewTrip(**{**values, **changes})


def trip_body(points: Sequence[dict[str, Any]] | None = None, **fields: Any) -> bytes:
    """The contract's JSON of a trip of a new vehicle and driver; the example that scores 95 unless told otherwise."""
    example = [{"speed_kmh": 50, "g_force_long": 0.1}, {"speed_kmh": 55, "g_force_long": -0.5}]
    identity = {"vehicle_id": str(uuid.uuid4()), "driver_id": str(uuid.uuid4())}
    return orjson.dumps({**identity, "data": example if points is None else points, **fields})
