"""The trip page around the trip: which one, its head, and its states before it has a score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import components, data, states, tables, words
from dashboard.trip_subject import choose_profile

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from fleetflow.storage.profiles import StoredProfile
    from fleetflow.storage.reports import TripReport


def show_choice() -> None:
    """No trip in the address: the newest ones to pick from, and a box for an id."""
    zone, database = components.zone(), components.database()
    with components.head("Trips", f"The newest trips · {words.zone_note(zone)}"):
        _id_box()
    trips = data.newest_trips(database, data.active_profile(database).version, 100)
    states.waiting_note()
    if trips.empty:
        states.empty_fleet()
        return
    with st.container(border=True):
        tables.trips(trips, zone, with_driver=True)
        components.csv_footer(trips, "The time opens the trip.", "fleetflow-trips.csv")


def _id_box() -> None:
    def go() -> None:
        if typed := st.session_state["trip_id"].strip():
            st.query_params["trip"] = typed

    st.text_input(
        "Trip id",
        key="trip_id",
        placeholder="Open a trip by its id",
        label_visibility="collapsed",
        on_change=go,
        width=330,
        icon=":material/search:",
    )


def show_unknown() -> None:
    """The id in the address belongs to no trip."""
    with components.head("Trips", "This address names no trip."):
        _id_box()
    inner = states.card("search_off", "No such trip", "The address may be cut short. Every trip is in the list.")
    inner.button("Newest trips", on_click=st.query_params.clear)


def show_head(trip: TripReport, stored: StoredProfile) -> DeltaGenerator:
    """Who, when, how far; by which profile, and the driver's trips before and after. Returns the place of controls."""
    zone = components.zone()
    driver = words.driver(trip.driver_name, trip.driver_id)
    title = f"{driver}, {words.vehicle(trip.vehicle_name, trip.vehicle_id)}"
    controls = components.head(title, _summary(trip, zone), width=640)
    with controls:
        _profile_box(stored)
        _step_button("Previous", "chevron_left", trip.previous_trip_id)
        _step_button("Next", "chevron_right", trip.next_trip_id)
        st.button(
            "Driver", icon=":material/person:", type="tertiary", key="to_driver",
            on_click=components.open_driver, args=(trip.driver_id,),
        )  # fmt: skip
    return controls


def _profile_box(stored: StoredProfile) -> None:
    """By which profile the page judges; one alone needs no choice."""
    database = components.database()
    history, _ = data.profile_history(database)
    if len(history) < 2:  # noqa: PLR2004
        return
    active = data.active_profile(database).version
    names = {each.version: f"{each.profile.name} v{each.version}" for each in history}
    names[active] += ", active"
    key = f"judged_by_{stored.version}"
    st.selectbox(
        "Profile", list(names), index=list(names).index(stored.version), format_func=names.__getitem__, key=key,
        label_visibility="collapsed", width=190, on_change=lambda: choose_profile(st.session_state[key], active),
    )  # fmt: skip


def _summary(trip: TripReport, zone: str) -> str:
    if trip.started_at is None:
        begun = f"No date in its points, received {words.day_and_time(trip.received_at, zone)}"
    else:
        begun = words.day_and_time(trip.started_at, zone)
        begun += f" to {words.time_of_day(trip.ended_at, zone)[:5]}" if trip.ended_at else ""
    driven = f"{words.kilometres(trip.distance_km)} in {words.duration(trip.duration_s)}"
    samples = words.plural(trip.point_count, "sample")
    return " · ".join([begun, *([driven] if trip.duration_s is not None else []), samples, words.zone_note(zone)])


def _step_button(label: str, icon: str, trip_id: str | None) -> None:
    def go() -> None:
        kept = {name: st.query_params[name] for name in ("profile",) if name in st.query_params}
        st.query_params.from_dict({"trip": str(trip_id), **kept})

    st.button(
        label,
        icon=f":material/{icon}:",
        icon_position="right" if label == "Next" else "left",
        type="tertiary",
        disabled=trip_id is None,
        on_click=go,
        help=None if trip_id else "This driver has no other trip on that side.",
    )


def show_samples_removed(trip: TripReport) -> None:
    """In the place of the curves: why there are none."""
    removed = words.day_and_time(trip.samples_removed_at, components.zone())
    states.card(
        "auto_delete",
        "The samples of this trip were removed",
        f"They are kept for a limited time; these went on {removed}. Events, scores and reviews stay, curves and route"
        " do not.",
    )


def show_status(trip: TripReport, stored: StoredProfile, active: int) -> bool:
    """Whether the trip can be drawn; else its state is shown, and followed while it may change."""
    if trip.status == "FAILED":
        st.error(
            f"**This trip could not be scored.** {words.plural(trip.attempts, 'attempt')}, the last ended with:"
            f" {trip.error} The trip is kept.",
            icon=":material/error:",
        )
        return False
    if trip.status != "COMPLETED":
        received = words.time_of_day(trip.received_at, components.zone())
        text = "A worker has it in hand." if trip.status == "PROCESSING" else "It waits for a worker."
        states.card(
            "hourglass_top",
            "This trip waits for its score",
            f"Received {received}. {text} The page fills in by itself.",
        )
        states.rerun_every(2)
        return False
    if stored.version != active:
        st.info(
            f"Judged by “{stored.profile.name}”, profile {stored.version}, not the active one. Nothing is stored.",
            icon=":material/visibility:",
        )
    elif trip.safety_score is None:
        st.info(
            f"This trip has no score under profile {active} yet; below it is judged by that profile's thresholds.",
            icon=":material/hourglass_top:",
        )
    if trip.quality == "unusable":
        reason = next(iter(trip.quality_reasons or []), {}).get("text", "")
        st.warning(
            f"**Signal unusable for scoring.** {reason} Events and score are shown, and never ranked.",
            icon=":material/signal_disconnected:",
        )
    return True
