"""A trip as the contract's JSON: what a vehicle would send. The decoder's counterpart."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from fleetflow.trips.samples import FROM_SPEED, OPTIONAL_CHANNELS, REQUIRED_CHANNELS

if TYPE_CHECKING:
    from datetime import datetime

    from fleetflow.trips.samples import FloatArray, Trip

ROUNDING_S = 1e-6
"""Times are sent to the microsecond, so steps that differ by less are equal."""


def encode_trip(trip: Trip) -> bytes:
    """The trip's JSON. Times are sent per point, or as `sample_hz` where they follow from it.

    Raises ValueError for times without a date to count from.
    """
    head: dict[str, Any] = {"vehicle_id": str(trip.vehicle_id), "driver_id": str(trip.driver_id)}
    if trip.started_at is not None:
        head["timestamp"] = trip.started_at.isoformat()
    if trip.sample_hz is not None:
        head["sample_hz"] = trip.sample_hz
    if trip.samples.g_from_speed:
        head["g_source"] = FROM_SPEED
    return orjson.dumps({**head, "data": _points(trip)})


def _points(trip: Trip) -> list[dict[str, Any]]:
    columns: dict[str, list[Any]] = {}
    has_holes = False
    for name in (*REQUIRED_CHANNELS, *OPTIONAL_CHANNELS):
        column: FloatArray | None = getattr(trip.samples, name)
        if column is not None:
            columns[name] = column.tolist()
            has_holes = has_holes or bool(np.isnan(column).any())
    times = _timestamps(trip)
    if times is not None:
        columns["timestamp"] = times
    rows = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))
    return [_without_holes(row) for row in rows] if has_holes else list(rows)


def _without_holes(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value == value}  # noqa: PLR0124  # only NaN differs from itself


def _timestamps(trip: Trip) -> list[datetime] | None:
    t_s = trip.samples.t_s
    if t_s is None or (trip.sample_hz is not None and _follows(t_s, trip.sample_hz)):
        return None
    if trip.started_at is None:
        raise ValueError("A trip with times of its own needs a date to count them from.")
    started_at = trip.started_at
    return [started_at + timedelta(seconds=second) for second in t_s.tolist()]


def _follows(t_s: FloatArray, sample_hz: float) -> bool:
    return bool(np.abs(t_s - np.arange(len(t_s)) / sample_hz).max() < ROUNDING_S)
