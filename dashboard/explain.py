"""Why a trip has its score: every event judged under a profile, with its margin. Pure; no drawing, no I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.scores import FULL_SCORE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fleetflow.safety.profiles import ScoringProfile


@dataclass(frozen=True, slots=True)
class Judged:
    """An event under a profile. `over` is how far its peak exceeds the threshold (negative: stays below), in its unit.

    `number` is its place among the events shown, from 1; `points` is what it costs; `gone_at` is the lowest
    threshold, in steps of 0.01 g or 1 km/h, under which it would not count.
    """

    number: int
    event: HarshEvent
    harsh: bool
    points: int
    over: float
    gone_at: float


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the way from 100 to the score; `lost` is 0 for an event that costs nothing."""

    judged: Judged
    before: int
    lost: int


def judge(events: Iterable[HarshEvent], profile: ScoringProfile, *, below: bool = False) -> list[Judged]:
    """The harsh and the doubtful events above the threshold, numbered; with `below`, all events."""
    judged: list[Judged] = []
    for event in events:
        over = peak_value(event) - profile.rules[event.kind].threshold
        harsh = profile.is_harsh(event)
        if harsh or below or (event.doubts and over > 0):
            points = profile.rules[event.kind].penalty if harsh else 0
            judged.append(Judged(len(judged) + 1, event, harsh, points, over, gone_at(event)))
    return judged


def peak_value(event: HarshEvent) -> float:
    """The peak in g; in km/h for speeding."""
    peak = event.speed_kmh if event.kind is EventKind.SPEEDING else event.peak_g
    return peak if peak is not None else 0.0


def gone_at(event: HarshEvent) -> float:
    """The lowest threshold, in steps of 0.01 g or 1 km/h, that the peak does not exceed."""
    step = 1.0 if event.kind is EventKind.SPEEDING else 0.01
    return math.ceil(round(peak_value(event) / step, 6)) * step


def steps(judged: Sequence[Judged]) -> list[Step]:
    """The way from 100 down, event by event; what would go below 0 is lost no more."""
    score = FULL_SCORE
    way: list[Step] = []
    for each in judged:
        lost = min(each.points, score)
        way.append(Step(each, score, lost))
        score -= lost
    return way


def final_score(judged: Sequence[Judged]) -> int:
    """100 less all points, not below 0."""
    return max(FULL_SCORE - sum(each.points for each in judged), 0)
