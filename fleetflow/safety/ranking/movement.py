"""Whether a driver got better or worse between two periods, measured against himself and beyond the fleet's own change.

Two ranks or two shrunk rates would move with chance; the share of his events that fell into the second period does not
need to know how he drives, only how much.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, betaln

from fleetflow.safety.ranking.bunching import Blocks, measure_bunching
from fleetflow.safety.ranking.days import KM_PER_EXPOSURE, add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleetflow.safety.ranking.days import DriverDays
    from fleetflow.trips.samples import FloatArray

CHANGES = np.geomspace(0.03, 1.5, 31)
"""How much drivers' true log rates change between periods (standard deviation), a grid to average over."""
USUAL_CHANGE, USUAL_LOG_SD = 0.3, 0.8
NEGLIGIBLE = 1e-6  # weight of a grid point
LEAST_PRIOR = 0.05  # events; a wild change leaves next to no prior knowledge, but never less than none
FACTORS = (1.0, 0.9, 1.1)  # a change of a tenth is worth telling
SURE = 0.9
VERY_SURE = 0.99
SMALL_FLEET = 40  # drivers; below, the fleet's own change is too uncertain for 0.9


class Badge(StrEnum):
    """What is said of a driver's change; `UNPROVEN` is not "unchanged", it is not enough driving to tell."""

    IMPROVED = "improved"
    WORSE = "worse"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """Probabilities with a row per driver, NaN for who drove in one period only or where a period had no events at all.

    `fell` and `rose` are of a rate that changed beyond the fleet's own change, `fell_clearly` and `rose_clearly` of one
    that did so by more than a tenth. `fleet_ratio` is the fleet's rate in period 2 over that in period 1.
    """

    fell: FloatArray
    fell_clearly: FloatArray
    rose: FloatArray
    rose_clearly: FloatArray
    badge: NDArray[np.object_]
    fleet_ratio: float


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Events and exposure of drivers in two periods; exposure is above 0, that of period 2 at the fleet's ratio."""

    events_1: FloatArray
    exposure_1: FloatArray
    events_2: FloatArray
    exposure_2: FloatArray

    def share(self, factor: float = 1.0) -> FloatArray:
        """The share of events due in period 2 if a driver's rate changed by the factor beyond the fleet's change."""
        return factor * self.exposure_2 / (self.exposure_1 + factor * self.exposure_2)

    def prior(self, change: FloatArray | float) -> tuple[FloatArray, FloatArray]:
        """A beta's parameters for the share, where log rates change by so much."""
        due = self.share()
        worth = np.maximum(1 / (due * (1 - due) * np.square(change)) - 1, LEAST_PRIOR)
        return worth * due, worth * (1 - due)

    def below(self, change: FloatArray | float, factor: float = 1.0) -> FloatArray:
        """The probability that a driver's rate changed by less than the factor beyond the fleet's change."""
        second, first = self.prior(change)
        chance = betainc(second + self.events_2, first + self.events_1, self.share(factor))
        return np.asarray(chance, dtype=np.float64)


def compare_periods(before: DriverDays, now: DriverDays, psi0: float) -> Movement:
    """Compare what the same drivers, numbered alike, drove in two periods; `psi0` is the points of one event.

    Bunching is measured around each driver's own rate of each period, so that a true change does not pass for it.
    """
    first, second = add_up(before), add_up(now)
    psi = measure_bunching(_side_by_side(first.blocks, second.blocks, now.drivers), 2 * now.drivers, psi0)
    exposure_1, exposure_2 = (each.exposure_km / KM_PER_EXPOSURE for each in (first, second))
    return movement(first.points, exposure_1, second.points, exposure_2, psi)


def _side_by_side(first: Blocks, second: Blocks, drivers: int) -> Blocks:
    """The blocks of both periods, as if a driver were another one in the second."""
    return Blocks(
        np.concatenate([first.driver, second.driver + drivers]),
        np.concatenate([first.points, second.points]),
        np.concatenate([first.exposure, second.exposure]),
    )


def movement(
    points_1: FloatArray, exposure_1: FloatArray, points_2: FloatArray, exposure_2: FloatArray, psi: float
) -> Movement:
    """Compare two periods: points and exposure with a row per driver each, `psi` points per independent event.

    Given both periods' counts, the share of the second is binomial whatever the rate; a beta prior allows for true
    changes, whose size is averaged over a grid.
    """
    both = (exposure_1 > 0) & (exposure_2 > 0)
    ratio = _ratio(points_1.sum(), exposure_1.sum(), points_2.sum(), exposure_2.sum())
    below = np.full((len(FACTORS), len(both)), np.nan)
    if both.any() and np.isfinite(ratio):
        pairs = Pairs(points_1[both] / psi, exposure_1[both], points_2[both] / psi, exposure_2[both] * ratio)
        below[:, both] = _below(pairs)
    fell, fell_clearly, rose, rose_clearly = below[0], below[1], 1 - below[0], 1 - below[2]
    badge = _badges(fell, fell_clearly, rose, rose_clearly)
    return Movement(fell, fell_clearly, rose, rose_clearly, badge, ratio)


def _ratio(points_1: float, exposure_1: float, points_2: float, exposure_2: float) -> float:
    """NaN where a period without events leaves nothing to compare."""
    if not (points_1 and points_2 and exposure_1 and exposure_2):
        return np.nan
    return float(points_2 / exposure_2 / (points_1 / exposure_1))


def _below(pairs: Pairs) -> FloatArray:
    """A row per factor, averaged over the sizes of change that matter."""
    weight = _weights(pairs)
    used = weight > NEGLIGIBLE
    change = CHANGES[used][:, None]
    return np.array([np.average(pairs.below(change, factor), axis=0, weights=weight[used]) for factor in FACTORS])


def _weights(pairs: Pairs) -> FloatArray:
    """How likely each size of change is, given all drivers."""
    second, first = pairs.prior(CHANGES[:, None])
    chance = betaln(second + pairs.events_2, first + pairs.events_1) - betaln(second, first)
    log_weight = chance.sum(axis=1) - 0.5 * (np.log(CHANGES / USUAL_CHANGE) / USUAL_LOG_SD) ** 2
    weight = np.exp(log_weight - log_weight.max())
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _badges(
    fell: FloatArray, fell_clearly: FloatArray, rose: FloatArray, rose_clearly: FloatArray
) -> NDArray[np.object_]:
    """A tenth with 90 %, and in a small fleet any change with 99 % besides; comparisons with NaN are False."""
    least = VERY_SURE if np.count_nonzero(np.isfinite(fell)) < SMALL_FLEET else 0.0
    badge = np.empty(len(fell), dtype=object)
    badge[:] = Badge.UNPROVEN
    badge[(fell_clearly >= SURE) & (fell >= least)] = Badge.IMPROVED
    badge[(rose_clearly >= SURE) & (rose >= least)] = Badge.WORSE
    return badge
