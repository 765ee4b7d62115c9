"""How much of the drivers' order survives a change: never read alone, always beside what luck alone would do.

Fewer events order drivers less surely, so every threshold "re-orders" a fleet. Two lines say what that is worth: the
band of drivers who differ in nothing but how often, and the line of the same driving in a new period.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetflow.safety.ranking.fit import Fit
    from fleetflow.trips.samples import FloatArray

    KeyOf = Callable[[FloatArray], FloatArray]

REPEATS = 20
SEED = 6  # fixed: the same question has the same answer
BAND = (0.05, 0.95)
WORST_SHARE = 0.1
SAME = 1e-9  # relative, as in the leaderboard: what differs by less is a tie
JEFFREYS = 0.5  # events, where there is no fleet to shrink towards


@dataclass(frozen=True, slots=True, eq=False)
class Shrinkage:
    """What turns points into the figure that orders drivers, where a full fit for each repeat would cost too much.

    One gamma prior with the fit's mean spread and rate; `exposure` is in 100 km.
    """

    exposure: FloatArray
    psi: float
    shape: float
    weight_100km: float

    @classmethod
    def like(cls, fit: Fit, exposure: FloatArray) -> Shrinkage:
        """The shrinkage of a fit; of a fleet too small to learn from, each driver's own rate."""
        if not np.isfinite(fit.cv):
            return cls(exposure, fit.psi, JEFFREYS, 0.0)
        shape = fit.cv**-2
        return cls(exposure, fit.psi, shape, shape * fit.psi / fit.rate)

    def key(self, points: FloatArray, share: float = 1.0) -> FloatArray:
        """Posterior means in points per 100 km, of a fleet that has `share` of the points of the fit."""
        weight = self.weight_100km / share
        return self.psi * (self.shape + points / self.psi) / (weight + self.exposure)


def agreement(one: FloatArray, other: FloatArray) -> float:
    """Kendall's tau-b (Kendall 1945) of two orders of the same drivers: 1 the same order, 0 none, -1 reversed.

    NaN where one side has all drivers alike.
    """
    if _alike(one) or _alike(other):
        return float("nan")
    tau = kendalltau(dense_ranks(one), dense_ranks(other), variant="b").statistic
    return float(tau)


def dense_ranks(key: FloatArray) -> npt.NDArray[np.int64]:
    """Ranks from 0 for the lowest, without gaps; figures that differ by rounding only are equal."""
    order = np.argsort(key)
    ascending = key[order]
    steps = np.concatenate([[False], np.diff(ascending) > SAME * np.abs(ascending[1:])])
    ranks = np.empty(len(key), dtype=np.int64)
    ranks[order] = steps.cumsum()
    return ranks


def equal_mix_band(events: npt.NDArray[np.int64], share: float, before: FloatArray, key_of: KeyOf) -> FloatArray:
    """The 5 and 95 % limits of the agreement if all drivers had the fleet's mix of severity.

    `events` (drivers,) are those beyond the milder of two thresholds, `before` the order they give. Each repeat keeps a
    random `share` of every driver's, the fleet's at the stricter threshold; `key_of` turns what is kept into an order.
    """
    kept = np.random.default_rng(SEED).binomial(events, share, size=(REPEATS, len(events)))
    found = [agreement(before, key_of(each.astype(np.float64))) for each in kept]
    return np.quantile(found, BAND)


def repeat_line(alpha: FloatArray, beta: FloatArray, before: FloatArray, shrinkage: Shrinkage) -> float:
    """The mean agreement of the order `before` with that of a new period of the same driving, on the same roads.

    Each repeat draws every driver's rate from his posterior, a gamma of shape `alpha` and rate `beta`, and new
    independent events at that rate.
    """
    random, psi = np.random.default_rng(SEED), shrinkage.psi
    rates = random.standard_gamma(alpha, size=(REPEATS, len(alpha))) / beta
    points = psi * random.poisson(rates * shrinkage.exposure / psi)
    return float(np.mean([agreement(before, shrinkage.key(each)) for each in points]))


def plateau(agreements: FloatArray, active: int, line: float) -> tuple[int, int]:
    """First and last index of the widest run round `active` whose agreements reach `line`.

    There the choice of the threshold matters less than another month of the same driving.
    """
    short = np.flatnonzero(~(agreements >= line))
    below, above = short[short < active], short[short > active]
    first = int(below[-1]) + 1 if below.size else 0
    last = int(above[0]) - 1 if above.size else len(agreements) - 1
    return first, last


def worst_staying(before: FloatArray, after: FloatArray) -> tuple[int, int]:
    """How many of the worst tenth of the drivers (at least one) stay in it, and how many it has. Highest is worst."""
    size = max(round(len(before) * WORST_SHARE), 1)
    worst = [set(np.argsort(-each, kind="stable")[:size].tolist()) for each in (before, after)]
    return len(worst[0] & worst[1]), size


def _alike(key: FloatArray) -> bool:
    return not len(key) or bool(np.ptp(key) <= SAME * np.abs(key).max())
