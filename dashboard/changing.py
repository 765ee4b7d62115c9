"""Why one driver's figure changed between two reports, from his trips and events. Pure; see fleetflow.safety.change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from fleetflow.safety.change import TENTHS, Change, Part, explain_change
from fleetflow.safety.events import EventKind, Review, Standing
from fleetflow.safety.profiles import TOLERANCE
from fleetflow.trips.survey import BAND_EDGES_KMH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    import pandas as pd

    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.trips.samples import FloatArray

T = TypeVar("T")

BAND_COLUMNS = ["town_km", "country_km", "motorway_km"]
BANDS = len(BAND_COLUMNS)
PART_WORDS = {
    Part.DRIVING: "Driving",
    Part.ROAD_MIX: "Roads driven",
    Part.PROFILE: "Profile",
    Part.REVIEWS: "Reviews",
    Part.CERTAINTY_AND_FLEET: "Pull to fleet",
}


@dataclass(frozen=True, slots=True)
class Report:
    """One of the two reports: the profile, what was driven, and points per 100 km as estimated with the fleet."""

    profile: ScoringProfile
    distance_km: float
    figure: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Points per 100 km in tenths, as shown: before, the parts by their words, and now; they add up."""

    before: int
    parts: dict[str, int]
    after: int

    @property
    def rows(self) -> list[tuple[str, float]]:
        """The parts in points per 100 km, in the order in which they are shown."""
        return [(word, tenths / TENTHS) for word, tenths in self.parts.items()]


def explain(
    events: pd.DataFrame, trips: pd.DataFrame, cut: datetime, before: Report, after: Report, *, own_share: float
) -> Explanation | None:
    """Break the change into driving, roads, profile, reviews and the pull to the fleet; None without driving in both.

    `events` and `trips` are those of both periods, as storage.drivers gives them; what began before `cut` belongs to
    the first. Reviews were known at the first report as `review_then` says, and `own_share` is how much the driver's
    own data weigh in its figure, from 0 to 1.
    """
    distance_km = np.stack([_bands(trips, late, cut, of.distance_km) for late, of in ((False, before), (True, after))])
    if not (distance_km.sum(axis=1) > 0).all():
        return None
    points = _points(events, cut, (before.profile, after.profile))
    known_then = points[0, 0, 0].sum() / distance_km[0].sum() * 100.0
    known_now = points[0, 0, 1].sum() / distance_km[0].sum() * 100.0
    # The fleet of the first report is known as it is judged now; the driver's figure is put back by his own reviews.
    figure = max(before.figure + own_share * (known_then - known_now), 0.0)
    figures = np.array([[figure, after.figure]])
    return _as_shown(figures, explain_change(points[None], distance_km[None], figures))


def _as_shown(figures: FloatArray, change: Change) -> Explanation:
    before, after = (int(each) for each in np.rint(figures[0] * TENTHS))
    tenths = dict(zip(PART_WORDS.values(), (int(each) for each in change.shown_tenths[0]), strict=True))
    return Explanation(before, tenths, after)


def _bands(trips: pd.DataFrame, late: bool, cut: datetime, distance_km: float) -> FloatArray:  # noqa: FBT001
    """Kilometres by speed band in one of the periods, stretched to what the report says was driven."""
    inside = trips[(trips["began_at"] >= cut) == late]
    km: FloatArray = inside[BAND_COLUMNS].fillna(0.0).sum().to_numpy(dtype=np.float64)
    if not km.sum() > 0:
        km = np.eye(BANDS)[0]  # nobody knows the roads: all of them are one
    return np.asarray(km / km.sum() * max(distance_km, 0.0), dtype=np.float64)


def _points(events: pd.DataFrame, cut: datetime, profiles: tuple[ScoringProfile, ScoringProfile]) -> FloatArray:
    """Penalty points (2 periods, 2 profiles, 2 states of review, bands)."""
    late = (events["began_at"] >= cut).to_numpy()
    band = np.digitize(events["speed_kmh"].fillna(0.0).to_numpy(dtype=np.float64), BAND_EDGES_KMH)
    points = np.zeros((2, 2, 2, BANDS))
    for number, profile in enumerate(profiles):
        for state, column in enumerate(("review_then", "review")):
            paid = event_points(events, profile, column)
            for period in (0, 1):
                points[period, number, state] = np.bincount(band, paid * (late == period), BANDS)
    return points


def event_points(events: pd.DataFrame, profile: ScoringProfile, review: str = "review") -> FloatArray:
    """What each event cost, the caps of its trip shared among its kind; 0 for one that does not count."""
    harsh = is_harsh(events, profile, review)
    counted = events[harsh]
    count = counted.groupby(["trip_id", "kind"])["peak"].transform("size")
    paid = np.zeros(len(events))
    rows = zip(counted["vehicle_class"], counted["kind"], count, strict=True)
    paid[harsh] = _each(rows, lambda name, kind, many: profile.rules_for(name)[EventKind(kind)].points(many) / many)
    return paid


def is_harsh(events: pd.DataFrame, profile: ScoringProfile, review: str = "review") -> np.ndarray:
    """Whether each event counts under a profile, with the reviews of that column."""
    rows = zip(events["doubtful"], events[review], strict=True)
    counts = _each(rows, lambda doubtful, judged: profile.lets_count(_standing(doubtful, judged)))
    over = events["peak"].to_numpy(dtype=np.float64) > thresholds(events, profile) + TOLERANCE
    return np.asarray(over & np.array(counts, dtype=bool))


def thresholds(events: pd.DataFrame, profile: ScoringProfile) -> FloatArray:
    """The threshold that each event has to exceed, by its kind and the class of its vehicle."""
    rows = zip(events["vehicle_class"], events["kind"], strict=True)
    return np.array(_each(rows, lambda name, kind: profile.rules_for(name)[EventKind(kind)].threshold), dtype=float)


def _each(rows: Iterable[tuple[Any, ...]], answer: Callable[..., T]) -> list[T]:
    """An answer for each row, made once for all that are alike: thousands of events are of a few sorts."""
    listed = list(rows)
    answers = {row: answer(*row) for row in set(listed)}
    return [answers[row] for row in listed]


def _standing(doubtful: bool, review: str | None) -> Standing:  # noqa: FBT001
    if review is None:
        return Standing.DOUBTFUL if doubtful else Standing.COUNTS
    return Standing.CONFIRMED if review == Review.CONFIRMED else Standing.DISMISSED
