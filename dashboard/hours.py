"""The hours of the week: what a driver drove and which harsh events he had in each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray

SHAPE = (7, 24)  # Monday first
HOUR_S = 3600.0
DAYS_TO_MONDAY = 3  # 1 January 1970 was a Thursday
HOURS_PER_WEEK = 168


def distance_km(trips: pd.DataFrame, zone: str) -> FloatArray:
    """Kilometres by weekday and hour (7, 24), local time; a trip's are spread evenly over its duration.

    `trips` as drivers.read_driver_trips gives them; those without date, duration or distance are left out.
    """
    known = trips.dropna(subset=["started_at", "duration_s", "distance_km"])
    start_h = _local_hours(known["started_at"], zone)
    span_h = np.maximum(known["duration_s"].to_numpy(dtype=np.float64), 1.0) / HOUR_S
    pieces = (np.floor(start_h + span_h) - np.floor(start_h)).astype(np.intp) + 1
    trip = np.repeat(np.arange(len(known)), pieces)
    hour = np.floor(start_h)[trip] + np.arange(len(trip)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    inside_h = np.minimum(hour + 1, (start_h + span_h)[trip]) - np.maximum(hour, start_h[trip])
    km = known["distance_km"].to_numpy(dtype=np.float64)[trip] * np.maximum(inside_h, 0.0) / span_h[trip]
    return _table(hour, km)


def event_counts(moments: pd.Series[pd.Timestamp], zone: str) -> FloatArray:
    """Events by weekday and hour (7, 24), local time; those without a moment are left out."""
    hour = np.floor(_local_hours(moments.dropna(), zone))
    return _table(hour, np.ones(len(hour)))


def _table(hour: FloatArray, weight: FloatArray) -> FloatArray:
    """Sums over hours since 1970, folded into a week."""
    place = (hour.astype(np.int64) + 24 * DAYS_TO_MONDAY) % HOURS_PER_WEEK
    return np.bincount(place, weights=weight, minlength=HOURS_PER_WEEK).astype(np.float64).reshape(SHAPE)


def _local_hours(moments: pd.Series[pd.Timestamp], zone: str) -> FloatArray:
    local = moments.dt.tz_convert(zone).dt.tz_localize(None)
    seconds = (local - pd.Timestamp(0)).dt.total_seconds()
    return np.asarray(seconds.to_numpy(dtype=np.float64) / HOUR_S, dtype=np.float64)
