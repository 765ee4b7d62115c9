"""How surely a driver has his rank, without draws: given his own rate, it is 1 and the number of others who are worse.

That number is a sum of many independent chances and nearly normal, with mean and variance from the fleet's curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincinv, ndtr

from fleetflow.safety.ranking.curve import draw_curve
from fleetflow.safety.ranking.fit import HALF, HIGH, LOW

if TYPE_CHECKING:
    from fleetflow.safety.flat import BoolArray, IndexArray
    from fleetflow.trips.samples import FloatArray

FULL_UP_TO = 1000
"""Drivers. Above, a driver's interval is carried over the fleet's curve: a few ranks of thousands off, and quick."""
SLICES = (np.arange(64) + 0.5) / 64  # of a driver's own uncertainty
NODES, NODES_OF_MANY = 400, 100  # of the fleet's curve, which is the smoother the more drivers it has
LOWEST, HIGHEST = 1e-4, 1 - 1e-6  # the quantiles of drivers that the curve reaches to
LEAST_SD = 1e-9  # ranks; a driver alone has no spread, and nothing is divided by 0


@dataclass(frozen=True, slots=True, eq=False)
class RankUncertainty:
    """A row per driver: the 90 % interval of his true rank, and the probability that it is in the first half."""

    low: IndexArray
    high: IndexArray
    worse_half: FloatArray


def rank_uncertainty(alpha: FloatArray, beta: FloatArray) -> RankUncertainty:
    """Of drivers whose rates are gammas of shape `alpha` and rate `beta`; rank 1 is the highest rate."""
    if not len(alpha):
        nobody = np.zeros(0, dtype=np.intp)
        return RankUncertainty(nobody, nobody, np.zeros(0))
    return _over_ranks(alpha, beta) if len(alpha) <= FULL_UP_TO else _over_the_curve(alpha, beta)


def worse_half(alpha: FloatArray, beta: FloatArray, whose: BoolArray) -> FloatArray:
    """Only the probability of a rank in the first half of all, and of some of the drivers only.

    Of many drivers it is that of a rate above the fleet's median.
    """
    if not whose.any():
        return np.zeros(0)
    if len(alpha) <= FULL_UP_TO:
        return _at_most(len(alpha) // 2, *_given_own_rate(alpha, beta, whose))
    above: FloatArray = 1 - gammainc(alpha[whose], beta[whose] * np.exp(_log_median(alpha, beta)))
    return above


def expected_rank(alpha: FloatArray, beta: FloatArray) -> FloatArray:
    """The mean of each driver's true rank."""
    mean: FloatArray = _given_own_rate(alpha, beta, _everybody(alpha))[0].mean(axis=0)
    return mean


def _over_ranks(alpha: FloatArray, beta: FloatArray) -> RankUncertainty:
    mean, sd = _given_own_rate(alpha, beta, _everybody(alpha))

    def smallest(level: float) -> IndexArray:
        """By halving: the smallest rank that is reached with that probability, at the latest the last."""
        below, reached = np.zeros(len(alpha), dtype=np.intp), np.full(len(alpha), len(alpha), dtype=np.intp)
        for _ in range(len(alpha).bit_length()):
            middle = (below + reached) // 2
            enough = (_at_most(middle, mean, sd) >= level) & (middle > below)
            below, reached = np.where(enough, below, middle), np.where(enough, middle, reached)
        return reached

    return RankUncertainty(smallest(LOW), smallest(HIGH), _at_most(len(alpha) // 2, mean, sd))


def _at_most(rank: IndexArray | int, mean: FloatArray, sd: FloatArray) -> FloatArray:
    """The probability of at most this rank; mean and standard deviation as _given_own_rate has them."""
    chance: FloatArray = ndtr((rank + 0.5 - mean) / sd).mean(axis=0)
    return chance


def _everybody(alpha: FloatArray) -> BoolArray:
    return np.ones(len(alpha), dtype=bool)


def _given_own_rate(alpha: FloatArray, beta: FloatArray, whose: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of some drivers' ranks for slices of their own uncertainty: a row per slice."""
    curve = draw_curve(alpha, beta, _ends(alpha, beta), NODES)
    own = SLICES[:, None]
    log_rate = np.log(gammaincinv(alpha[whose], own) / beta[whose])
    # He himself is part of the curve, and taken out of it: he is below his own rate with exactly the slice's chance.
    mean = len(alpha) - (curve.below(log_rate) - own)
    variance = curve.variance(log_rate) - own * (1 - own)
    return mean, np.sqrt(np.maximum(variance, LEAST_SD**2))


def _over_the_curve(alpha: FloatArray, beta: FloatArray) -> RankUncertainty:
    curve = draw_curve(alpha, beta, _ends(alpha, beta), NODES_OF_MANY)

    def rank_at(level: float) -> FloatArray:
        others_below: FloatArray = curve.below(np.log(gammaincinv(alpha, level) / beta)) - level
        return np.clip(len(alpha) - others_below, 1, len(alpha))

    low, high = np.floor(rank_at(HIGH)), np.ceil(rank_at(LOW))
    return RankUncertainty(low.astype(np.intp), high.astype(np.intp), worse_half(alpha, beta, _everybody(alpha)))


def _log_median(alpha: FloatArray, beta: FloatArray) -> float:
    """The log rate that half of the drivers are expected below."""

    def excess(log_rate: float) -> float:
        return float(np.mean(gammainc(alpha, beta * np.exp(log_rate)))) - HALF

    return float(brentq(excess, *_ends(alpha, beta)))


def _ends(alpha: FloatArray, beta: FloatArray) -> FloatArray:
    lowest, highest = gammaincinv(alpha, LOWEST) / beta, gammaincinv(alpha, HIGHEST) / beta
    return np.log([lowest.min(), highest.max()])
