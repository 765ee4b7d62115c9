"""Whether a trip's acceleration and its speed tell the same story; one number per trip decides what may lean on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.clock import gap_limit_s, median_step_s

if TYPE_CHECKING:
    import numpy.typing as npt

    from fleetflow.trips.samples import FloatArray, Samples

G_MS2 = 9.80665
KMH_PER_MS = 3.6
GRID_S = 1
WINDOW_S = 4  # plateau 3-10 s
LAGS_S = range(-2, 3)  # a speed comes up to two seconds late
STANDING_MS = 0.3  # standing at both ends of a window says nothing about the acceleration within it
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
    def judged(self) -> bool:
        """Whether there is enough driving to tell."""
        return self.r is not None and self.windows >= MIN_WINDOWS and self.spread_ms >= MIN_SPREAD_MS

    @property
    def trusted(self) -> bool:
        """Whether the speed may confirm or doubt an event and show the sensor's offset."""
        if not self.judged or self.r is None or self.ratio is None:
            return False
        return self.r >= MIN_TRUSTED_R and TRUSTED_RATIO[0] <= self.ratio <= TRUSTED_RATIO[1]


def agreement(samples: Samples) -> Agreement:
    """Compare acceleration with speed on a grid of one second; the speed may come up to two seconds late or early.

    A trip without a clock, or too short for one window, is `Agreement()`: not judged, not trusted.
    """
    if samples.t_s is None:
        return Agreement()
    gain = _known(samples.t_s, samples.g_force_long)
    speed = _known(samples.t_s, samples.speed_kmh)
    if gain is None or speed is None:
        return Agreement()
    start_s, end_s = max(gain[0][0], speed[0][0]), min(gain[0][-1], speed[0][-1])
    grid_s = start_s + GRID_S * np.arange(max(int((end_s - start_s) / GRID_S + 1e-6) + 1, 0))
    if len(grid_s) <= WINDOW_S + LAGS_S.stop:
        return Agreement()
    gained_ms = np.interp(grid_s, gain[0], _integral(*gain)) * G_MS2
    speed_ms = np.interp(grid_s, *speed) / KMH_PER_MS
    broken = _gap_seconds(grid_s, gain[0]) + _gap_seconds(grid_s, speed[0])
    return _compare(gained_ms, speed_ms, broken)


def is_evidence(speed_kmh: FloatArray) -> bool:
    """Whether a speed varies enough to be a measurement rather than a filler value; NaN are left out."""
    known = speed_kmh[np.isfinite(speed_kmh)]
    return known.size > 0 and float(np.std(known)) >= MIN_EVIDENCE_KMH


def _known(t_s: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """Finite values in the order of their times, the first of each time; None for fewer than two."""
    known = np.isfinite(values)
    t_s, values = t_s[known], values[known]
    if np.any(np.diff(t_s) <= 0):
        t_s, first = np.unique(t_s, return_index=True)
        values = values[first]
    return (t_s, values) if t_s.size > 1 else None


def _integral(t_s: FloatArray, values: FloatArray) -> FloatArray:
    """From the first time to each, by the trapezoid rule."""
    total = np.zeros_like(values)
    np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(t_s), out=total[1:])
    return total


def _gap_seconds(grid_s: FloatArray, t_s: FloatArray) -> npt.NDArray[np.bool_]:
    """For each second of the grid up to the last, whether a gap reaches into it."""
    step_s = median_step_s(t_s)
    broken = np.zeros(len(grid_s) - 1, dtype=bool)
    before = np.flatnonzero(np.diff(t_s) > gap_limit_s(step_s or GRID_S))
    for begin, end in zip(t_s[before], t_s[before + 1], strict=True):
        first, last = np.searchsorted(grid_s, (begin, end))
        broken[max(first - 1, 0) : last] = True
    return broken


def _compare(gained_ms: FloatArray, speed_ms: FloatArray, broken: npt.NDArray[np.bool_]) -> Agreement:
    gain = gained_ms[WINDOW_S:] - gained_ms[:-WINDOW_S]
    change = speed_ms[WINDOW_S:] - speed_ms[:-WINDOW_S]
    breaks = np.concatenate([[0], np.cumsum(broken)])
    whole = breaks[WINDOW_S:] == breaks[:-WINDOW_S]
    moving = (speed_ms[WINDOW_S:] >= STANDING_MS) | (speed_ms[:-WINDOW_S] >= STANDING_MS)
    results = [_at_lag(gain, change, whole, whole & moving, lag) for lag in LAGS_S]
    return max(results, key=lambda each: (abs(each.r or 0.0), -abs(each.lag_s)))


def _at_lag(
    gain: FloatArray, change: FloatArray, known: npt.NDArray[np.bool_], driven: npt.NDArray[np.bool_], lag_s: int
) -> Agreement:
    """Both at windows whose speed is read `lag_s` seconds later than the acceleration."""
    size = len(gain) - abs(lag_s)
    earlier, later = slice(max(-lag_s, 0), max(-lag_s, 0) + size), slice(max(lag_s, 0), max(lag_s, 0) + size)
    used = known[earlier] & driven[later]
    windows = int(np.count_nonzero(used))
    if windows == 0:
        return Agreement(lag_s=lag_s)
    x, y = gain[earlier][used], change[later][used]
    x, y = x - x.mean(), y - y.mean()
    spread_x, spread_y = float(np.sqrt(x @ x / windows)), float(np.sqrt(y @ y / windows))
    if spread_x == 0 or spread_y == 0:
        return Agreement(windows, spread_y, lag_s=lag_s)
    return Agreement(windows, spread_y, float(x @ y) / windows / (spread_x * spread_y), spread_x / spread_y, lag_s)
