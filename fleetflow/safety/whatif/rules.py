"""A profile as arrays: thresholds and penalties by kind and vehicle class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fleetflow.safety.judging import KINDS

if TYPE_CHECKING:
    from fleetflow.safety.events import EventKind
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.trips.samples import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RuleTable:
    """`thresholds` (g; km/h for speeding) and `penalties`, both (kinds, classes)."""

    thresholds: FloatArray
    penalties: npt.NDArray[np.int64]


def rules_of(profile: ScoringProfile, classes: int) -> RuleTable:
    """The rules of the first `classes` vehicle classes."""
    rules = [[profile.rules[kind]] * classes for kind in KINDS]
    thresholds = np.array([[rule.threshold for rule in row] for row in rules])
    return RuleTable(thresholds, np.array([[rule.penalty for rule in row] for row in rules]))


def with_threshold(profile: ScoringProfile, kind: EventKind, threshold: float) -> ScoringProfile:
    """The profile with another threshold for one kind."""
    rules = {**profile.rules, kind: replace(profile.rules[kind], threshold=threshold)}
    return replace(profile, rules=MappingProxyType(rules))
