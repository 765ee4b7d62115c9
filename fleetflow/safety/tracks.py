"""A trip made even: cleaned, cut at its gaps, on one time step. What follows works on even tracks only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.clock import gap_limit_s, median_step_s

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray, Samples

UNEVEN = 0.1
"""A step that is off the median by more than this share of it makes the track uneven: it is resampled."""
STEADY_S = 30.0
"""A trip needs this much clock to be smoothed; a shorter one is judged by its samples as they are."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A stretch without a gap, sampled every `step_s` from `start_s`; columns of equal length, finite."""

    start_s: float
    step_s: float
    long_g: FloatArray
    lat_g: FloatArray
    speed_kmh: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class EvenTrip:
    """The tracks of a trip. Without a clock a sample is the unit of time and `has_clock` is False."""

    tracks: list[Track]
    step_s: float
    has_clock: bool
    smoothable: bool


def make_even(samples: Samples) -> EvenTrip:
    """Sort by time, drop repeated times and missing accelerations, cut at gaps, resample what is uneven."""
    columns = _columns(samples)
    if samples.t_s is None:
        return _without_clock(columns[:, np.isfinite(columns[0])], start_s=0.0)
    t_s, cleaned = _clean(samples.t_s, columns)
    step_s = median_step_s(t_s)
    if step_s is None:  # at most one sample is left
        return _without_clock(cleaned, start_s=float(samples.t_s[0]))
    cuts = np.flatnonzero(np.diff(t_s) > gap_limit_s(step_s)) + 1
    bounds = [0, *cuts.tolist(), len(t_s)]
    tracks = [_even_track(t_s[start:end], cleaned[:, start:end], step_s) for start, end in pairwise(bounds)]
    return EvenTrip(tracks, step_s, has_clock=True, smoothable=bool(t_s[-1] - t_s[0] >= STEADY_S))


def _without_clock(columns: FloatArray, start_s: float) -> EvenTrip:
    tracks = [Track(start_s, 1.0, *columns)] if columns.size else []
    return EvenTrip(tracks, 1.0, has_clock=False, smoothable=False)


def _columns(samples: Samples) -> FloatArray:
    """Longitudinal g, lateral g and speed as rows; a missing lateral pull or speed is filled from its neighbours."""
    lat = samples.g_force_lat
    lat_g = np.zeros(len(samples)) if lat is None else _filled(lat)
    return np.stack([samples.g_force_long, lat_g, _filled(samples.speed_kmh)])


def _filled(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    if known.all():
        return values
    if not known.any():
        return np.zeros_like(values)
    index = np.arange(len(values))
    return np.interp(index, index[known], values[known])


def _clean(t_s: FloatArray, columns: FloatArray) -> tuple[FloatArray, FloatArray]:
    if np.any(np.diff(t_s) < 0):
        order = np.argsort(t_s, kind="stable")
        t_s, columns = t_s[order], columns[:, order]
    kept = np.isfinite(columns[0])
    kept[1:] &= np.diff(t_s) > 0
    return (t_s, columns) if kept.all() else (t_s[kept], columns[:, kept])


def _even_track(t_s: FloatArray, columns: FloatArray, step_s: float) -> Track:
    start_s = float(t_s[0])
    if np.any(np.abs(np.diff(t_s) - step_s) > UNEVEN * step_s):
        grid = start_s + step_s * np.arange(int((t_s[-1] - start_s) / step_s + 1e-6) + 1)
        columns = np.stack([np.interp(grid, t_s, column) for column in columns])
    return Track(start_s, step_s, *columns)
