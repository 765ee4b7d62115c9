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


def weighed_costs(points: FloatArray, events: FloatArray) -> FloatArray:
    """What one of some events cost on average, times their points: over any rows it can be added up, as points can.

    `points` and `events` are of the same events, such as one kind's of each trip; caps may have made them cheaper.
    """
    return np.divide(points**2, events, out=np.zeros(len(points)), where=events > 0)


def points_per_event(weighed: float, points: float, penalties: FloatArray) -> float:
    """What an event costs where they cost differently, dear ones weighing more: `psi0`, the least bunching there is.

    `weighed` are all `weighed_costs` of the fleet added up, `points` all its points. A fleet without points counts
    each of the profile's `penalties` once; where nothing costs anything it is 1.
    """
    if points > 0:
        return float(weighed / points)
    return float(np.sum(penalties**2) / np.sum(penalties)) if np.any(penalties) else 1.0


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
