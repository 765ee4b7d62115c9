"""How many points come together: drivers have bad days and bursts, so that single events prove less than they seem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fleetflow.safety.flat import IndexArray
    from fleetflow.trips.samples import FloatArray

PRIOR_EVENTS = 20.0
PRIOR_BUNCHING = 1.5
"""Until a fleet has shown its own, events are taken to come one and a half at a time, with the weight of 20 events."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Stretches of driving that are taken to be independent, a row each: a driver's day, or a trip without a date.

    `driver` is a number from 0, `points` what the block cost, `exposure` its distance in 100 km.
    """

    driver: IndexArray
    points: FloatArray
    exposure: FloatArray

    def per_driver(self, column: FloatArray, drivers: int) -> FloatArray:
        """A column of the blocks added up by driver."""
        total: FloatArray = np.bincount(self.driver, weights=column, minlength=drivers).astype(np.float64)
        return total


def points_per_event(penalties: FloatArray, counts: FloatArray) -> float:
    """What an event costs where kinds cost differently, dear kinds weighing more: `psi0`, the least bunching there is.

    `penalties` and the fleet's `counts` have a row per kind. A fleet without events counts each kind once; where
    nothing costs anything it is 1.
    """
    weights = penalties * counts if np.any(penalties * counts) else penalties
    return float(np.sum(penalties * weights) / np.sum(weights)) if np.any(weights) else 1.0


def measure_bunching(blocks: Blocks, drivers: int, psi0: float) -> float:
    """Points per independent event, at least `psi0`, the points of a single event.

    The variance of a driver's blocks around his own share of his own points, over what single points would give. Both
    sums are unbiased however few events a driver has; a sum of squares over expectations would be too small, since
    it lets short empty blocks weigh as much as long ones.
    """
    points = blocks.per_driver(blocks.points, drivers)
    total = blocks.per_driver(blocks.exposure, drivers)
    driven = total[blocks.driver] > 0
    mine = blocks.driver[driven]
    share = blocks.exposure[driven] / total[mine]
    found = np.sum((blocks.points[driven] - share * points[mine]) ** 2)
    expected = np.sum(points[mine] * share * (1 - share))
    prior = PRIOR_EVENTS * psi0
    return float(max(psi0, (found + prior * PRIOR_BUNCHING * psi0) / (expected + prior)))
