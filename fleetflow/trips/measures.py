"""Figures of a signal's shape that tell how it was recorded: lost time, a sensor's limit, shaking, impossible jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.agreement import G_MS2, KMH_PER_MS
from fleetflow.trips.clock import gap_limit_s

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray
    from fleetflow.trips.tracks import Track

JUMP_S = 1.0


def known(values: FloatArray) -> FloatArray:
    """Those that are not missing; all of them are not copied."""
    finite = np.isfinite(values)
    return values if finite.all() else values[finite]


def middle_of(values: FloatArray) -> float:
    """The median, by a tenth of the calls that numpy's takes."""
    ordered = np.sort(values)
    return float(ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]) / 2


def smoothed(values: FloatArray) -> FloatArray:
    """The median of each sample and its neighbours, then their mean; the ends have the other end for a neighbour."""
    if values.size < 5:  # noqa: PLR2004  # nothing to smooth
        return values
    around = np.concatenate([values[-1:], values, values[:1]])
    low, high = np.minimum(around[:-2], around[2:]), np.maximum(around[:-2], around[2:])
    steady = np.minimum(np.maximum(values, low), high)
    total: FloatArray = steady.copy()
    total[1:] += steady[:-1]
    total[:-1] += steady[1:]
    total[0] += steady[0]
    total[-1] += steady[-1]
    return total / 3


def share_missing(t_s: FloatArray, step_s: float) -> float:
    """The share of the time, from the first sample to the last, that lies in gaps; `t_s` must not fall."""
    steps_s = t_s[1:] - t_s[:-1]
    missing_s = float(steps_s[steps_s > gap_limit_s(step_s)].sum())
    return missing_s / float(t_s[-1] - t_s[0]) if missing_s else 0.0


def runs_at(values: FloatArray, limit: float) -> int:
    """How often a value is held over two samples or more."""
    at = np.concatenate([[False], values == limit, [False]])
    begins, ends = np.flatnonzero(at[1:] & ~at[:-1]), np.flatnonzero(at[:-1] & ~at[1:])
    return int(np.count_nonzero(ends - begins > 1))


def shaking_g(values: FloatArray) -> float:
    """What smoothing takes off, as rms."""
    taken_off = values - smoothed(values)
    return float(np.sqrt(np.dot(taken_off, taken_off) / max(taken_off.size, 1)))


def steepest_rise(track: Track) -> tuple[float, float]:
    """The largest gain of speed within a second (or one sample, if it is longer) as g, and what `long_g` shows then.

    The second is the largest size of `long_g` from a sample before to a sample after.
    """
    steps = max(round(JUMP_S / track.step_s), 1)
    if len(track.speed_kmh) <= steps:
        return 0.0, 0.0
    gained_kmh = track.speed_kmh[steps:] - track.speed_kmh[:-steps]
    at = int(np.argmax(gained_kmh))
    shown_g = np.abs(track.long_g[max(at - 1, 0) : at + steps + 2]).max()
    return float(gained_kmh[at]) / (KMH_PER_MS * G_MS2 * steps * track.step_s), float(shown_g)
