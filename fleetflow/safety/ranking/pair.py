"""Two drivers beside each other: how surely one is worse, and where the rate of each may lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv, gammaln

from fleetflow.safety.ranking.ranks import worse_than

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray

LOWEST, HIGHEST = 0.001, 0.999  # the quantiles that the curves reach to
STEPS = 160


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """`first_is_worse` is a probability. `densities` (2, STEPS) are those of both rates, over `rate` in points."""

    first_is_worse: float
    rate: FloatArray
    densities: FloatArray


def compare_pair(alpha: FloatArray, beta: FloatArray) -> Pair:
    """Two drivers whose points per 100 km are gammas of shape `alpha` (2,) and rate `beta` (2,)."""
    chance = worse_than(alpha[:1], beta[:1], alpha[1:], beta[1:])
    ends = gammaincinv(alpha, np.array([[LOWEST], [HIGHEST]])) / beta
    rate = np.linspace(ends.min(), ends.max(), STEPS)
    return Pair(float(chance[0]), rate, density(alpha[:, None], beta[:, None], rate))


def density(alpha: FloatArray, beta: FloatArray, rate: FloatArray) -> FloatArray:
    """The gamma's density at rates above 0."""
    log_density = alpha * np.log(beta) + (alpha - 1) * np.log(rate) - beta * rate - gammaln(alpha)
    return np.asarray(np.exp(log_density), dtype=np.float64)
