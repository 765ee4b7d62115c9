"""A trip's score: 100 less what its harsh events cost under a profile."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fleetflow.safety.events import EventKind, HarshEvent
    from fleetflow.safety.profiles import ScoringProfile

FULL_SCORE = 100


@dataclass(frozen=True, slots=True)
class TripScore:
    """`safety_score` is a whole number from 0 to 100; `counts` are harsh events per kind (absent means none)."""

    safety_score: int
    counts: Mapping[EventKind, int]


def score_trip(events: Iterable[HarshEvent], profile: ScoringProfile) -> TripScore:
    """`100 - sum over kinds of penalty x harsh events`, not below 0."""
    counts = Counter(event.kind for event in events if profile.is_harsh(event))
    lost = sum(profile.rules[kind].penalty * count for kind, count in counts.items())
    return TripScore(max(FULL_SCORE - lost, 0), dict(counts))
