"""Whether a trip's acceleration and its speed tell the same story; one number per trip decides what may lean on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.clock import GAP_S, gap_limit_s

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from fleetflow.trips.samples import FloatArray, Samples
    from fleetflow.trips.survey import Survey

    BoolArray = npt.NDArray[np.bool_]
    IndexArray = npt.NDArray[np.intp]

G_MS2 = 9.80665
KMH_PER_MS = 3.6
GRID_S = 1
WINDOW_S = 4  # plateau 3-10 s
FURTHEST_S = 2  # a speed comes up to two seconds late
LAGS_S = (0, -1, 1, -2, 2)
STANDING_MS = 0.3  # standing at both ends of a window says nothing about the acceleration within it
LEAST_S = WINDOW_S + 2 * FURTHEST_S  # for one window that has every lag
MIN_WINDOWS = 60
MIN_SPREAD_MS = 0.5  # of the change of speed over a window: less is rounding
MIN_TRUSTED_R = 0.5  # 23 of 24 real drives pass, lateral taken for longitudinal passes none
TRUSTED_RATIO = 0.5, 2.0  # 0.99-1.61 on real drives
MIN_EVIDENCE_KMH = 1.0
"""A speed that varies less over a whole trip is a filler value, and proves nothing."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the integral of `g_force_long` compares with the change of speed over the same four seconds.

    `r` is their correlation, `ratio` the first's spread over the second's, `spread_ms` the second's (m/s), all
    at the lag where |r| is largest and over `windows` windows; r and ratio are None where one does not vary.
    """

    windows: int = 0
    spread_ms: float = 0.0
    r: float | None = None
    ratio: float | None = None
    lag_s: int = 0

    @property
    def has_driving(self) -> bool:
        """Whether the speed changed often and far enough to compare anything with it."""
        return self.windows >= MIN_WINDOWS and self.spread_ms >= MIN_SPREAD_MS

    @property
    def judged(self) -> bool:
        """Whether there is enough driving to tell, and an acceleration that varies."""
        return self.r is not None and self.has_driving

    @property
    def trusted(self) -> bool:
        """Whether the speed may confirm or doubt an event and show the sensor's offset."""
        if not self.judged or self.r is None or self.ratio is None:
            return False
        return self.r >= MIN_TRUSTED_R and TRUSTED_RATIO[0] <= self.ratio <= TRUSTED_RATIO[1]


@dataclass(frozen=True, slots=True, eq=False)
class _Seconds:
    """A trip on a grid of one second: what the acceleration gained so far, the speed, and where a gap reaches into.

    `broken` says so of each second up to the next one; of the last it is always True, so that no window leaves a trip.
    """

    gained_ms: FloatArray
    speed_ms: FloatArray
    broken: BoolArray


def agreement(samples: Samples) -> Agreement:
    """Compare acceleration with speed on a grid of one second; the speed may come up to two seconds late or early.

    A trip without a clock, or too short for one window, is `Agreement()`: not judged, not trusted.
    """
    return agreements([samples], [None])[0]


def agreements(batch: Sequence[Samples], surveys: Sequence[Survey | None]) -> list[Agreement]:
    """The same of many trips in one pass, which costs far less than each alone and gives the same."""
    seconds = [_seconds(samples, seen) for samples, seen in zip(batch, surveys, strict=True)]
    compared = iter(_compare([each for each in seconds if each is not None]))
    return [Agreement() if each is None else next(compared) for each in seconds]


def _seconds(samples: Samples, seen: Survey | None) -> _Seconds | None:
    if samples.t_s is None or samples.t_s[-1] - samples.t_s[0] < LEAST_S:
        return None
    gain, speed = _signals(samples.t_s, samples, whole=seen is not None)
    if gain is None or speed is None:
        return None
    start_s, end_s = max(gain[0][0], speed[0][0]), min(gain[0][-1], speed[0][-1])
    grid_s = start_s + GRID_S * np.arange(max(int((end_s - start_s) / GRID_S + 1e-6) + 1, 0))
    if len(grid_s) <= LEAST_S:
        return None
    gained_ms = np.interp(grid_s, gain[0], _integral(*gain)) * G_MS2
    speed_ms = np.interp(grid_s, *speed) / KMH_PER_MS
    broken = _gap_seconds(grid_s, gain[0], None if seen is None else seen.longest_s)
    if speed[0] is not gain[0]:
        broken |= _gap_seconds(grid_s, speed[0])
    return _Seconds(gained_ms, speed_ms, broken)


def _signals(
    t_s: FloatArray, samples: Samples, *, whole: bool
) -> tuple[tuple[FloatArray, FloatArray] | None, tuple[FloatArray, FloatArray] | None]:
    """What is known of acceleration and speed, each with its times, which rise; all of it for a whole trip."""
    if whole:
        return (t_s, samples.g_force_long), (t_s, samples.speed_kmh)
    t_s, gain_g, speed_kmh = _in_order(t_s, samples.g_force_long, samples.speed_kmh)
    return _known(t_s, gain_g), _known(t_s, speed_kmh)


def is_evidence(speed_kmh: FloatArray) -> bool:
    """Whether a speed varies enough to be a measurement rather than a filler value; NaN are left out."""
    finite = np.isfinite(speed_kmh)
    known = speed_kmh if finite.all() else speed_kmh[finite]
    return known.size > 0 and float(known.std()) >= MIN_EVIDENCE_KMH


def _in_order(t_s: FloatArray, *columns: FloatArray) -> tuple[FloatArray, ...]:
    """Times that rise, the first row of each, with their columns."""
    if np.all(t_s[1:] > t_s[:-1]):
        return t_s, *columns
    t_s, first = np.unique(t_s, return_index=True)
    return t_s, *(column[first] for column in columns)


def _known(t_s: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """The finite values with their times; None for fewer than two."""
    known = np.isfinite(values)
    if not known.all():
        t_s, values = t_s[known], values[known]
    return (t_s, values) if t_s.size > 1 else None


def _integral(t_s: FloatArray, values: FloatArray) -> FloatArray:
    """From the first time to each, by the trapezoid rule."""
    total = np.zeros_like(values)
    np.cumsum((values[1:] + values[:-1]) / 2 * (t_s[1:] - t_s[:-1]), out=total[1:])
    return total


def _gap_seconds(grid_s: FloatArray, t_s: FloatArray, longest_s: float | None = None) -> BoolArray:
    """For each second of the grid whether a gap reaches into it, and True for the last."""
    broken = np.zeros(len(grid_s), dtype=bool)
    broken[-1] = True
    if longest_s is not None and longest_s <= GAP_S:
        return broken
    steps_s = t_s[1:] - t_s[:-1]
    if steps_s.max() <= GAP_S:  # saves the median
        return broken
    for before in np.flatnonzero(steps_s > gap_limit_s(float(np.median(steps_s)))).tolist():
        first, last = np.searchsorted(grid_s, t_s[before : before + 2])
        broken[max(first - 1, 0) : last] = True
    return broken


def _compare(trips: Sequence[_Seconds]) -> list[Agreement]:
    """The trips lie one after the other in flat arrays, a window per second that it begins in."""
    if not trips:
        return []
    gained_ms, speed_ms = (np.concatenate(each) for each in ([t.gained_ms for t in trips], [t.speed_ms for t in trips]))
    gain, change = (each[WINDOW_S:] - each[:-WINDOW_S] for each in (gained_ms, speed_ms))
    breaks = np.concatenate([[0], np.cumsum(np.concatenate([trip.broken for trip in trips]))])
    whole = breaks[WINDOW_S:-1] == breaks[: -WINDOW_S - 1]
    moving = (speed_ms[WINDOW_S:] >= STANDING_MS) | (speed_ms[:-WINDOW_S] >= STANDING_MS)
    sizes = np.array([len(trip.speed_ms) for trip in trips])
    windows = sizes - WINDOW_S - 2 * FURTHEST_S  # of each trip, those that have every lag
    firsts = np.cumsum(windows) - windows
    at = np.repeat(np.cumsum(sizes) - sizes + FURTHEST_S - firsts, windows) + np.arange(windows.sum())
    lagged = at + np.array(LAGS_S)[:, np.newaxis]
    used = whole[at] & (whole & moving)[lagged]
    means = (np.repeat(np.add.reduceat(each[at], firsts) / windows, windows) for each in (gain, change))
    mean_gain, mean_change = means  # taken off, so that the sums that follow are exact enough
    return _closest(gain[at] - mean_gain, change[lagged] - mean_change, used, firsts)


def _closest(gain: FloatArray, change: FloatArray, used: BoolArray, firsts: IndexArray) -> list[Agreement]:
    """Each trip's agreement at the lag with the largest |r|, of equal ones the shorter. Every lag is one row."""
    weights = used.astype(np.float64)
    windows = _summed(weights, firsts)
    count = np.maximum(windows, 1.0)
    of_gain, of_change = weights * gain, weights * change
    mean_gain, mean_change = _summed(of_gain, firsts) / count, _summed(of_change, firsts) / count
    spread_gain = np.sqrt(np.maximum(_summed(of_gain * gain, firsts) / count - mean_gain**2, 0.0))
    spread_change = np.sqrt(np.maximum(_summed(of_change * change, firsts) / count - mean_change**2, 0.0))
    common = _summed(of_gain * change, firsts) / count - mean_gain * mean_change
    varies = (spread_gain > 0) & (spread_change > 0)
    r = np.divide(common, spread_gain * spread_change, out=np.zeros_like(common), where=varies)
    ratio = np.divide(spread_gain, spread_change, out=np.zeros_like(common), where=varies)
    best = np.argmax(np.abs(r), axis=0)
    trips = range(len(firsts))
    columns = [each[best, trips].tolist() for each in (windows, spread_change, r, ratio, varies)]
    return [
        Agreement(int(seen), spread, own_r if known else None, own_ratio if known else None, LAGS_S[lag])
        for seen, spread, own_r, own_ratio, known, lag in zip(*columns, best.tolist(), strict=True)
    ]


def _summed(values: FloatArray, firsts: IndexArray) -> FloatArray:
    """By lag (rows) and trip."""
    total: FloatArray = np.add.reduceat(values, firsts, axis=1)
    return total
