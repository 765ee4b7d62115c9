"""A trip's score: 100 less what its harsh events cost under a profile; and why, event by event."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.profiles import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleetflow.safety.profiles import ScoringProfile

FULL_SCORE = 100


@dataclass(frozen=True, slots=True)
class TripScore:
    """`safety_score` is a whole number from 0 to 100; `counts` are harsh events per kind (absent means none).

    `points` is what they cost, the caps of the profile applied; above 100 it says how far below 0 the score would be.
    """

    safety_score: int
    counts: Mapping[EventKind, int]
    points: int


@dataclass(frozen=True, slots=True)
class Judged:
    """An event under a profile. `over` is how far its peak exceeds the threshold (negative: stays below), in its unit.

    `points` is what it takes off the score: its penalty, or less where a cap or the end of the score is reached.
    `gone_at` is the lowest threshold, in steps of 0.01 g or 1 km/h, under which it would not count.
    """

    event: HarshEvent
    harsh: bool
    points: int
    over: float
    gone_at: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A trip's score with every event; the points of the events add up to 100 less the score."""

    score: TripScore
    events: tuple[Judged, ...]


def score_trip(events: Iterable[HarshEvent], profile: ScoringProfile, vehicle_class: str | None = None) -> TripScore:
    """`100 - sum over kinds of penalty x harsh events`, each sum up to the kind's cap, not below 0."""
    rules = profile.rules_for(vehicle_class)
    counts: dict[EventKind, int] = {}
    for event in events:
        if profile.is_harsh(event, vehicle_class):
            counts[event.kind] = counts.get(event.kind, 0) + 1
    points = sum(rules[kind].points(count) for kind, count in counts.items())
    return TripScore(max(FULL_SCORE - points, 0), counts, points)


def explain(events: Iterable[HarshEvent], profile: ScoringProfile, vehicle_class: str | None = None) -> Explanation:
    """The score and every event, in order of their peaks, with what it costs and what threshold would let it go."""
    ordered = sorted(events, key=lambda event: (event.peak_s, event.kind))
    rules, counts, left = profile.rules_for(vehicle_class), Counter[EventKind](), FULL_SCORE
    judged = []
    for event in ordered:
        rule, harsh, points = rules[event.kind], profile.is_harsh(event, vehicle_class), 0
        if harsh:
            before, counts[event.kind] = rule.points(counts[event.kind]), counts[event.kind] + 1
            points = min(rule.points(counts[event.kind]) - before, left)
            left -= points
        judged.append(Judged(event, harsh, points, event.peak - rule.threshold, gone_at(event)))
    return Explanation(score_trip(ordered, profile, vehicle_class), tuple(judged))


def gone_at(event: HarshEvent) -> float:
    """The lowest threshold, in steps of 0.01 g or 1 km/h, that the event's peak does not exceed."""
    steps_per_unit = 1 if event.kind is EventKind.SPEEDING else 100
    return math.ceil((event.peak - TOLERANCE) * steps_per_unit) / steps_per_unit
