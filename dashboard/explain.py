"""What the trip page shows of an explanation: the events above their thresholds, numbered, and the way to the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetflow.safety import scores
from fleetflow.safety.scores import FULL_SCORE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fleetflow.safety.events import HarshEvent
    from fleetflow.safety.profiles import ScoringProfile


@dataclass(frozen=True, slots=True)
class Judged(scores.Judged):
    """An event under a profile; `number` is its place among the events shown, from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the way from 100 to the score; `lost` is 0 for an event that costs nothing."""

    judged: Judged
    before: int
    lost: int


def judge(events: Iterable[HarshEvent], profile: ScoringProfile, *, below: bool = False) -> list[Judged]:
    """The events above their thresholds, numbered, whether they count or not; with `below`, all events."""
    explained = scores.explain(events, profile).events
    shown = [each for each in explained if below or each.harsh or each.over > 0]
    return [
        Judged(each.event, each.harsh, each.points, each.over, each.gone_at, number)
        for number, each in enumerate(shown, start=1)
    ]


def steps(judged: Sequence[Judged]) -> list[Step]:
    """The way from 100 down, event by event."""
    score = FULL_SCORE
    way: list[Step] = []
    for each in judged:
        way.append(Step(each, score, each.points))
        score -= each.points
    return way


def final_score(judged: Sequence[Judged]) -> int:
    """100 less all points."""
    return FULL_SCORE - sum(each.points for each in judged)
