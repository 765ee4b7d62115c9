"""How much the drivers of a fleet differ, as weighted gamma priors: the one place that integrates over the spread.

Moments and maximum likelihood find "no differences" in many small fleets; a grid over the spread with a weak prior
does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray

LEAST_CV, GREATEST_CV = 0.05, 3.0
GRID_POINTS = 25
PRIOR_LOG_SD = 0.7
"""Before any data the coefficient of variation is taken to be around 1, half to twice that in two of three fleets."""
NEWTON_STEPS = 8
LONGEST_STEP = 1.0  # in log rate, so that no step overshoots from a poor start
NARROW_SHARE = 1 / 8  # of the grid's width: a posterior narrower than this falls between few grid points
REFINED_SDS = 4.0
RATE_NODES = np.array([-np.sqrt(3), 0, np.sqrt(3)])
RATE_WEIGHTS = np.array([1, 4, 1]) / 6  # three-point Gauss-Hermite


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """Gamma priors of a driver's events per unit of exposure: columns of equal length, weights adding up to 1."""

    weight: FloatArray
    cv: FloatArray
    rate: FloatArray

    @property
    def shape(self) -> FloatArray:
        """The gammas' shapes."""
        return 1 / self.cv**2

    @property
    def exposure(self) -> FloatArray:
        """The gammas' rates: how much driving the prior knowledge is worth."""
        return self.shape / self.rate


def integrate(events: FloatArray, exposure: FloatArray) -> Priors:
    """The posterior of spread and rate, given each driver's events (need not be whole) and exposure, all above 0."""
    log_cv = np.linspace(np.log(LEAST_CV), np.log(GREATEST_CV), GRID_POINTS)
    found = _on_grid(log_cv, events, exposure)
    mean = np.sum(found.weight * log_cv)
    sd = np.sqrt(np.sum(found.weight * (log_cv - mean) ** 2))
    if sd < NARROW_SHARE * (log_cv[-1] - log_cv[0]):
        low, high = np.clip([mean - REFINED_SDS * sd, mean + REFINED_SDS * sd], log_cv[0], log_cv[-1])
        found = _on_grid(np.linspace(low, high, GRID_POINTS), events, exposure)
    return _with_uncertain_rate(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """One row per spread: its weight, the likeliest log rate under it and that rate's information."""

    weight: FloatArray
    log_cv: FloatArray
    log_rate: FloatArray
    information: FloatArray


def _on_grid(log_cv: FloatArray, events: FloatArray, exposure: FloatArray) -> _Grid:
    squared = np.exp(2 * log_cv)[:, None]
    log_rate = np.full(len(log_cv), np.log(events.sum() / exposure.sum()))
    for _ in range(NEWTON_STEPS):
        score, information = _slope(log_rate, squared, events, exposure)
        log_rate += np.clip(score / information, -LONGEST_STEP, LONGEST_STEP)
    _, information = _slope(log_rate, squared, events, exposure)
    fits = _log_likelihood(np.exp(log_rate)[:, None] * exposure, 1 / squared, events)
    log_weight = fits + 0.5 * np.log(2 * np.pi / information) - 0.5 * (log_cv / PRIOR_LOG_SD) ** 2
    weight = np.exp(log_weight - log_weight.max())
    return _Grid(weight / weight.sum(), log_cv, log_rate, information)


def _slope(
    log_rate: FloatArray, squared_cv: FloatArray, events: FloatArray, exposure: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """First derivative and negative second derivative of the log likelihood by the log rate."""
    expected = np.exp(log_rate)[:, None] * exposure
    over = 1 / (1 + squared_cv * expected)
    score = np.sum((events - expected) * over, axis=1)
    information = np.sum(expected * (1 + squared_cv * events) * over**2, axis=1)
    return score, information


def _log_likelihood(expected: FloatArray, shape: FloatArray, events: FloatArray) -> FloatArray:
    """Negative binomial, without the term that is the same for every spread."""
    chances = gammaln(shape + events) - gammaln(shape) - events * np.log1p(shape / expected)
    likelihood: FloatArray = np.sum(chances - shape * np.log1p(expected / shape), axis=1)
    return likelihood


def _with_uncertain_rate(grid: _Grid) -> Priors:
    spread = np.exp(RATE_NODES / np.sqrt(grid.information)[:, None])
    return Priors(
        weight=(grid.weight[:, None] * RATE_WEIGHTS).ravel(),
        cv=np.repeat(np.exp(grid.log_cv), len(RATE_NODES)),
        rate=(np.exp(grid.log_rate)[:, None] * spread).ravel(),
    )
