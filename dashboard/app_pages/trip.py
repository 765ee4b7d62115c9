"""Trip: what happened when, which events count, and why the trip has its score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import components, data, explain, trip_charts, trip_states, trip_view

if TYPE_CHECKING:
    from dashboard.trip_view import Subject


def main() -> None:
    """Which trip, its state, then figures, signals, events and the explanation."""
    asked = st.query_params.get("trip", "")
    if not asked:
        trip_states.show_choice()
        return
    database = components.database()
    profile = data.active_profile(database)
    trip = data.trip(database, profile.version, asked.strip())
    if trip is None:
        trip_states.show_unknown()
        return
    trip_states.show_head(trip)
    if not trip_states.show_status(trip, profile.version):
        return
    subject = trip_view.load(trip, profile.profile)
    trip_view.show_key_figures(subject)
    show_signals(subject)
    show_events(subject)
    show_explanation(subject)


def show_signals(subject: Subject) -> None:
    """Speed and acceleration on one time axis: the whole trip, or a part of it with every sample."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("Speed and g-force", anchor=False, width="content", help=trip_view.SIGNALS_HELP)
            st.space("stretch")
            trip_view.view_control(subject)
        chosen = subject.chosen.number if subject.chosen else None
        scene = trip_charts.Scene(
            subject.samples, subject.judged, subject.profile, subject.axis, subject.window, chosen
        )
        trip_view.show_zoomable(subject, trip_charts.signals(scene))


def show_events(subject: Subject) -> None:
    """The table of events beside the one that is looked at."""
    with st.grid(3, min_column_width=330, border=True) as grid:
        with grid.cell(column_span=2):
            trip_view.show_event_table(subject)
        with grid.cell():
            trip_view.show_event(subject)


def show_explanation(subject: Subject) -> None:
    """The way from 100 to the score, and the facts of the trip."""
    with st.grid(3, min_column_width=330, border=True) as grid:
        with grid.cell(column_span=2):
            score = explain.final_score(subject.judged)
            components.card_head(f"From 100 to {score}", help=trip_view.WATERFALL_HELP)
            trip_view.show_waterfall(subject, score)
        with grid.cell():
            components.card_head("Facts")
            st.table(trip_view.facts(subject), border="horizontal", hide_header=True)


main()
