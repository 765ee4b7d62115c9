"""One event of the inbox close up: its signal, what it means for its trip, and what driver and vehicle do otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard import components, data, event_charts, explain, fleet_view, look, reviewing, way_back, words
from fleetflow.safety.events import EventKind
from fleetflow.safety.scores import score_trip

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.inbox import InboxEvent
    from fleetflow.storage.profiles import StoredProfile


def show(each: InboxEvent, stored: StoredProfile, since: datetime | None, *, then: Callable[[], None] | None) -> None:
    """The card of an event; `then` is what follows a judgement."""
    st.caption(place(each, components.zone()))
    show_signal(each, stored.profile)
    if each.event.doubts:
        st.markdown(f":yellow[:material/help:] Doubtful: {reviewing.doubts_of(each.event)}.")
    st.table(facts(each, stored, since), border="horizontal", hide_header=True)
    show_decision(each, then)
    with st.container(horizontal=True):
        st.button(
            "Open the trip at this moment", icon=":material/route:", type="tertiary", key="to_trip",
            on_click=open_trip, args=(each,),
        )  # fmt: skip
        st.button(
            "Driver", icon=":material/person:", type="tertiary", key="to_driver", on_click=components.open_driver,
            args=(each.driver_id,),
        )  # fmt: skip


def place(each: InboxEvent, zone: str) -> str:
    """Whose event it was, and when."""
    driver = words.driver(each.driver_name, each.driver_id)
    vehicle = words.vehicle(each.vehicle_name, each.vehicle_id)
    return f"{words.literal(f'{driver} · {vehicle}')} · {when(each, zone)}"


def when(each: InboxEvent, zone: str) -> str:
    """Tue 17 Nov 2026, 07:57."""
    return words.day_and_time(_moment(each), zone)


def short_when(each: InboxEvent, zone: str) -> str:
    """17 Nov 07:57."""
    return _moment(each).astimezone(ZoneInfo(zone)).strftime("%-d %b %H:%M")


def _moment(each: InboxEvent) -> datetime:
    """The peak's, or the beginning of the trip where nothing tells more."""
    if each.started_at is not None and each.has_clock:
        return each.started_at + timedelta(seconds=each.event.peak_s)
    return each.began_at


def show_signal(each: InboxEvent, profile: ScoringProfile) -> None:
    """The signal over the speed, some seconds before and after the peak."""
    assert each.event.id is not None  # noqa: S101 - it was read from the database
    moment = data.moments(components.database(), (each.event.id,)).get(each.event.id)
    if moment is None or moment.empty:
        st.caption("The samples around this event are not there.")
        return
    mine = profile.for_class(each.vehicle_class)
    judged = explain.judge([each.event], mine, below=True)[0]
    components.chart(
        event_charts.event_detail(moment, judged, mine, unit="s" if each.has_clock else "", with_speed=True),
        key="event_signal",
        alt=f"{look.KINDS[each.event.kind].noun} around its peak of {words.peak(each.event)}, and the speed below",
    )


def facts(each: InboxEvent, stored: StoredProfile, since: datetime | None) -> dict[str, str]:
    """What speaks for and against the event: its margin, its trip, its driver, its vehicle."""
    found = {
        "Margin": _margin(each, stored.profile),
        "Trip": _trip(each, stored.profile),
        "Driver": _driver(each, stored.version, since),
        "Vehicle": _vehicle(each, stored.version, since),
    }
    if each.reviewed_at is not None:
        moment = words.day_and_time(each.reviewed_at, components.zone())
        said = f"{reviewing.said_of(each.event.review, each.reason)}, by {each.reviewed_by}, {moment}"
        found["Review"] = words.literal(said)
    return found


def _margin(each: InboxEvent, profile: ScoringProfile) -> str:
    judged = explain.judge([each.event], profile.for_class(each.vehicle_class), below=True)[0]
    unit, digits = look.KINDS[each.event.kind].unit, look.KINDS[each.event.kind].digits
    over = f"**{words.signed(judged.over, digits)} {unit}** over {words.decimal(each.threshold, digits, unit)}"
    return f"{over}, gone at {words.decimal(judged.gone_at, digits, unit)}" if judged.over > 0 else over


def _trip(each: InboxEvent, profile: ScoringProfile) -> str:
    events = data.events(components.database(), each.trip_id)
    score = score_trip(events, profile, each.vehicle_class).safety_score
    without = [other for other in events if other.id != each.event.id]
    other = score_trip(without, profile, each.vehicle_class).safety_score
    if other != score:
        return f"Score {score}, would be {other} without it"
    return f"Score {score}, the same without it"


def _driver(each: InboxEvent, version: int, since: datetime | None) -> str:
    fleet = data.leaderboard(components.database(), version, since)
    mine = fleet[fleet["driver_id"] == each.driver_id]
    if mine.empty:
        return "Nothing scored in this period"
    kind = each.event.kind.value
    own, all_ = (words.decimal(fleet_view.rate(frame, kind)) for frame in (mine, fleet))
    return f"{own} such events per 100 km; the fleet {all_}"


def _vehicle(each: InboxEvent, version: int, since: datetime | None) -> str:
    name = words.vehicle(each.vehicle_name, each.vehicle_id)
    named = words.literal(f"{name}, {each.vehicle_class}" if each.vehicle_class else name)
    others = data.other_drivers(components.database(), version, each.vehicle_id, each.driver_id, since)
    if not others["distance_km"]:
        return f"{named}; nobody else drove it"
    rate = 100 * others[each.event.kind.value] / others["distance_km"]
    return f"{named}; other drivers {words.decimal(rate)} per 100 km"


def show_decision(each: InboxEvent, then: Callable[[], None] | None) -> None:
    """The buttons, or what was decided and the way back."""
    if each.event.review is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(reviewing.badge(each.event, each.reason), width="content")
            reviewing.undo_button([each.event], key="undo_event", icon=":material/undo:")
        return
    if not reviewing.allowed():
        return
    note_key = f"note_{each.event.id}"
    with st.container(horizontal=True, vertical_alignment="center"):
        note = str(st.session_state.get(note_key, "")).strip()
        reviewing.buttons(each.event, key="card", then=then, note=note, shortcut="h")
    st.text_input(
        "Note", key=note_key, placeholder="Note, optional: stays with the review", label_visibility="collapsed",
        max_chars=reviewing.LONGEST_NOTE,
    )  # fmt: skip


def open_trip(each: InboxEvent) -> None:
    """Go to the trip, with this event chosen and its surroundings drawn."""
    database = components.database()
    trip = data.trip(database, data.active_profile(database).version, each.trip_id)
    profile = data.active_profile(database).profile.for_class(trip.vehicle_class if trip else None)
    judged = explain.judge(data.events(database, each.trip_id), profile)
    number = next((one.number for one in judged if one.event.id == each.event.id), None)
    address = {"trip": each.trip_id, **({"event": str(number)} if number else {})}
    view = {"view": "120"} if each.has_clock and each.event.kind is not EventKind.SPEEDING else {}
    way_back.go_to(components.TRIP, {**address, **view})
