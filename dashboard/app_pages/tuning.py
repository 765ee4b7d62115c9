"""Tuning: try thresholds and penalties on the whole fleet, see who moves, and apply them as a new profile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import components, data, fleet_view, tuning_view, words

if TYPE_CHECKING:
    from fleetflow.storage.profiles import StoredProfile

CAPTION = "Nothing is stored until you apply; earlier scores stay."


def main() -> None:
    """The controls, then what they would do to the fleet, then applying them and the profiles so far."""
    zone, now = components.zone(), datetime.now(UTC)
    since = words.period_start(components.PERIODS[components.current_period()], zone, now)
    controls = components.head("Tuning", CAPTION)
    with controls:
        components.period_control()
    database = components.database()
    active = data.active_profile(database)
    tuning_view.show_run(database)
    driver_ids, prepared = data.fleet(database, since, zone)
    if not driver_ids:
        fleet_view.show_nothing(components.current_period())
        show_profiles(database, active)
        return
    draft = tuning_view.controls(prepared, active.profile)
    if draft == active.profile:
        components.state("tune", "Move a slider to see who moves", f"The sliders show profile {active.version}.")
    else:
        tuning_view.show_effect(driver_ids, prepared, active.profile, draft)
        tuning_view.show_apply(database, draft)
    show_profiles(database, active)


def show_profiles(database: str, active: StoredProfile) -> None:
    """Every version so far, and the way back to each."""
    with st.container(border=True):
        components.card_head("Profiles", "None ever changes. Going back is immediate where the scores exist.")
        tuning_view.show_profiles(database, active.version)


main()
