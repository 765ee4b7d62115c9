"""A draft of a profile: as an address, and in words against the profile it starts from. Pure."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from dashboard import look, words
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import ProfileError, Rule, ScoringProfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ARROW = "\N{RIGHTWARDS ARROW}"
BETWEEN_KINDS, BETWEEN_VALUES = "_", "x"


def to_address(profile: ScoringProfile) -> str:
    """The thresholds and penalties of all kinds in their order: 0.36x5_0.4x5_0.45x0_130x0."""
    rules = [profile.rules[kind] for kind in EventKind]
    return BETWEEN_KINDS.join(f"{rule.threshold:g}{BETWEEN_VALUES}{rule.penalty}" for rule in rules)


def from_address(text: str | None, active: ScoringProfile) -> ScoringProfile:
    """The active profile with the rules of an address; the active one itself where the address means nothing."""
    try:
        parts = [part.split(BETWEEN_VALUES) for part in (text or "").split(BETWEEN_KINDS)]
        pairs = [(float(threshold), int(penalty)) for threshold, penalty in parts]
        draft = with_rules(active, dict(zip(EventKind, pairs, strict=True)))
        draft.check()
    except (ValueError, ProfileError):
        return active
    return draft


def with_rules(profile: ScoringProfile, values: Mapping[EventKind, tuple[float, int]]) -> ScoringProfile:
    """The profile with other thresholds and penalties; caps and the rules of vehicle classes stay."""
    rules = {kind: replace(profile.rules[kind], threshold=each[0], penalty=each[1]) for kind, each in values.items()}
    return replace(profile, rules=MappingProxyType({**profile.rules, **rules}))


def differences(before: ScoringProfile, after: ScoringProfile) -> list[str]:
    """What is different, a phrase each: braking 0.40 g → 0.36 g; cornering 0 → 2 points."""
    found = [each for kind in EventKind for each in _of_rule(kind, before.rules[kind], after.rules[kind])]
    classes = sorted({*before.class_rules, *after.class_rules})
    found += [f"rules for {each}" for each in classes if before.class_rules.get(each) != after.class_rules.get(each)]
    if before.counts_doubtful != after.counts_doubtful:
        found.append(f"doubtful events {'count' if after.counts_doubtful else 'do not count'}")
    if before.minimum_km != after.minimum_km:
        found.append(f"ranked from {before.minimum_km:g} {ARROW} {after.minimum_km:g} km")
    return found


def _of_rule(kind: EventKind, before: Rule, after: Rule) -> Iterator[str]:
    name = look.KINDS[kind].noun.lower()
    if before.threshold != after.threshold:
        yield f"{name} {threshold(kind, before.threshold)} {ARROW} {threshold(kind, after.threshold)}"
    if before.penalty != after.penalty:
        yield f"{name} {before.penalty} {ARROW} {words.plural(after.penalty, 'point')}"
    if before.cap != after.cap:
        yield f"{name} at most {_cap(before)} {ARROW} {_cap(after)} points a trip"


def _cap(rule: Rule) -> str:
    return "any" if rule.cap is None else str(rule.cap)


def threshold(kind: EventKind, value: float) -> str:
    """0.40 g, 130 km/h."""
    return words.decimal(value, 0 if kind is EventKind.SPEEDING else 2, look.KINDS[kind].unit)


def in_short(kind: EventKind, rule: Rule) -> str:
    """0.40 g · 5 points."""
    return f"{threshold(kind, rule.threshold)} · {words.plural(rule.penalty, 'point')}"
