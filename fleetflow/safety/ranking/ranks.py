"""The order of drivers: rank 1 is the worst, equals share a rank, and each has the interval his true rank lies in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.special import betainc

from fleetflow.safety.ranking.uncertainty import rank_uncertainty

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleetflow.safety.flat import BoolArray, IndexArray
    from fleetflow.trips.samples import FloatArray

SAME = 1e-9  # relative; what differs by less is rounding, and no reason to be ahead
UNCLEAR = (0.2, 0.8)

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """A row per driver. `order` lists the rows from the worst on, equals in the order of their rows.

    `rank` counts equals alike (4, 4, 6), `tied` says who has an equal. `low` and `high` are the 90 % interval of the
    rank, widened to contain it. `worse_half` is the probability of a rank in the first half. `worse_than_next` is the
    probability of truly being worse than the next in order; NaN for the last.
    """

    order: IndexArray
    rank: IndexArray
    tied: BoolArray
    low: IndexArray
    high: IndexArray
    worse_half: FloatArray
    worse_than_next: FloatArray

    @property
    def no_clear_difference(self) -> BoolArray:
        """Whether driver and next in order could as well be the other way round."""
        return (self.worse_than_next > UNCLEAR[0]) & (self.worse_than_next < UNCLEAR[1])


def rank(alpha: FloatArray, beta: FloatArray) -> Ranks:
    """Rank drivers by the means of their posteriors, gammas of shape `alpha` and rate `beta`, the worst first.

    The posterior mean is within noise of the expected rank, which is optimal for squared loss (Lin, Louis, Paddock and
    Ridgeway 2006), and it is the figure that is shown.
    """
    mean = alpha / beta
    by_mean = np.argsort(-mean)
    sorted_ranks, tied = _competition(mean[by_mean])
    order = by_mean[np.lexsort((by_mean, sorted_ranks))]  # equals as their rows come, whatever their rounding
    ranks, own = _back(sorted_ranks, order), rank_uncertainty(alpha, beta)
    return Ranks(
        order, ranks, _back(tied, order), np.minimum(own.low, ranks), np.maximum(own.high, ranks), own.worse_half,
        _worse_than_next(alpha, beta, order),
    )  # fmt: skip


def worse_than(alpha_1: FloatArray, beta_1: FloatArray, alpha_2: FloatArray, beta_2: FloatArray) -> FloatArray:
    """The probability that the first of two truly has the higher rate."""
    return np.asarray(betainc(alpha_2, alpha_1, beta_2 / (beta_1 + beta_2)), dtype=np.float64)


def _competition(sorted_mean: FloatArray) -> tuple[IndexArray, BoolArray]:
    """Ranks 1, 2, 2, 4 of means that fall, and which of them are shared."""
    first = np.ones(len(sorted_mean) + 1, dtype=bool)
    first[1:-1] = sorted_mean[1:] < sorted_mean[:-1] * (1 - SAME)
    starts = np.where(first[:-1], np.arange(len(sorted_mean)), 0)
    return np.maximum.accumulate(starts) + 1, ~(first[:-1] & first[1:])


def _worse_than_next(alpha: FloatArray, beta: FloatArray, order: IndexArray) -> FloatArray:
    chance = np.full(len(order), np.nan)
    here, below = order[:-1], order[1:]
    chance[here] = worse_than(alpha[here], beta[here], alpha[below], beta[below])
    return chance


def _back(column: NDArray[Scalar], order: IndexArray) -> NDArray[Scalar]:
    """From the order of the table to the drivers' rows."""
    rows = np.empty_like(column)
    rows[order] = column
    return rows
