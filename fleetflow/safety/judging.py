"""Judging the events of many trips at once: a profile's thresholds against columns of peaks, no sample needed.

`fleetflow.safety.scores` says the same of one trip; a test holds the two to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fleetflow.safety.events import EventKind, Standing
from fleetflow.safety.profiles import TOLERANCE, VehicleClass
from fleetflow.safety.scores import FULL_SCORE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fleetflow.safety.profiles import Rule, ScoringProfile
    from fleetflow.trips.samples import FloatArray

KINDS = tuple(EventKind)
CLASSES = ("", *VehicleClass)
"""What `TripColumns.vehicle_class` counts through; the first stands for vehicles of any other class or none."""
IntArray = npt.NDArray[np.int32]
ClassArray = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class TripColumns:
    """A row per trip. `driver` numbers the drivers from 0, `day` is any number that is the same on one local day.

    `distance_km` and `duration_s` are NaN where unknown; `usable` is False where the signals cannot be believed.
    """

    driver: IntArray
    vehicle_class: ClassArray
    day: IntArray
    distance_km: FloatArray
    duration_s: FloatArray
    usable: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.driver)


@dataclass(frozen=True, slots=True, eq=False)
class EventColumns:
    """A row per event: `trip` is its row among the trips, `kind` its place in KINDS, `standing` a `Standing`.

    `peak` is in g, for speeding in km/h.
    """

    trip: IntArray
    kind: npt.NDArray[np.int8]
    peak: FloatArray
    standing: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.trip)


def class_numbers(names: Iterable[str | None]) -> ClassArray:
    """The place in CLASSES of each vehicle class by name."""
    known: Mapping[str | None, int] = {name: number for number, name in enumerate(CLASSES)}
    return np.array([known.get(name, 0) for name in names], dtype=np.int8)


def is_harsh(events: EventColumns, vehicle_class: ClassArray, profile: ScoringProfile) -> npt.NDArray[np.bool_]:
    """Whether each event counts under the profile; `vehicle_class` is that of each trip, by its place in CLASSES."""
    lets_count = np.array([profile.lets_count(standing) for standing in Standing])
    thresholds = _table(profile, lambda rule: rule.threshold)
    limit = thresholds[vehicle_class[events.trip], events.kind]
    harsh: npt.NDArray[np.bool_] = lets_count[events.standing] & (events.peak > limit + TOLERANCE)
    return harsh


def count_harsh(events: EventColumns, vehicle_class: ClassArray, profile: ScoringProfile) -> IntArray:
    """Harsh events per trip (rows) and kind (columns, as in KINDS)."""
    counted, trips = is_harsh(events, vehicle_class, profile), len(vehicle_class)
    cells = events.trip[counted].astype(np.intp) * len(KINDS) + events.kind[counted]
    return np.bincount(cells, minlength=trips * len(KINDS)).reshape(trips, len(KINDS)).astype(np.int32)


def points_of(counts: IntArray, vehicle_class: ClassArray, profile: ScoringProfile) -> IntArray:
    """What each trip's harsh events cost, the caps of the kinds applied; may exceed 100."""
    penalties = _table(profile, lambda rule: rule.penalty)[vehicle_class]
    caps = _table(profile, lambda rule: np.inf if rule.cap is None else rule.cap)[vehicle_class]
    points: IntArray = np.minimum(counts * penalties, caps).sum(axis=1).astype(np.int32)
    return points


def scores_of(points: IntArray) -> IntArray:
    """The safety score of each trip."""
    return np.maximum(FULL_SCORE - points, 0)


def _table(profile: ScoringProfile, value: Callable[[Rule], float]) -> FloatArray:
    """A value of each rule, by vehicle class (rows) and kind."""
    return np.array([[value(profile.rules_for(name)[kind]) for kind in KINDS] for name in CLASSES], dtype=np.float64)
