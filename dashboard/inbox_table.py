"""The inbox as a table: many events to tick and judge at once, and the rows of its download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard import components, data, event_card, look, reviewing, traces, words
from fleetflow.safety.events import Review

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dashboard.inbox_address import View
    from fleetflow.safety.events import HarshEvent
    from fleetflow.storage.inbox import InboxEvent


def show_table(events: Sequence[InboxEvent], view: View) -> None:
    """Many events, to be ticked and judged at once."""
    zone, bar = components.zone(), st.container()  # the buttons stand above the rows, in sight however many there are
    moments = data.moments(components.database(), tuple(each.event.id or 0 for each in events))
    shown = frame(events, zone).drop(columns=["trip_id", "event_id", "doubts"])
    shown.insert(0, "trace", [traces.address(e.event, moments.get(e.event.id or 0), e.threshold) for e in events])
    shown["kind"] = shown["kind"].map(lambda kind: [kind]).astype(object)
    picked = st.dataframe(
        shown, key=f"table_{view.tab}_{view.page}", placeholder=words.NOTHING, hide_index=True, row_height=44,
        height="content", on_select="rerun", selection_mode="multi-row",
        alt="Events with peak, margin, driver, vehicle, time and review",
        column_config=_columns(),
    )  # fmt: skip
    rows = picked["selection"]["rows"]
    if reviewing.allowed():
        with bar:
            _show_bulk([events[row] for row in rows if row < len(events)])


def _columns() -> dict[str, Any]:
    return {
        "trace": st.column_config.ImageColumn("Trace", width=142),
        "kind": st.column_config.MultiselectColumn(
            "Kind", options=[f"{each.sign} {each.noun}" for each in look.KINDS.values()],
            color=[each.chip for each in look.KINDS.values()], width=124,
        ),
        "peak": st.column_config.TextColumn("Peak", width=82, alignment="right"),
        "over": st.column_config.TextColumn("Over", width=86, alignment="right"),
        "driver": st.column_config.TextColumn("Driver", width=168),
        "vehicle": st.column_config.TextColumn("Vehicle", width=96),
        "when": st.column_config.TextColumn("When", width=172),
        "review": st.column_config.TextColumn("Review", width=176),
    }  # fmt: skip


def _show_bulk(chosen: Sequence[InboxEvent]) -> None:
    open_ones = [each.event for each in chosen if each.event.review is None]
    closed = [each.event for each in chosen if each.event.review is not None]
    with st.container(horizontal=True, vertical_alignment="center"):
        said = f"{words.plural(len(chosen), 'event')} ticked" if chosen else "Tick rows to judge several at once"
        st.caption(said, width="content")
        st.space("stretch")
        if closed:
            _bulk_undo(closed)
        st.button(
            "Confirm", key="confirm_many", icon=":material/check:", disabled=not open_ones,
            on_click=lambda: _decide(open_ones, Review.CONFIRMED),
        )  # fmt: skip
        st.menu_button(
            "Dismiss", list(reviewing.DISMISSALS), key="dismiss_many", icon=":material/close:",
            disabled=not open_ones, on_click=lambda: _dismiss_many(open_ones),
        )  # fmt: skip


def _bulk_undo(closed: Sequence[HarshEvent]) -> None:
    if len({event.review for event in closed}) == 1:
        reviewing.undo_button(closed, key="undo_many", icon=":material/undo:")


def _decide(events: Sequence[HarshEvent], review: Review, reason: str = "") -> None:
    reviewing.judge(events, review, reason)


def _dismiss_many(events: Sequence[HarshEvent]) -> None:
    reason = st.session_state["dismiss_many"]
    if reason in reviewing.DISMISSALS:
        _decide(events, reviewing.DISMISSALS[reason], reason)


def frame(events: Sequence[InboxEvent], zone: str) -> pd.DataFrame:
    """One row per event, in words, as table and download show it."""
    columns = ["kind", "peak", "over", "driver", "vehicle", "when", "review", "doubts", "trip_id", "event_id"]
    return pd.DataFrame([_row(each, zone) for each in events], columns=columns)


def _row(each: InboxEvent, zone: str) -> dict[str, Any]:
    kind_look = look.KINDS[each.event.kind]
    over = words.signed(each.event.peak - each.threshold, kind_look.digits)
    return {
        "kind": f"{kind_look.sign} {kind_look.noun}",
        "peak": words.peak(each.event),
        "over": f"{over} {kind_look.unit}",
        "driver": words.driver(each.driver_name, each.driver_id),
        "vehicle": words.vehicle(each.vehicle_name, each.vehicle_id),
        "when": event_card.when(each, zone),
        "review": reviewing.said_of(each.event.review, each.reason),
        "doubts": reviewing.doubts_of(each.event),
        "trip_id": each.trip_id,
        "event_id": each.event.id,
    }
