"""Tuning: try thresholds and penalties on the whole fleet, see who moves, and apply them as a new profile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import (
    applying,
    components,
    data,
    drafting,
    fleet_view,
    profiles_view,
    run_view,
    states,
    tuning_controls,
    tuning_view,
    words,
)

if TYPE_CHECKING:
    from fleetflow.safety.whatif.compare import Comparison
    from fleetflow.storage.profiles import StoredProfile

CAPTION = "Nothing is stored until you apply; earlier scores stay."


def main() -> None:
    """The controls, then what they would do to the fleet, then the profiles so far and the bar that applies."""
    zone, database = components.zone(), components.database()
    since = words.period_start(components.PERIODS[components.current_period()], zone, datetime.now(UTC))
    with components.head("Tuning", CAPTION):
        group = fleet_view.group_control() or None
        components.period_control()
    active = data.active_profile(database)
    run_view.follow(database, when_over=drafting.discard)
    fleet = data.fleet(data.Scope(database, since, zone, group))
    if fleet.driver_ids:
        show_effect(database, fleet, active)
    else:
        fleet_view.show_nothing(components.current_period())
    profiles_view.show_profiles(database, active)


def show_effect(database: str, fleet: data.Fleet, active: StoredProfile) -> None:
    """The sliders and what they lead to; what takes longest comes last, so that nothing waits for it."""
    draft = drafting.current(active.profile)
    keys = data.key_of(active.profile), data.key_of(draft)
    found = None if draft == active.profile else data.whatif(fleet, *keys)
    judged = [found.before, found.after] if found else [data.judged(fleet, keys[0])]
    counts = [tuning_controls.harsh_by_kind(fleet.prepared, each) for each in judged]
    tuning_controls.show_controls(fleet, active, draft, counts)
    if found:
        tuning_view.show_figures(found, counts)
    with st.grid(2, min_column_width=430, border=True) as grid:
        with grid.cell():
            show_moves(fleet.driver_ids, found, active.version)
        with grid.cell():
            if found:
                tuning_view.show_scores(found)
                applying.show_bar(database, active, draft)
            tuning_view.show_stability(fleet, active.profile, draft)


def show_moves(driver_ids: list[str], found: Comparison | None, version: int) -> None:
    """Who moves under the draft, or how to make one."""
    if found:
        tuning_view.show_moves(driver_ids, found, version)
        return
    components.card_head("Rank moves")
    states.card("tune", "Move a slider to see who moves", f"The sliders show profile {version}.")


main()
