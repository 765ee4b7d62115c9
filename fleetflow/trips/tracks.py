"""A trip made even: cleaned, cut at its gaps, on one time step. What follows works on even tracks only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.clock import gap_limit_s, median_step_s

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray, Samples
    from fleetflow.trips.survey import Survey

UNEVEN = 0.1
"""A sample that is off its place by more than this share of a step makes the track uneven: it is resampled."""
BURSTS = 2.0
"""Where samples are this much rarer than their median step says, they come in bursts: the median is no rate."""
FINEST_STEP_S = 0.005
"""200 Hz: nothing a vehicle does is faster, and the cost of smoothing grows with the rate."""
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
    """The tracks of a trip; `step_s` is that of the trip, a track's own may differ from it by UNEVEN.

    Without a clock a sample is the unit of time and `has_clock` is False.
    """

    tracks: list[Track]
    step_s: float
    has_clock: bool
    smoothable: bool


def make_even(samples: Samples, seen: Survey | None = None) -> EvenTrip:
    """Sort by time, drop repeated times and missing accelerations, cut at gaps, resample what is uneven.

    `seen` is the trip's survey, for those who have it already; what is even as it came is not gone through again.
    There are never more than a few even samples for each one that came, whatever the times are.
    """
    if seen is not None and samples.t_s is not None and _is_even(seen):
        lat_g = np.zeros(len(samples)) if samples.g_force_lat is None else samples.g_force_lat
        start_s, end_s = float(samples.t_s[0]), float(samples.t_s[-1])
        track = Track(start_s, seen.own_s, samples.g_force_long, lat_g, samples.speed_kmh)
        return EvenTrip([track], seen.step_s, has_clock=True, smoothable=end_s - start_s >= STEADY_S)
    has_clock = samples.t_s is not None
    t_s, columns = _clean(samples)
    step_s = _ordinary_step_s(t_s) if has_clock else None
    if step_s is None:  # no clock, or at most one sample is left
        tracks = [Track(float(t_s[0]), 1.0, *columns)] if t_s.size else []
        return EvenTrip(tracks, 1.0, has_clock=False, smoothable=False)
    cuts = np.flatnonzero(t_s[1:] - t_s[:-1] > gap_limit_s(step_s)) + 1
    bounds = [0, *cuts.tolist(), len(t_s)]
    tracks = [_even_track(t_s[start:end], columns[:, start:end], step_s) for start, end in pairwise(bounds)]
    return EvenTrip(tracks, step_s, has_clock=True, smoothable=bool(t_s[-1] - t_s[0] >= STEADY_S))


def _is_even(seen: Survey) -> bool:
    """Whether the trip is one track on its own mean step, as `_even_track` would find."""
    if seen.step_s < FINEST_STEP_S or seen.longest_s > gap_limit_s(seen.step_s):
        return False
    return max(abs(seen.own_s - seen.step_s), seen.uneven_s) <= UNEVEN * seen.step_s


def _clean(samples: Samples) -> tuple[FloatArray, FloatArray]:
    """Times that rise (numbers of samples without a clock); longitudinal g, lateral g and speed as rows, finite."""
    lat_g = np.zeros(len(samples)) if samples.g_force_lat is None else samples.g_force_lat
    columns = np.array([samples.g_force_long, lat_g, samples.speed_kmh])
    t_s = np.arange(len(samples), dtype=np.float64) if samples.t_s is None else samples.t_s
    if not np.all(t_s[1:] > t_s[:-1]):
        t_s, first = np.unique(t_s, return_index=True)
        columns = columns[:, first]
    if np.isfinite(columns).all():
        return t_s, columns
    kept = np.isfinite(columns[0])
    t_s, columns = t_s[kept], columns[:, kept]
    columns[1] = _bridged(t_s, columns[1])
    columns[2] = _interpolated(t_s, columns[2])
    return t_s, columns


def _interpolated(t_s: FloatArray, values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    return np.interp(t_s, t_s[known], values[known]) if known.any() else np.zeros_like(values)


def _bridged(t_s: FloatArray, values: FloatArray) -> FloatArray:
    """Interpolated over holes that are no gaps; 0 in longer ones, so that no pull lasts because it is not known."""
    known = t_s[np.isfinite(values)]
    if known.size == 0:
        return np.zeros_like(values)
    after = np.searchsorted(known, t_s)
    before = np.searchsorted(known, t_s, side="right") - 1
    hole_s = np.append(known, np.inf)[after] - np.append(known, -np.inf)[before]
    return np.where(hole_s <= gap_limit_s(_ordinary_step_s(t_s) or 1.0), _interpolated(t_s, values), 0.0)


def _ordinary_step_s(t_s: FloatArray) -> float | None:
    """The median step, or the mean one of samples that come in bursts; None when there are no steps."""
    median_s = median_step_s(t_s)
    if median_s is None:
        return None
    if t_s[-1] - t_s[0] <= BURSTS * median_s * (len(t_s) - 1):
        return max(median_s, FINEST_STEP_S)
    steps = t_s[1:] - t_s[:-1]
    mean_s = float(np.mean(steps[steps <= gap_limit_s(median_s)]))
    return max(mean_s if mean_s > BURSTS * median_s else median_s, FINEST_STEP_S)


def _even_track(t_s: FloatArray, columns: FloatArray, step_s: float) -> Track:
    """The track on its own mean step if every sample is near its place then, else resampled to `step_s`."""
    start_s, size = float(t_s[0]), len(t_s)
    own_s = (float(t_s[-1]) - start_s) / (size - 1) if size > 1 else step_s
    if abs(own_s - step_s) <= UNEVEN * step_s:
        places = start_s + own_s * np.arange(size)
        if np.all(np.abs(t_s - places) <= UNEVEN * step_s):
            return Track(start_s, own_s, *columns)
    grid = start_s + step_s * np.arange(int((t_s[-1] - start_s) / step_s + 1e-6) + 1)
    return Track(start_s, step_s, *(np.interp(grid, t_s, column) for column in columns))
