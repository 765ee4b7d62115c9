"""Trip: what happened when, which events count, and why the trip has its score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import components, data, trip_explained, trip_states, trip_subject, trip_view

if TYPE_CHECKING:
    from dashboard.trip_subject import Subject


def main() -> None:
    """Which trip, its state, then figures, signals, events and the explanation."""
    asked = st.query_params.get("trip", "")
    if not asked:
        trip_states.show_choice()
        return
    database = components.database()
    stored = trip_subject.asked_profile(database)
    trip = data.trip(database, stored.version, asked.strip())
    if trip is None:
        trip_states.show_unknown()
        return
    controls = trip_states.show_head(trip, stored)
    if not trip_states.show_status(trip, stored, data.active_profile(database).version):
        return
    subject = trip_subject.load(trip, stored)
    trip_view.show_key_figures(subject)
    if subject.samples.empty:
        trip_states.show_samples_removed(trip)
    else:
        with controls:
            trip_explained.download_samples(subject)
        with st.container(border=True):
            trip_view.show_signals(subject)
    show_events(subject)
    show_explanation(subject)


def show_events(subject: Subject) -> None:
    """The table of events beside the one that is looked at."""
    with st.grid(3, min_column_width=330, border=True) as grid:
        with grid.cell(column_span=2):
            trip_view.show_event_table(subject)
        with grid.cell():
            trip_view.show_event(subject)


def show_explanation(subject: Subject) -> None:
    """The way to the score, how it was driven and where; then other profiles and the signals."""
    with st.grid(3, min_column_width=300, border=True) as grid:
        with grid.cell():
            trip_explained.show_waterfall(subject)
        with grid.cell():
            trip_explained.show_plane(subject)
        with grid.cell():
            trip_explained.show_route(subject)
    with st.grid(2, min_column_width=420, border=True) as grid:
        with grid.cell():
            trip_explained.show_profiles(subject)
        with grid.cell():
            trip_explained.show_quality(subject)


main()
