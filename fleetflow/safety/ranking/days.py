"""What was driven, a row per trip or day, and its sums by driver: from here on nobody sees a trip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.ranking.bunching import Blocks
from fleetflow.safety.ranking.exposure import Distances, complete_distances

if TYPE_CHECKING:
    from fleetflow.safety.flat import IndexArray
    from fleetflow.trips.samples import FloatArray

KM_PER_EXPOSURE = 100.0
UNDATED = -1


@dataclass(frozen=True, slots=True, eq=False)
class DriverDays:
    """Columns of equal length, a row per trip, or per driver and day; unusable trips and dismissed events left out.

    `driver` numbers the `drivers` from 0. `day` is the driver's local date as any whole number from 0, `UNDATED` where
    it is not known. `points` are penalty points. `distance_km` and `hours` are NaN where unknown. `weight` is what a
    kilometre counts for, 1 for all when None (see `road_weights`); `trips` is how many trips a row holds, 1 when None.
    """

    drivers: int
    driver: IndexArray
    day: IndexArray
    points: FloatArray
    distance_km: FloatArray
    hours: FloatArray
    weight: FloatArray | None = None
    trips: IndexArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Driven:
    """Sums by driver, of rows whose distance is known or could be imputed, and the blocks they consist of.

    `imputed_share` is of the distance. `trips` and `days` count what is kept, an undated row as a day of its own;
    `dropped` counts the trips that were not.
    """

    points: FloatArray
    distance_km: FloatArray
    exposure_km: FloatArray
    imputed_share: FloatArray
    trips: IndexArray
    days: IndexArray
    dropped: IndexArray
    blocks: Blocks


def add_up(days: DriverDays) -> Driven:
    """The sums by driver; rows of one driver and day are one block, a row without a date is a block of its own."""
    _check(days)
    found = _completed(days)
    kept = ~found.dropped
    driver, km, exposure_km = days.driver[kept], found.km[kept], _weighed(found.km, days)[kept]
    blocks = _blocks(driver, days.day[kept], days.points[kept], exposure_km / KM_PER_EXPOSURE)

    def per_driver(column: FloatArray) -> FloatArray:
        return np.bincount(driver, weights=column, minlength=days.drivers).astype(np.float64)

    trips = np.ones(len(kept)) if days.trips is None else days.trips.astype(np.float64)
    distance_km = per_driver(km)
    imputed_km = per_driver(km * found.imputed[kept])
    return Driven(
        points=per_driver(days.points[kept]),
        distance_km=distance_km,
        exposure_km=per_driver(exposure_km),
        imputed_share=np.divide(imputed_km, distance_km, out=np.zeros(days.drivers), where=distance_km > 0),
        trips=per_driver(trips[kept]).astype(np.intp),
        days=np.bincount(blocks.driver, minlength=days.drivers),
        dropped=np.bincount(days.driver[found.dropped], trips[found.dropped], days.drivers).astype(np.intp),
        blocks=blocks,
    )


def counted(days: DriverDays) -> tuple[FloatArray, FloatArray]:
    """By row, the points and the exposure in 100 km that `add_up` adds up: both 0 where no distance can be known."""
    found = _completed(days)
    return np.where(found.dropped, 0.0, days.points), _weighed(found.km, days) / KM_PER_EXPOSURE


def _completed(days: DriverDays) -> Distances:
    return complete_distances(days.driver, days.distance_km, days.hours, days.drivers)


def _weighed(km: FloatArray, days: DriverDays) -> FloatArray:
    return km if days.weight is None else km * days.weight


def _blocks(driver: IndexArray, day: IndexArray, points: FloatArray, exposure: FloatArray) -> Blocks:
    dated = day != UNDATED
    # One number for driver and day; rows without a date get numbers below 0 that nobody shares.
    key = np.where(dated, driver * (day.max(initial=0) + 1) + day, -1 - np.arange(len(day)))
    _, first, block = np.unique(key, return_index=True, return_inverse=True)
    count = len(first)
    summed = [np.bincount(block, weights=each, minlength=count).astype(np.float64) for each in (points, exposure)]
    return Blocks(driver[first], *summed)


def _check(days: DriverDays) -> None:
    columns = [days.driver, days.day, days.points, days.distance_km, days.hours]
    columns += [each for each in (days.weight, days.trips) if each is not None]
    if len({len(column) for column in columns}) > 1:
        raise ValueError("All columns need one row per trip or day.")
    if np.any((days.driver < 0) | (days.driver >= days.drivers)):
        raise ValueError(f"Drivers are numbered from 0 to {days.drivers - 1}.")
    if np.any(days.day < UNDATED):
        raise ValueError("Days are numbered from 0.")
    if any(np.any((column < 0) | np.isinf(column)) for column in columns[2:]):
        raise ValueError("Points, distances, hours and weights are at least 0 and not endless.")
