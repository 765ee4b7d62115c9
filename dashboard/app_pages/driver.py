"""Driver: where one driver stands, how surely, what changed and why, his trips, and what was agreed with him."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import (
    coaching_view,
    components,
    data,
    driver_cards,
    driver_view,
    fleet_view,
    report_view,
    states,
    tables,
    words,
)

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.changing import Explanation
    from dashboard.driver_view import Subject
    from fleetflow.storage.coaching import CoachingNote

MOST_TRIPS = 500


def main() -> None:
    """Whom and when, then figures, charts, trips and coaching."""
    zone, now, period = components.zone(), datetime.now(UTC), components.current_period()
    since = words.period_start(components.PERIODS[period], zone, now)
    database = components.database()
    known = data.drivers(database)
    names = dict(zip(known["driver_id"], tables.driver_names(known), strict=True))
    driver_id = st.query_params.get("driver", "")
    if driver_id not in names:
        show_choice(names, driver_id, zone)
        return
    subject = driver_view.load(database, driver_id, names[driver_id], period, now)
    driver_view.show_head(subject, names, fleet_view.caption(since, now, zone))
    trips = data.trips(database, subject.stored.version, driver_id, since, MOST_TRIPS)
    notes = data.coaching_notes(database, driver_id)
    badges = driver_view.show_badges(subject)
    if trips.empty:
        show_no_trips(period)
    else:
        driver_view.show_key_figures(subject)
        everybody, explained = driver_cards.load_weeks(subject, now), driver_cards.explain_change(subject)
        show_charts(subject, everybody, explained, notes, now)
        driver_cards.show_trips(trips, subject, MOST_TRIPS)
        with badges:
            report_view.show_button(
                report_view.content(subject, now, everybody=everybody, explained=explained, trips=trips, notes=notes)
            )
    show_coaching(subject, notes)


def show_choice(names: dict[str, str], asked: str, zone: str) -> None:
    """No driver in the address, or one that is not known."""
    with components.head("Drivers", words.zone_note(zone).capitalize()):
        components.driver_picker(names, None)
    if not names:
        states.empty_fleet()
    elif asked:
        states.card("person_search", "No such driver", "The address may be cut short. Choose a driver above.")
    else:
        states.card("person", "Choose a driver", "Pick one above or from the leaderboard.")


def show_no_trips(period: str) -> None:
    """A driver who did not drive in the period."""
    days = components.PERIODS[period]
    title = f"No trips in the last {days} days" if days else "No trips"
    inner = states.card("event_busy", title, "Trips outside of this period are not shown here.")
    if days:
        inner.button("Show all time", on_click=components.choose_period, args=("all",))


def show_charts(
    subject: Subject, everybody: pd.DataFrame, explained: Explanation | None, notes: list[CoachingNote], now: datetime
) -> None:
    """How it went, why it changed, what happened and when."""
    with st.grid(3, min_column_width=330, border=True) as grid:
        with grid.cell(column_span=2):
            driver_cards.show_weeks(subject, everybody, notes)
        with grid.cell():
            driver_cards.show_change(subject, explained)
    with st.grid(2, min_column_width=420, border=True) as grid:
        with grid.cell():
            driver_cards.show_severity(subject)
        with grid.cell():
            driver_cards.show_hours(subject, now)


def show_coaching(subject: Subject, notes: list[CoachingNote]) -> None:
    """The notes and the form for another."""
    with st.grid(3, min_column_width=330, border=True) as grid:
        with grid.cell(column_span=2):
            coaching_view.show_notes(subject, notes)
        with grid.cell():
            coaching_view.show_form(subject)


main()
