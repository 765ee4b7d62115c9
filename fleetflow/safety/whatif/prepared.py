"""A fleet laid out once so that judging it under any profile is a matter of slices: events by lane and peak."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fleetflow.safety.events import Standing
from fleetflow.safety.judging import CLASSES, KINDS
from fleetflow.safety.ranking.bunching import Blocks
from fleetflow.safety.ranking.days import KM_PER_EXPOSURE
from fleetflow.safety.ranking.exposure import SECONDS_PER_HOUR, complete_distances

if TYPE_CHECKING:
    from fleetflow.safety.events import EventKind
    from fleetflow.safety.flat import IndexArray
    from fleetflow.safety.judging import EventColumns, TripColumns
    from fleetflow.trips.samples import FloatArray

SURENESS = 2  # events that count, and those that count where the profile lets doubtful ones
LANES = (SURENESS, len(KINDS), len(CLASSES))
"""Events are kept in lanes: by sureness, kind and vehicle class."""


@dataclass(frozen=True, slots=True, eq=False)
class Roads:
    """What was driven, under every profile the same. Trips that are unusable or of unknown length are in no block.

    `block` (trips,) is the number of each trip's block, a driver's day, or `len(driver)` for none. A row per block:
    `driver` and `exposure` in 100 km. A row per driver: `driven` in 100 km, and `trips` and `days` that are ranked.
    """

    block: IndexArray
    driver: IndexArray
    exposure: FloatArray
    driven: FloatArray
    trips: IndexArray
    days: IndexArray

    @property
    def distance_km(self) -> float:
        """What the fleet drove."""
        return float(self.driven.sum()) * KM_PER_EXPOSURE

    @property
    def drivers(self) -> int:
        """How many drivers there are."""
        return len(self.driven)

    def per_driver(self, column: FloatArray) -> FloatArray:
        """A column of the blocks added up by driver."""
        return np.bincount(self.driver, weights=column, minlength=self.drivers).astype(np.float64)

    def per_block(self, column: npt.NDArray[np.number[Any]]) -> FloatArray:
        """A column of the trips added up by block; what is in no block is left out."""
        return np.bincount(self.block, weights=column.astype(np.float64), minlength=len(self.driver) + 1)[:-1].astype(
            np.float64
        )

    def count_in_blocks(self, block: IndexArray) -> FloatArray:
        """How many of some events lie in each block, from the blocks of these events."""
        return np.bincount(block, minlength=len(self.driver) + 1)[:-1].astype(np.float64)

    def blocks(self, column: FloatArray) -> Blocks:
        """The blocks with a column of their own, as the ranking takes them."""
        return Blocks(self.driver, column, self.exposure)


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Events that may count, their peaks rising within each lane; dismissed ones are left out.

    `trip` and `block` are each event's; `bounds` (lanes + 1,) is where the lanes, counted through, begin and end.
    """

    trips: TripColumns
    roads: Roads
    bounds: IndexArray
    peak: FloatArray
    trip: IndexArray
    block: IndexArray

    def lane(self, *place: int) -> slice:
        """Where the events of one lane lie: its place is (sureness, kind, vehicle class)."""
        at = int(np.ravel_multi_index(place, LANES))
        return slice(int(self.bounds[at]), int(self.bounds[at + 1]))

    def peaks_of(self, kind: EventKind, *, doubtful: bool = False) -> list[FloatArray]:
        """One kind's peaks on the trips that rank drivers, rising within each array; with the doubtful ones or not."""
        places = np.ndindex(1 + doubtful, 1, len(CLASSES))
        lanes = [self.lane(sureness, KINDS.index(kind), vehicle_class) for sureness, _, vehicle_class in places]
        return [self.peak[lane][self.block[lane] < len(self.roads.driver)] for lane in lanes]


def prepare(events: EventColumns, trips: TripColumns) -> Prepared:
    """Lay out a fleet's events and trips; sorted once, and from then on never."""
    roads = _roads(trips)
    kept = (events.standing != Standing.DISMISSED) & ~np.isnan(events.peak)
    trip, peak = events.trip[kept].astype(np.intp), events.peak[kept]
    doubtful = (events.standing[kept] == Standing.DOUBTFUL).astype(np.intp)
    lane = np.ravel_multi_index((doubtful, events.kind[kept], trips.vehicle_class[trip]), LANES)
    bounds = np.concatenate([[0], np.bincount(lane, minlength=int(np.prod(LANES))).cumsum()])
    order = _by_lane_and_peak(lane, peak, bounds)
    trip = trip[order]
    return Prepared(trips, roads, bounds, peak[order], trip, roads.block[trip])


def _by_lane_and_peak(lane: IndexArray, peak: FloatArray, bounds: IndexArray) -> IndexArray:
    """As a sort by both would order them; numpy sorts bytes, and each lane by itself, in half the time."""
    order: IndexArray = np.argsort(lane.astype(np.uint8), kind="stable")
    for begin, end in pairwise(bounds.tolist()):
        mine = order[begin:end]
        order[begin:end] = mine[np.argsort(peak[mine], kind="stable")]
    return order


def _roads(trips: TripColumns) -> Roads:
    drivers = int(trips.driver.max(initial=-1)) + 1
    usable = np.flatnonzero(trips.usable)
    driver = trips.driver.astype(np.intp)
    hours = trips.duration_s[usable] / SECONDS_PER_HOUR
    distances = complete_distances(driver[usable], trips.distance_km[usable], hours, drivers)
    ranked = usable[~distances.dropped]
    first, of_ranked = _day_blocks(driver[ranked], trips.day[ranked].astype(np.intp))
    block = np.full(len(driver), len(first), dtype=np.intp)
    block[ranked] = of_ranked
    owner = driver[ranked][first]
    exposure = np.bincount(of_ranked, distances.km[~distances.dropped], len(first)) / KM_PER_EXPOSURE
    return Roads(
        block, owner, exposure, np.bincount(owner, exposure, drivers).astype(np.float64),
        np.bincount(driver[ranked], minlength=drivers), np.bincount(owner, minlength=drivers),
    )  # fmt: skip


def _day_blocks(driver: IndexArray, day: IndexArray) -> tuple[IndexArray, IndexArray]:
    """The first trip of each driver's day, and the day's number for each trip; an undated trip is a day of its own."""
    key = driver * (int(day.max(initial=0)) + 1) + day
    key[day < 0] = -1 - np.flatnonzero(day < 0)
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    return first, number
