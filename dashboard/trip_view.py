"""Pieces of the trip page: its states, its key figures, what part is looked at, the chosen event, the facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard import actions, components, data, event_charts, explain, look, tables, viewers, words
from dashboard.trip_charts import TimeAxis
from fleetflow.errors import FleetFlowError
from fleetflow.safety.events import Review

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from dashboard.explain import Judged
    from fleetflow.safety.events import HarshEvent
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.reports import TripReport

WHOLE, DRAWN = "whole", "drawn"
WINDOWS = {"120": "2 min", "20": "20 s"}
SIGNALS_HELP = (
    "Drag over a part to see all of its samples. Dashed lines are the thresholds of the active profile;"
    " a shaded stretch is an event, named with its peak."
)
WATERFALL_HELP = (
    "A trip starts at 100. Each event whose peak exceeds its threshold takes points off; doubtful events take none."
)
MOST_STEPS = 24
REVIEW_WORDS = {
    Review.CONFIRMED: "confirmed",
    Review.FALSE: "not a harsh event",
    Review.DEFENSIVE: "avoided a collision",
    Review.OTHER_DRIVER: "someone else drove",
}
DISMISSALS = {
    "Bump or pothole": Review.FALSE,
    "Sensor or mounting": Review.FALSE,
    "Avoided a collision": Review.DEFENSIVE,
    "Someone else drove": Review.OTHER_DRIVER,
    "Other reason": Review.FALSE,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The trip being looked at, judged under a profile, and the part and event that the address names."""

    trip: TripReport
    profile: ScoringProfile
    samples: pd.DataFrame
    judged: list[Judged]
    below: int
    axis: TimeAxis
    has_clock: bool
    window: tuple[float, float] | None
    chosen: Judged | None


def load(trip: TripReport, profile: ScoringProfile) -> Subject:
    """Everything the page draws of a scored trip."""
    database = components.database()
    samples = data.samples(database, trip.trip_id)
    events = data.events(database, trip.trip_id)
    profile = profile.for_class(trip.vehicle_class)
    judged = explain.judge(events, profile)
    has_clock = trip.duration_s is not None or trip.sample_hz is not None
    chosen = next((each for each in judged if str(each.number) == st.query_params.get("event")), None)
    end = float(samples["t_s"].iloc[-1]) if len(samples) else 0.0
    window = _window(st.query_params.get("view", ""), chosen, end)
    axis = _axis(trip, has_clock=has_clock)
    return Subject(trip, profile, samples, judged, len(events) - len(judged), axis, has_clock, window, chosen)


def _axis(trip: TripReport, *, has_clock: bool) -> TimeAxis:
    if not has_clock:
        return TimeAxis(0.0, is_date=False)
    # Without a date, midnight of a day long ago: the axis then reads as time since the start.
    start = trip.started_at or datetime(1970, 1, 1, tzinfo=ZoneInfo(components.zone()))
    offset = start.astimezone(ZoneInfo(components.zone())).utcoffset() or timedelta()
    return TimeAxis(start.timestamp() * 1000, is_date=True, shift_ms=-offset.total_seconds() * 1000)


def _window(view: str, chosen: Judged | None, end: float) -> tuple[float, float] | None:
    """The part that the address asks for, in seconds from the start; None for the whole trip, also for nonsense."""
    if view in WINDOWS:
        middle = chosen.event.peak_s if chosen else 0.0
        half = float(view) / 2
        start = min(max(middle - half, 0.0), max(end - 2 * half, 0.0))
        return start, min(start + 2 * half, end)
    try:
        first, last = (float(part) for part in view.split("-"))
    except ValueError:
        return None
    inside = max(first, 0.0), min(last, end)
    return inside if inside[0] < inside[1] else None


def show_key_figures(subject: Subject) -> None:
    """Score and counts, each with what it cost."""
    trip = subject.trip
    score = trip.safety_score if trip.safety_score is not None else explain.final_score(subject.judged)
    lost = sum(step.lost for step in explain.steps(subject.judged))
    with st.grid(6, min_column_width=140):
        components.figure("Score", words.integer(score), f"{words.MINUS}{lost} points" if lost else "nothing lost")
        for kind, kind_look in look.KINDS.items():
            harsh = [each for each in subject.judged if each.event.kind is kind and each.harsh]
            points = sum(each.points for each in harsh)
            note = f"{words.MINUS}{points} points" if points else "costs nothing" if harsh else "none"
            components.figure(
                f":{kind_look.name}[{kind_look.sign}] {kind_look.label}",
                words.integer(len(harsh)),
                note,
                color=kind_look.name if harsh else "gray",
            )
        components.figure("Samples", words.integer(trip.point_count), _rate(subject))


def _rate(subject: Subject) -> str:
    if subject.trip.sample_hz:
        return f"{subject.trip.sample_hz:g} Hz"
    if not subject.has_clock:
        return "no clock"
    return f"{(len(subject.samples) - 1) / max(subject.trip.duration_s or 0.0, 1e-9):.3g} Hz"


def view_control(subject: Subject) -> None:
    """Whole trip, or a window around the chosen event, or what was drawn over the chart."""
    view = st.query_params.get("view", "")
    current = view if view in WINDOWS else DRAWN if subject.window else WHOLE
    options = [WHOLE, *(WINDOWS if subject.has_clock else []), *([DRAWN] if current == DRAWN else [])]
    labels = {WHOLE: "Whole trip", DRAWN: "Drawn", **WINDOWS}
    key = f"view_{view}"

    def go() -> None:
        picked = st.session_state[key]
        if picked == WHOLE:
            st.query_params.pop("view", None)
        elif picked in WINDOWS:
            st.query_params["view"] = picked
            if subject.chosen is None and subject.judged:
                st.query_params["event"] = "1"

    st.segmented_control(
        "Part of the trip", options, format_func=labels.__getitem__, default=current, key=key,
        label_visibility="collapsed", required=True, on_change=go,
    )  # fmt: skip


def show_zoomable(subject: Subject, figure: go.Figure) -> None:
    """The figure; a part that is dragged over becomes the window, in the address."""
    key = f"signals_{subject.trip.trip_id}_{st.query_params.get('view', '')}"

    def zoom() -> None:
        boxes = st.session_state[key]["selection"]["box"]
        if boxes:
            first, last = sorted(_seconds(subject.axis, x) for x in boxes[0]["x"])
            if last > first:
                st.query_params["view"] = f"{max(first, 0.0):.2f}-{last:.2f}"

    st.plotly_chart(
        figure, key=key, on_select=zoom, selection_mode="box", alt=_signals_alt(subject), config=components.CHART_CONFIG
    )


def _seconds(axis: TimeAxis, x: str | float) -> float:
    return axis.seconds(pd.Timestamp(x).timestamp() * 1000 if isinstance(x, str) else float(x))


def _signals_alt(subject: Subject) -> str:
    harsh = [each for each in subject.judged if each.harsh]
    if not harsh:
        return "Speed and g-force over the trip; no event exceeds a threshold."
    strongest = max(harsh, key=lambda each: each.over / max(each.event.peak, 1e-9))
    noun = look.KINDS[strongest.event.kind].noun.lower()
    return (
        f"Speed and g-force over the trip; {words.plural(len(harsh), 'event')} above a threshold,"
        f" the strongest is {noun} at {words.peak(strongest.event)}."
    )


def choose_event(number: int | None) -> None:
    """Look at an event from now on."""
    if number is None:
        st.query_params.pop("event", None)
    else:
        st.query_params["event"] = str(number)


def show_event_table(subject: Subject) -> None:
    """All events that count or are in doubt, and their download."""
    zone = components.zone()
    components.card_head("Events")
    if not subject.judged:
        text = "No event exceeds a threshold of the active profile."
        if subject.below:
            text += f" {words.plural(subject.below, 'event')} stayed below."
        components.state("check_circle", "No harsh events", text)
        return
    tables.events(
        subject.judged, subject.trip.started_at, zone, has_clock=subject.has_clock,
        chosen=subject.chosen.number if subject.chosen else None, on_choose=choose_event,
    )  # fmt: skip
    note = "Tick an event to look at it."
    if subject.below:
        note += f" {words.plural(subject.below, 'event')} stayed below the thresholds."
    frame = tables.events_frame(subject.judged, subject.trip.started_at, zone, has_clock=subject.has_clock)
    components.csv_footer(frame, note, f"fleetflow-events-{subject.trip.trip_id}.csv")


def show_event(subject: Subject) -> None:
    """The chosen event, else the strongest, close up."""
    if not subject.judged:
        components.card_head("Event", "Nothing to look at")
        return
    each = subject.chosen or max(subject.judged, key=lambda one: (one.points, one.over))
    kind_look = look.KINDS[each.event.kind]
    when = words.event_time(each.event, subject.trip.started_at, components.zone(), has_clock=subject.has_clock)
    title = f":{kind_look.name}[{kind_look.sign}] {each.number} {kind_look.label}"
    components.card_head(title, f"{when} · at {words.decimal(each.event.speed_kmh, 0, 'km/h')}")
    components.chart(
        event_charts.event_detail(subject.samples, each, subject.profile, unit="s" if subject.has_clock else ""),
        key="event_detail",
        alt=f"{kind_look.noun} around its peak of {words.peak(each.event)}",
    )
    st.markdown(verdict(each))
    show_review(each.event)


def show_review(event: HarshEvent) -> None:
    """What a person made of the event, or the buttons to say so: two clicks, never without a reason."""
    database = components.database()

    def judge(review: Review | None, reason: str = "") -> None:
        try:
            actions.review_event(database, event, review, reason)
        except FleetFlowError as error:
            st.session_state["review_refused"] = str(error)

    if not viewers.may("review_event"):
        if event.review is not None:
            st.markdown(f":gray-badge[Reviewed: {REVIEW_WORDS[event.review]}]", width="content")
        return
    refused = st.session_state.pop("review_refused", None)
    if refused:
        st.warning(refused, icon=":material/sync_problem:")
    with st.container(horizontal=True, vertical_alignment="center"):
        if event.review is not None:
            st.markdown(f":gray-badge[Reviewed: {REVIEW_WORDS[event.review]}]", width="content")
            st.button("Undo", on_click=judge, args=(None,), key="undo_review")
            return
        st.button("Confirm", on_click=judge, args=(Review.CONFIRMED,), key="confirm_review")
        with st.popover("Dismiss"):
            for reason, review in DISMISSALS.items():
                st.button(reason, on_click=judge, args=(review, reason), key=f"dismiss_{review}_{reason}")


def verdict(judged: Judged) -> str:
    """Why an event counts or not, in two sentences."""
    digits = 0 if look.KINDS[judged.event.kind].unit == "km/h" else 2
    unit = look.KINDS[judged.event.kind].unit
    value = judged.event.peak
    peak, threshold = words.decimal(value, digits, unit), words.decimal(value - judged.over, digits, unit)
    text = f"Peak **{peak}**, {words.decimal(judged.over, digits)} over the {threshold} threshold."
    if judged.event.review not in {None, Review.CONFIRMED}:
        return f"{text} Dismissed, so it does not count."
    if not judged.harsh:
        return f"{text} Doubtful, so it does not count: {'; '.join(judged.event.doubts)}."
    cost = f"Costs {words.plural(judged.points, 'point')}." if judged.points else "Costs nothing under this profile."
    return f"{text} {cost} Gone at {words.decimal(judged.gone_at, digits, unit)}."


def show_waterfall(subject: Subject, score: int) -> None:
    """The way from 100 to the score; the dearest events first to go in when there are very many."""
    way = explain.steps(subject.judged)
    if not way:
        components.state("check_circle", "Nothing was lost", "No event exceeds a threshold of the active profile.")
        return
    if len(way) > MOST_STEPS:
        st.caption(f"The first {MOST_STEPS} of {len(way)} events.")
    components.chart(
        event_charts.waterfall(way[:MOST_STEPS]),
        key="waterfall",
        alt=f"From 100 to {score}: {words.plural(sum(1 for step in way if step.lost), 'event')} cost points",
    )


def facts(subject: Subject) -> dict[str, str]:
    """What else is known of the trip."""
    trip, zone = subject.trip, components.zone()
    return {
        "Trip id": trip.trip_id,
        "Driver": words.driver(trip.driver_name, trip.driver_id),
        "Vehicle": words.vehicle(trip.vehicle_name, trip.vehicle_id),
        "Distance": words.kilometres(trip.distance_km),
        "Duration": words.duration(trip.duration_s),
        "Clock": _rate(subject) if subject.has_clock else "none: one sample is the unit of time",
        "Received": words.day_and_time(trip.received_at, zone),
        "Way in": trip.source,
        "Events found": f"{len(subject.judged) + subject.below}, {len(subject.judged)} above a threshold",
    }
