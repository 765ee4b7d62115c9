"""Moves under another profile told from counting noise: one rate and one severity mix per driver, judged twice.

Drivers' rates differ and are known from all their events; their mixes of mild and severe events differ much less, and
are shrunk towards the fleet's. Both profiles judge the *same* rates and mixes, so that only a true difference of mix
can move a rank for sure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, gammaln

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

DRAWS = 400  # a probability of .95 is then known to +-.02; .07 s for 500 drivers
SEED = 5  # fixed: the same question has the same answer
SURE = 0.95
"""A move is flagged when its direction is this probable."""
KAPPA = np.geomspace(1.0, 2000.0, 25)
"""How alike mixes are, in events: a driver's own mix weighs as much as the fleet's once he has kappa events."""
KAPPA_MEDIAN, KAPPA_LOG_SD = 20.0, 1.5  # the weak prior of kappa, lognormal
TIE_BREAK = 1e-12  # equal under one profile: in the other's order, so that a tie moves nobody


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Events told apart only by what they cost under the two profiles.

    `counts` (drivers, cells) are events; `before` and `after` (cells,) the points of one event of the cell under each.
    """

    counts: FloatArray
    before: FloatArray
    after: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Per driver: the probability that his rank gets worse or better, and the move to expect (below 0 is worse).

    Rank 1 is worst, as in the leaderboard.
    """

    p_worse: FloatArray
    p_better: FloatArray
    expected: FloatArray

    @property
    def flagged(self) -> BoolArray:
        """Whose move is more than noise."""
        return np.maximum(self.p_worse, self.p_better) >= SURE


def cells_of(driver: IntArray, before: IntArray, after: IntArray, drivers: int) -> Cells:
    """Gather events, each given by its driver, a number below `drivers`, and its points under the two profiles.

    Events without points under both are left out.
    """
    counted = (before != 0) | (after != 0)
    driver, before, after = driver[counted], before[counted], after[counted]
    width = int(after.max(initial=0)) + 1
    pairs, cell = np.unique(before * width + after, return_inverse=True)
    counts = np.bincount(driver * len(pairs) + cell, minlength=drivers * len(pairs)).reshape(drivers, len(pairs))
    return Cells(counts.astype(np.float64), (pairs // width).astype(np.float64), (pairs % width).astype(np.float64))


def moves(cells: Cells, shape: FloatArray, rate: FloatArray, draws: int = DRAWS) -> Moves:
    """How surely each driver's rank moves, from `draws` draws with a fixed seed.

    `shape` and `rate` (drivers,) are the Gamma posterior of each driver's events of all cells per unit of exposure.
    """
    cells = _met(cells)
    if cells.counts.size == 0:
        nothing = np.zeros(len(shape))
        return Moves(nothing, nothing, nothing)
    random = np.random.default_rng(SEED)
    kappa = _stratified(kappa_weights(cells.counts), draws)
    severity = _costs(cells, kappa, random)
    frequency = random.standard_gamma(shape, size=(draws, len(shape))) / rate
    before, after = severity[0] * frequency, severity[1] * frequency
    step = _ranks(after + TIE_BREAK * before) - _ranks(before + TIE_BREAK * after)
    return Moves((step < 0).mean(axis=0), (step > 0).mean(axis=0), step.mean(axis=0))


def kappa_weights(counts: FloatArray) -> FloatArray:
    """The posterior of kappa on its grid, from the Dirichlet-multinomial likelihood of all drivers' `counts`."""
    fleet = _fleet_mix(counts)[:, None] * KAPPA
    total = counts.sum(axis=1)[:, None]
    fit: FloatArray = (gammaln(KAPPA) - gammaln(KAPPA + total)).sum(axis=0)
    fit = fit + (gammaln(fleet + counts[:, :, None]) - gammaln(fleet)).sum(axis=(0, 1))
    fit = fit - 0.5 * (np.log(KAPPA / KAPPA_MEDIAN) / KAPPA_LOG_SD) ** 2
    weight = np.exp(fit - fit.max())
    shares: FloatArray = weight / weight.sum()
    return shares


def p_keeps_less(kept: FloatArray, lost: FloatArray, fleet_share: float, kappa: float) -> FloatArray:
    """The probability that a driver's true share of events kept by a stricter threshold lies under the fleet's share.

    The two-cell case in closed form, for explaining one driver: `kept` and `lost` are his events above the new
    threshold, and between the old one and the new.
    """
    chance = betainc(kappa * fleet_share + kept, kappa * (1 - fleet_share) + lost, fleet_share)
    return np.asarray(chance, dtype=np.float64)


def _met(cells: Cells) -> Cells:
    """Without the cells that no event of the fleet lies in: nothing is known of them."""
    met = cells.counts.any(axis=0)
    return Cells(cells.counts[:, met], cells.before[met], cells.after[met])


def _fleet_mix(counts: FloatArray) -> FloatArray:
    mix: FloatArray = counts.sum(axis=0) / counts.sum()
    return mix


def _stratified(weights: FloatArray, draws: int) -> FloatArray:
    """`draws` values of kappa, evenly through its posterior."""
    at = (np.arange(draws) + 0.5) / draws
    return KAPPA[np.minimum(np.searchsorted(weights.cumsum(), at), len(KAPPA) - 1)]


def _costs(cells: Cells, kappa: FloatArray, random: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Points of an average event of each driver, before and after, each (draws, drivers)."""
    drivers, _ = cells.counts.shape
    shares = _fleet_mix(cells.counts)
    total, before, after = (np.zeros((len(kappa), drivers)) for _ in range(3))
    for cell, share in enumerate(shares):
        part = random.standard_gamma(kappa[:, None] * share + cells.counts[:, cell])
        total += part
        before += cells.before[cell] * part
        after += cells.after[cell] * part
    return before / total, after / total


def _ranks(points: FloatArray) -> IntArray:
    """Ranks along the last axis, 1 for most points."""
    order = np.argsort(-points, axis=-1)
    ranks = np.empty(points.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.broadcast_to(np.arange(1, points.shape[-1] + 1), points.shape), axis=-1)
    return ranks
