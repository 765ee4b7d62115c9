"""Events by their peaks: those above the least threshold of their kind, and the threshold each is judged by.

They are found in the index on peaks alone (harsh_events_peak_idx has every column that is named here): what is harsh is
a small part of all events and lies all over the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleetflow.safety.judging import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection

    from fleetflow.safety.events import EventKind
    from fleetflow.safety.profiles import ScoringProfile

PEAK = "(CASE WHEN event.kind = 'speeding' THEN event.speed_kmh ELSE event.peak_g END)"
"""In the words of the index."""
_COLUMNS = f"event.id, event.trip_id, event.kind, event.peak_s, event.doubts, event.review, {PEAK} AS peak"
# One part a kind: of kinds joined by OR the index tells where the rows are, and each is fetched.
ABOVE = " UNION ALL ".join(
    f"SELECT {_COLUMNS} FROM telemetry.harsh_events AS event WHERE event.kind = '{kind}' AND {PEAK} > %({kind})s"  # noqa: S608
    for kind in KINDS
)
"""With `least_of` as values."""
RULE = """
CROSS JOIN LATERAL (
    SELECT (%(thresholds)b::float8[])[
        %(kinds_count)s * COALESCE(array_position(%(classes)s::text[], vehicle.vehicle_class::text), 0)
        + array_position(%(kinds)s::text[], event.kind::text)]
) AS rule (threshold)
"""
"""Beside an event and its vehicle, with `rules_of` as values: a look into an array, which, unlike a join, the planner
cannot multiply the events with."""


def least_of(profile: ScoringProfile, kinds: Collection[EventKind] = KINDS) -> dict[str, float]:
    """The lowest threshold of any class, kind by kind; beyond every peak for the kinds that are not wanted."""
    every = (profile.rules, *profile.class_rules.values())
    return {
        kind.value: min(rules[kind].threshold for rules in every) if kind in kinds else float("inf") for kind in KINDS
    }


def rules_of(profile: ScoringProfile) -> dict[str, Any]:
    """The thresholds of all classes."""
    classes = list(profile.class_rules)
    thresholds = [profile.rules_for(each)[kind].threshold for each in (None, *classes) for kind in KINDS]
    return {"classes": classes, "kinds": list(KINDS), "kinds_count": len(KINDS), "thresholds": thresholds}
