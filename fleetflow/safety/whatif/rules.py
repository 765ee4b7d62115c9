"""A profile as arrays: thresholds, penalties and caps by kind and vehicle class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fleetflow.safety.judging import CLASSES, KINDS

if TYPE_CHECKING:
    from fleetflow.safety.events import EventKind
    from fleetflow.safety.profiles import Rule, ScoringProfile
    from fleetflow.trips.samples import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RuleTable:
    """All (kinds, classes): `thresholds` in g (km/h for speeding), `penalties`, and `caps` in points (inf for none)."""

    thresholds: FloatArray
    penalties: FloatArray
    caps: FloatArray
    counts_doubtful: bool
    minimum_km: float

    def points_of_kind(
        self, kind: int, counts: npt.NDArray[np.int32], vehicle_class: npt.NDArray[np.int8]
    ) -> FloatArray:
        """What one kind's harsh events cost each trip, from its `counts` and the trips' classes."""
        points: FloatArray = np.minimum(counts * self.penalties[kind][vehicle_class], self.caps[kind][vehicle_class])
        return points


def rules_of(profile: ScoringProfile) -> RuleTable:
    """The rules of all classes."""
    rules = [[profile.rules_for(name)[kind] for name in CLASSES] for kind in KINDS]
    thresholds, penalties, caps = np.moveaxis(
        np.array([[(each.threshold, each.penalty, _cap(each)) for each in row] for row in rules], dtype=np.float64),
        2,
        0,
    )
    return RuleTable(thresholds, penalties, caps, profile.counts_doubtful, profile.minimum_km)


def with_threshold(
    profile: ScoringProfile, kind: EventKind, threshold: float, vehicle_class: str | None = None
) -> ScoringProfile:
    """The profile with another threshold for one kind, for a class with rules of its own or for all others."""
    own = profile.rules_for(vehicle_class)
    rules = MappingProxyType({**own, kind: replace(own[kind], threshold=threshold)})
    if vehicle_class is None or vehicle_class not in profile.class_rules:
        return replace(profile, rules=rules)
    return replace(profile, class_rules=MappingProxyType({**profile.class_rules, vehicle_class: rules}))


def _cap(rule: Rule) -> float:
    return np.inf if rule.cap is None else rule.cap
