"""Samples as bytes: the columnar JSON that is stored, and the fingerprint by which a trip is known again."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import orjson

from fleetflow.trips.samples import FROM_SPEED, OPTIONAL_CHANNELS, REQUIRED_CHANNELS, FloatArray, Samples, Trip

if TYPE_CHECKING:
    from datetime import datetime

COLUMNS = ("t_s", *REQUIRED_CHANNELS, *OPTIONAL_CHANNELS)


def pack(samples: Samples) -> bytes:
    """The columns as a JSON object of arrays, absent channels left out, missing values null, floats exact."""
    source = {"g_source": FROM_SPEED} if samples.g_from_speed else {}
    return orjson.dumps({**dict(_present(samples)), **source}, option=orjson.OPT_SERIALIZE_NUMPY)


def unpack(blob: bytes | str) -> Samples:
    """What `pack` packed."""
    columns = orjson.loads(blob)
    arrays = {name: np.array(columns[name], dtype=np.float64) for name in COLUMNS if name in columns}
    return Samples(**arrays, g_from_speed=columns.get("g_source") == FROM_SPEED)


def fingerprint(trip: Trip) -> bytes:
    """SHA-256 over whose trip it is, when it was and every value: equal however the trip was written."""
    started = trip.started_at.timestamp() if trip.started_at else None
    parts = [f"{trip.vehicle_id}/{trip.driver_id}/{started!r}/{trip.sample_hz!r}".encode()]
    for name, column in _present(trip.samples):
        parts += (f"/{name}/".encode(), column.tobytes())
    if trip.samples.g_from_speed:
        parts.append(b"/g_source/speed")
    # At once: each call for a long column lets another thread go first.
    return hashlib.sha256(b"".join(parts)).digest()


def ended_at(trip: Trip) -> datetime | None:
    """When the last point was taken; None when the trip has no date or no clock."""
    samples = trip.samples
    if trip.started_at is None:
        return None
    if samples.t_s is not None:
        return trip.started_at + timedelta(seconds=float(samples.t_s[-1]))
    if trip.sample_hz is not None:
        return trip.started_at + timedelta(seconds=(len(samples) - 1) / trip.sample_hz)
    return None


def _present(samples: Samples) -> list[tuple[str, FloatArray]]:
    columns = ((name, getattr(samples, name)) for name in COLUMNS)
    return [(name, column) for name, column in columns if column is not None]
