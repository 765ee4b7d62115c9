"""Pieces of the trip page: its key figures, its signals over time, its events and the one that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import (
    components,
    event_charts,
    explain,
    look,
    reviewing,
    states,
    strip_chart,
    tables,
    trip_charts,
    words,
)
from dashboard.trip_subject import WINDOWS, choose_event

if TYPE_CHECKING:
    from dashboard.explain import Judged
    from dashboard.trip_charts import TimeAxis
    from dashboard.trip_subject import Subject

WHOLE, DRAWN = "whole", "drawn"
SIGNALS_HELP = (
    "Drag over a part to see all of its samples; click an event to look at it. Dashed lines are the thresholds of the"
    " profile; a shaded stretch is an event, named above with its peak."
)
ESTIMATE_HELP = (
    "Nothing on board measured acceleration. The events are those of the speed: comparable in number with other trips,"
    " not event by event. Their peaks are marked ≈."
)
QUALITY_WORDS = {"good": "Good", "doubtful": "Doubtful", "unusable": "Unusable"}
QUALITY_COLORS = {"good": "green", "doubtful": "yellow", "unusable": "red"}


def show_key_figures(subject: Subject) -> None:
    """Score and counts, each with what it cost, and how far the signals can be believed."""
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
                f"{kind_look.colored_sign} {kind_look.label}",
                words.integer(len(harsh)),
                note,
                color=kind_look.name if harsh else "gray",
            )
        quality = subject.trip.quality or ""
        components.figure(
            "Signal quality",
            QUALITY_WORDS.get(quality, words.NOTHING),
            _doubtful(subject),
            color=QUALITY_COLORS.get(quality, "gray"),
        )


def _doubtful(subject: Subject) -> str:
    doubtful = [each for each in subject.judged if each.event.doubts and each.event.review is None]
    return words.plural(len(doubtful), "doubtful event") if doubtful else rate(subject)


def rate(subject: Subject) -> str:
    """How often the device sampled."""
    if subject.trip.sample_hz:
        return f"{subject.trip.sample_hz:.3g} Hz"
    if not subject.has_clock:
        return "no clock"
    return f"{(len(subject.samples) - 1) / max(subject.trip.duration_s or 0.0, 1e-9):.3g} Hz"


def show_signals(subject: Subject) -> None:
    """The strip to click in, and the panels to drag over."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header("Speed and g-force", anchor=False, width="content", help=SIGNALS_HELP)
        if subject.is_estimated:
            st.badge("g estimated from the speed", icon=":material/calculate:", color="yellow", help=ESTIMATE_HELP)
        st.space("stretch")
        view_control(subject)
    if subject.judged:
        show_strip(subject)
    show_zoomable(subject)


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
        "Part of the trip", options, format_func=lambda each: words.segment(labels[each]), default=current, key=key,
        label_visibility="collapsed", required=True, on_change=go,
    )  # fmt: skip


def show_strip(subject: Subject) -> None:
    """The whole trip with its events; a click chooses one."""
    chosen = subject.chosen.number if subject.chosen else None
    key = f"strip_{subject.trip.trip_id}_{chosen}_{st.query_params.get('view', '')}_{subject.stored.version}"

    def choose() -> None:
        points = st.session_state[key]["selection"]["points"]
        number = points[0].get("customdata") if points else None
        if number is not None:
            choose_event(subject, int(number[0] if isinstance(number, list) else number))

    st.plotly_chart(
        strip_chart.strip(subject.scene), key=key, on_select=choose, selection_mode="points",
        alt="The whole trip with its events by name; each is also in the table of events",
        config=components.CHART_CONFIG,
    )  # fmt: skip


def show_zoomable(subject: Subject) -> None:
    """The panels; a part that is dragged over becomes the window, in the address."""
    key = f"signals_{subject.trip.trip_id}_{st.query_params.get('view', '')}"

    def zoom() -> None:
        boxes = st.session_state[key]["selection"]["box"]
        if boxes:
            first, last = sorted(_seconds(subject.axis, x) for x in boxes[0]["x"])
            if last > first:
                st.query_params["view"] = f"{max(first, 0.0):.2f}-{last:.2f}"

    st.plotly_chart(
        trip_charts.signals(subject.scene), key=key, on_select=zoom, selection_mode="box", alt=_signals_alt(subject),
        config=components.CHART_CONFIG,
    )  # fmt: skip


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


def show_event_table(subject: Subject) -> None:
    """All events that count or are in doubt, and their download."""
    zone = components.zone()
    components.card_head("Events")
    if not subject.judged:
        text = "No event exceeds a threshold of the profile."
        if subject.below:
            text += f" {words.plural(subject.below, 'event')} stayed below."
        states.card("check_circle", "No harsh events", text)
        return
    frame = tables.events_frame(
        subject.judged, subject.trip.started_at, zone, has_clock=subject.has_clock, reason=subject.reason
    )
    tables.events(
        frame, [each.number for each in subject.judged], chosen=subject.chosen.number if subject.chosen else None,
        on_choose=lambda number: choose_event(subject, number),
    )  # fmt: skip
    note = "Tick an event to look at it."
    if subject.below:
        note += f" {words.plural(subject.below, 'event')} stayed below the thresholds."
    components.csv_footer(frame, note, f"fleetflow-events-{subject.trip.trip_id}.csv")


def show_event(subject: Subject) -> None:
    """The chosen event, else the strongest, close up."""
    if not subject.judged:
        components.card_head("Event", "Nothing to look at")
        return
    each = subject.chosen or max(subject.judged, key=lambda one: (one.points, one.over))
    kind_look = look.KINDS[each.event.kind]
    components.card_head(f"{kind_look.colored_sign} {each.number} {kind_look.label}", _when(subject, each))
    components.chart(
        event_charts.event_detail(subject.samples, each, subject.profile, unit="s" if subject.has_clock else ""),
        key="event_detail",
        alt=f"{kind_look.noun} around its peak of {words.peak(each.event)}",
    )
    st.markdown(verdict(each))
    show_review(subject, each)


def _when(subject: Subject, judged: Judged) -> str:
    """07:57:35 · from 69 to 34 km/h in 2.3 s, as far as that is known."""
    event = judged.event
    when = words.event_time(event, subject.trip.started_at, components.zone(), has_clock=subject.has_clock)
    if event.speed_change_kmh is None or not subject.has_clock:
        return f"{when} · at {words.decimal(event.speed_kmh, 0, 'km/h')}"
    change = f"{words.signed(event.speed_change_kmh, 0)} km/h in {words.decimal(event.end_s - event.start_s, 1, 's')}"
    return f"{when} · at {words.decimal(event.speed_kmh, 0, 'km/h')} · {change}"


def show_review(subject: Subject, judged: Judged) -> None:
    """What a person made of the event, or the buttons to say so."""
    event = judged.event
    reviewing.show_outcome(of={each.event.id for each in subject.judged})
    with st.container(horizontal=True, vertical_alignment="center"):
        if event.review is not None:
            st.markdown(reviewing.badge(event, subject.reason(judged)), width="content")
            reviewing.undo_button([event], key="undo_review")
        else:
            reviewing.buttons(event, key="trip", shortcut="h")


def verdict(judged: Judged) -> str:
    """Why an event counts or not, in two sentences."""
    digits, unit = look.KINDS[judged.event.kind].digits, look.KINDS[judged.event.kind].unit
    value = judged.event.peak
    peak, threshold = words.peak(judged.event, digits), words.decimal(value - judged.over, digits, unit)
    text = f"Peak **{peak}**, {words.decimal(judged.over, digits)} over the {threshold} threshold."
    if judged.event.review not in {None, "confirmed"}:
        return f"{text} Dismissed, so it does not count."
    if not judged.harsh:
        return f"{text} Doubtful, so it does not count: {reviewing.doubts_of(judged.event)}."
    cost = f"Costs {words.plural(judged.points, 'point')}." if judged.points else "Costs nothing under this profile."
    return f"{text} {cost} Gone at {words.decimal(judged.gone_at, digits, unit)}."
