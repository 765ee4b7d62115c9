"""Whether a trip's acceleration and its speed tell the same story; one number per trip decides what may lean on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetflow.trips.clock import GAP_S, gap_limit_s

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


def agreement(samples: Samples) -> Agreement:
    """Compare acceleration with speed on a grid of one second; the speed may come up to two seconds late or early.

    A trip without a clock, or too short for one window, is `Agreement()`: not judged, not trusted.
    """
    if samples.t_s is None:
        return Agreement()
    t_s, gain_g, speed_kmh = _in_order(samples.t_s, samples.g_force_long, samples.speed_kmh)
    gain, speed = _known(t_s, gain_g), _known(t_s, speed_kmh)
    if gain is None or speed is None:
        return Agreement()
    start_s, end_s = max(gain[0][0], speed[0][0]), min(gain[0][-1], speed[0][-1])
    grid_s = start_s + GRID_S * np.arange(max(int((end_s - start_s) / GRID_S + 1e-6) + 1, 0))
    if len(grid_s) < WINDOW_S + len(LAGS_S):
        return Agreement()
    gained_ms = np.interp(grid_s, gain[0], _integral(*gain)) * G_MS2
    speed_ms = np.interp(grid_s, *speed) / KMH_PER_MS
    broken = _gap_seconds(grid_s, gain[0])
    if speed[0] is not gain[0]:
        broken |= _gap_seconds(grid_s, speed[0])
    return _compare(gained_ms, speed_ms, broken)


def is_evidence(speed_kmh: FloatArray) -> bool:
    """Whether a speed varies enough to be a measurement rather than a filler value; NaN are left out."""
    known = speed_kmh[np.isfinite(speed_kmh)]
    return known.size > 0 and float(np.std(known)) >= MIN_EVIDENCE_KMH


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
    np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(t_s), out=total[1:])
    return total


def _gap_seconds(grid_s: FloatArray, t_s: FloatArray) -> npt.NDArray[np.bool_]:
    """For each second of the grid up to the last, whether a gap reaches into it."""
    steps_s = t_s[1:] - t_s[:-1]
    broken = np.zeros(len(grid_s) - 1, dtype=bool)
    if steps_s.max() <= GAP_S:  # saves the median
        return broken
    for before in np.flatnonzero(steps_s > gap_limit_s(float(np.median(steps_s)))).tolist():
        first, last = np.searchsorted(grid_s, t_s[before : before + 2])
        broken[max(first - 1, 0) : last] = True
    return broken


def _compare(gained_ms: FloatArray, speed_ms: FloatArray, broken: npt.NDArray[np.bool_]) -> Agreement:
    gain = gained_ms[WINDOW_S:] - gained_ms[:-WINDOW_S]
    change = speed_ms[WINDOW_S:] - speed_ms[:-WINDOW_S]
    breaks = np.concatenate([[0], np.cumsum(broken)])
    whole = breaks[WINDOW_S:] == breaks[:-WINDOW_S]
    moving = (speed_ms[WINDOW_S:] >= STANDING_MS) | (speed_ms[:-WINDOW_S] >= STANDING_MS)
    most = LAGS_S.stop - 1
    return _closest(gain[most:-most], _lagged(change), whole[most:-most] & _lagged(whole & moving))


def _lagged(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A row per lag: what is read that many seconds later."""
    size = len(values) - len(LAGS_S) + 1
    return np.array([values[first : first + size] for first in range(len(LAGS_S))])


def _closest(gain: FloatArray, changes: FloatArray, used: npt.NDArray[np.bool_]) -> Agreement:
    """The agreement at the lag with the largest |r|; of equal ones the shorter lag. Every lag is one row."""
    weights = used.astype(np.float64)
    windows = weights.sum(axis=1)
    count = np.maximum(windows, 1.0)
    x, y = gain - gain.mean(), changes - changes.mean()  # keeps the sums below exact enough
    weighted = weights * y
    mean_x, mean_y = weights @ x / count, weighted.sum(axis=1) / count
    spread_x = np.sqrt(np.maximum(weights @ (x * x) / count - mean_x**2, 0.0))
    spread_y = np.sqrt(np.maximum(np.einsum("ij,ij->i", weighted, y) / count - mean_y**2, 0.0))
    common = weighted @ x / count - mean_x * mean_y
    varies = (spread_x > 0) & (spread_y > 0)
    r = np.divide(common, spread_x * spread_y, out=np.zeros_like(common), where=varies)
    best = int(np.lexsort((np.abs(LAGS_S), -np.abs(r)))[0])
    found = Agreement(int(windows[best]), float(spread_y[best]), lag_s=LAGS_S[best])
    return replace(found, r=float(r[best]), ratio=float(spread_x[best] / spread_y[best])) if varies[best] else found
