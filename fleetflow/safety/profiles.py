"""Scoring profiles: which peak counts as harsh and what it costs. A profile never changes; a new one is a version."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fleetflow.safety.events import EventKind, HarshEvent, Standing
from fleetflow.safety.floors import FLOOR_G, FLOOR_KMH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOLERANCE = 1e-9
"""A peak must be above its threshold by more than this, so that 0.4 stored as a double is not above 0.4."""
HIGHEST_G = 2.0  # more than any road vehicle brakes or turns with
HIGHEST_KMH = 300.0
HIGHEST_PENALTY = 100  # the whole score
HIGHEST_EXPOSURE_KM = 100_000.0
LONGEST_NAME = 100


class VehicleClass(StrEnum):
    """Classes for which a profile may have rules of its own; any other vehicle is judged by the profile's own rules."""

    PASSENGER = "passenger"
    LIGHT = "light commercial"
    HEAVY = "heavy"


class ProfileError(ValueError):
    """A profile that means nothing; whoever wrote it has to mend it. `faults` name each value and its range."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Rule:
    """`threshold` is in g (km/h for speeding) and must be exceeded; `penalty` is points per harsh event.

    `cap` is the most points that this kind may take off one trip; None means no such limit.
    """

    threshold: float
    penalty: int
    cap: int | None = None

    def points(self, count: int) -> int:
        """What so many harsh events of a trip cost together."""
        return self.penalty * count if self.cap is None else min(self.penalty * count, self.cap)


@dataclass(frozen=True, slots=True)
class ScoringProfile:
    """A rule per kind of event, and for vehicle classes that need them, rules of their own.

    `counts_doubtful` says whether a doubtful event that nobody has reviewed counts; `minimum_km` is the least distance
    of a period from which a driver may be ranked, besides what the certainty of his figure asks for.
    """

    name: str
    rules: Mapping[EventKind, Rule]
    class_rules: Mapping[str, Mapping[EventKind, Rule]] = field(default_factory=lambda: MappingProxyType({}))
    counts_doubtful: bool = False
    minimum_km: float = 0.0

    def rules_for(self, vehicle_class: str | None) -> Mapping[EventKind, Rule]:
        """The rules by which vehicles of a class are judged."""
        return self.class_rules.get(vehicle_class or "", self.rules)

    def for_class(self, vehicle_class: str | None) -> ScoringProfile:
        """The profile as vehicles of one class meet it: their rules for everybody."""
        return replace(self, rules=self.rules_for(vehicle_class), class_rules=MappingProxyType({}))

    def is_harsh(self, event: HarshEvent, vehicle_class: str | None = None) -> bool:
        """Whether the event counts: it may count at all, and its peak is strictly above the threshold."""
        threshold = self.rules_for(vehicle_class)[event.kind].threshold
        return self.lets_count(event.standing) and event.peak > threshold + TOLERANCE

    def lets_count(self, standing: Standing) -> bool:
        """Whether an event of this standing may count."""
        if standing is Standing.DOUBTFUL:
            return self.counts_doubtful
        return standing is not Standing.DISMISSED

    def check(self) -> None:
        """Raise ProfileError that names every value out of its range, with the range."""
        faults = [*_faults_of_whole(self), *_faults_of_rules("", self.rules)]
        for vehicle_class, rules in self.class_rules.items():
            if vehicle_class not in list(VehicleClass):
                faults.append(f"{vehicle_class!r} is no vehicle class; there are {', '.join(VehicleClass)}.")
            faults.extend(_faults_of_rules(f"{vehicle_class}: ", rules))
        if faults:
            raise ProfileError(faults)

    def content(self) -> dict[str, Any]:
        """The profile without its name, as the JSON object that is stored."""
        return {
            "rules": _as_json(self.rules),
            "classes": {str(vehicle_class): _as_json(rules) for vehicle_class, rules in self.class_rules.items()},
            "counts_doubtful": self.counts_doubtful,
            "minimum_km": self.minimum_km,
        }

    @classmethod
    def from_content(cls, name: str, content: Mapping[str, Any]) -> ScoringProfile:
        """The profile that `content()` described."""
        return cls(
            name,
            _from_json(content["rules"]),
            MappingProxyType({each: _from_json(rules) for each, rules in content["classes"].items()}),
            counts_doubtful=bool(content["counts_doubtful"]),
            minimum_km=float(content["minimum_km"]),
        )


def threshold_range(kind: EventKind) -> tuple[float, float]:
    """The lowest and the highest threshold that makes sense: below the lowest no event is kept to be judged."""
    return (FLOOR_KMH, HIGHEST_KMH) if kind is EventKind.SPEEDING else (FLOOR_G, HIGHEST_G)


def _faults_of_whole(profile: ScoringProfile) -> Iterator[str]:
    if not 1 <= len(profile.name.strip()) <= LONGEST_NAME:
        yield f"The name must have 1 to {LONGEST_NAME} characters."
    if not 0 <= profile.minimum_km <= HIGHEST_EXPOSURE_KM:
        yield f"The minimum distance must be from 0 to {HIGHEST_EXPOSURE_KM:,.0f} km."


def _faults_of_rules(where: str, rules: Mapping[EventKind, Rule]) -> Iterator[str]:
    for kind in EventKind:
        if kind not in rules:
            yield f"{where}{kind} has no rule."
            continue
        rule, (low, high) = rules[kind], threshold_range(kind)
        unit = "km/h" if kind is EventKind.SPEEDING else "g"
        if not (math.isfinite(rule.threshold) and low <= rule.threshold <= high):
            yield f"{where}The threshold of {kind} must be from {low:g} to {high:g} {unit}."
        if not (math.isfinite(rule.penalty) and 0 <= rule.penalty <= HIGHEST_PENALTY and rule.penalty % 1 == 0):
            yield f"{where}The penalty of {kind} must be a whole number from 0 to {HIGHEST_PENALTY}."
        if rule.cap is not None and not (math.isfinite(rule.cap) and 0 <= rule.cap <= HIGHEST_PENALTY):
            yield f"{where}The cap of {kind} must be from 0 to {HIGHEST_PENALTY} points."


def _as_json(rules: Mapping[EventKind, Rule]) -> dict[str, Any]:
    return {
        kind.value: {"threshold": rule.threshold, "penalty": rule.penalty, "cap": rule.cap}
        for kind, rule in rules.items()
    }


def _from_json(rules: Mapping[str, Any]) -> Mapping[EventKind, Rule]:
    return MappingProxyType(
        {
            EventKind(kind): Rule(float(rule["threshold"]), int(rule["penalty"]), rule.get("cap"))
            for kind, rule in rules.items()
        }
    )


# Braking and acceleration: 0.40 g, within the 0.38-0.45 g that vendors use for passenger cars and light vans.
# Cornering: 0.45 g, between eDriving Mentor's 0.5 and the lower limits for vans; counted, costs nothing.
# Speeding: 130 km/h, the highest general motorway limit in most of Europe; counted, costs nothing.
DEFAULT_PROFILE = ScoringProfile(
    "Default",
    MappingProxyType(
        {
            EventKind.BRAKING: Rule(0.40, 5),
            EventKind.ACCELERATION: Rule(0.40, 5),
            EventKind.CORNERING: Rule(0.45, 0),
            EventKind.SPEEDING: Rule(130.0, 0),
        }
    ),
)
