"""Scoring profiles: which peak counts as harsh and what it costs. A profile never changes; a new one is a version."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fleetflow.safety.events import EventKind, HarshEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLERANCE = 1e-9
"""A peak must be above its threshold by more than this, so that 0.4 stored as a double is not above 0.4."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`threshold` is in g (km/h for speeding) and must be exceeded; `penalty` is points per harsh event."""

    threshold: float
    penalty: int


@dataclass(frozen=True, slots=True)
class ScoringProfile:
    """One rule per kind of event."""

    name: str
    rules: Mapping[EventKind, Rule]

    def is_harsh(self, event: HarshEvent) -> bool:
        """Whether the event counts: not doubtful, and its peak strictly above the threshold."""
        peak = event.speed_kmh if event.kind is EventKind.SPEEDING else event.peak_g
        return not event.doubts and peak is not None and peak > self.rules[event.kind].threshold + TOLERANCE

    def content(self) -> dict[str, Any]:
        """The rules as the JSON object that is stored."""
        return {kind.value: {"threshold": rule.threshold, "penalty": rule.penalty} for kind, rule in self.rules.items()}

    @classmethod
    def from_content(cls, name: str, content: Mapping[str, Any]) -> ScoringProfile:
        """The profile that `content()` described."""
        rules = {
            EventKind(kind): Rule(float(rule["threshold"]), int(rule["penalty"])) for kind, rule in content.items()
        }
        return cls(name, MappingProxyType(rules))


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
