"""The tables: which columns, in which form, in which order. Frames come from `dashboard.data`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from dashboard import components, look, reviewing, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from dashboard.explain import Judged

ROW_PX = 36
STATUS_WORDS = {"PENDING": "waits", "PROCESSING": "in work", "FAILED": "failed"}


def _count_columns() -> dict[str, Any]:
    return {
        kind.value: st.column_config.NumberColumn(
            f"{kind_look.sign} {kind_look.brief}", help=f"{kind_look.label}: harsh events", format="%d", width=82
        )
        for kind, kind_look in look.KINDS.items()
    }


def height(rows: int, most: int) -> int | Literal["content"]:
    """All rows of a short table; a long one scrolls."""
    return "content" if rows <= most else ROW_PX * (most + 1) + 3


def local_times(moments: pd.Series[Any], zone: str) -> pd.Series[Any]:
    """Moments as the zone's clocks show them."""
    local: pd.Series[Any] = moments.dt.tz_convert(zone).dt.tz_localize(None)
    return local


def driver_names(frame: pd.DataFrame) -> list[str]:
    """What each row's driver is called."""
    return [words.driver(name, each) for name, each in zip(frame["name"], frame["driver_id"], strict=True)]


def vehicle_names(frame: pd.DataFrame) -> list[str]:
    """What each row's vehicle is called."""
    pairs = zip(frame["vehicle_name"], frame["vehicle_id"], strict=True)
    return [words.vehicle(name, each) for name, each in pairs]


def trips(frame: pd.DataFrame, zone: str, *, with_driver: bool = False) -> None:
    """Trips, newest first; the time opens the trip."""
    began = frame["began_at"].dt.tz_convert(zone)
    shown = pd.DataFrame({"began": began.dt.strftime("%-d %b %Y, %H:%M")})
    if with_driver:
        names = frame["driver_name"]
        shown["driver"] = [words.driver(name, each) for name, each in zip(names, frame["driver_id"], strict=True)]
    shown["vehicle"] = vehicle_names(frame)
    shown["status"] = frame["status"].map(STATUS_WORDS).fillna("")
    shown["safety_score"] = frame["safety_score"]
    for kind in look.KIND_COLUMNS:
        shown[kind] = frame[kind]
    shown["distance_km"] = frame["distance_km"].round(1)
    shown["minutes"] = (frame["duration_s"] / 60).round()
    shown["open"] = "→"
    key = "open_trip_row"
    st.dataframe(
        shown if shown["status"].ne("").any() else shown.drop(columns="status"),
        key="trips",
        placeholder=words.NOTHING,
        hide_index=True,
        row_height=ROW_PX,
        height=height(len(shown), 12),
        alt="Trips, newest first, with score, harsh events, distance and duration",
        column_config={
            "began": st.column_config.ButtonColumn(
                "Began",
                key=key,
                type="tertiary",
                pinned=True,
                alignment="left",
                width=140,
                on_click=components.on_row(key, list(frame["trip_id"]), components.open_trip),
            ),
            "driver": st.column_config.TextColumn("Driver", width=176),
            "vehicle": st.column_config.TextColumn("Vehicle", width=130),
            "status": st.column_config.TextColumn("Status", width=66),
            "safety_score": st.column_config.ProgressColumn(
                "Score", min_value=0, max_value=100, format="%d", width=108, color="primary"
            ),
            **_count_columns(),
            "distance_km": st.column_config.NumberColumn("Distance, km", format="%.1f", width=92),
            "minutes": st.column_config.NumberColumn("Minutes", format="%d", width=66),
            "open": st.column_config.ButtonColumn(
                "Open",
                key="open_trip_arrow",
                type="tertiary",
                width=54,
                on_click=components.on_row("open_trip_arrow", list(frame["trip_id"]), components.open_trip),
            ),
        },
    )


def events(
    frame: pd.DataFrame, numbers: Sequence[int], *, chosen: int | None, on_choose: Callable[[int | None], None]
) -> None:
    """The events of a trip with their margins; a ticked row is the event that the page looks at."""
    key = f"events_{chosen}"

    def choose() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        on_choose(numbers[rows[0]] if rows else None)

    st.dataframe(
        frame.assign(kind=frame["kind"].map(lambda kind: [kind]).astype(object)),
        key=key,
        placeholder=words.NOTHING,
        hide_index=True,
        row_height=ROW_PX,
        height=height(len(frame), 10),
        on_select=choose,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [row for row, each in enumerate(numbers) if each == chosen]}},
        alt="The trip's events with peak, margin over the threshold and points",
        column_config=_event_columns(),
    )


def _event_columns() -> dict[str, Any]:
    def text(label: str, width: int, about: str | None = None) -> Any:
        return st.column_config.TextColumn(label, width=width, alignment="right", help=about)

    return {
        "number": st.column_config.NumberColumn("#", width=34),
        "kind": st.column_config.MultiselectColumn(
            "Kind",
            options=[f"{each.sign} {each.noun}" for each in look.KINDS.values()],
            color=[each.chip for each in look.KINDS.values()],
            width=114,
        ),
        "time": st.column_config.TextColumn("Time", width=70),
        "peak": text("Peak", 72),
        "over": text("Over", 72, "How far the peak is beyond the threshold."),
        "points": text("Points", 54),
        "review": st.column_config.TextColumn("Review", width=88),
        "gone_at": text("Gone at", 72, "The threshold from which this event would not count."),
        "speed": text("Speed", 70),
    }


def events_frame(
    judged: Sequence[Judged],
    started_at: datetime | None,
    zone: str,
    *,
    has_clock: bool,
    reason: Callable[[Judged], str] = lambda _: "",
) -> pd.DataFrame:
    """One row per event, in words, as table and download show it; `reason` is what the last reviewer of it said."""
    rows = [_event_row(each, started_at, zone, reason(each), has_clock=has_clock) for each in judged]
    return pd.DataFrame(rows, columns=list(_event_columns()))


def _event_row(
    judged: Judged, started_at: datetime | None, zone: str, reason: str, *, has_clock: bool
) -> dict[str, Any]:
    event, kind_look = judged.event, look.KINDS[judged.event.kind]
    doubtful = event.doubts and event.review is None
    return {
        "number": judged.number,
        "kind": f"{kind_look.sign} {kind_look.noun}",
        "time": words.event_time(event, started_at, zone, has_clock=has_clock),
        "peak": words.peak(event, kind_look.digits),
        "over": f"{words.signed(judged.over, kind_look.digits)} {kind_look.unit}",
        "points": words.integer(-judged.points) if judged.points else "0",
        "review": f"Doubtful: {reviewing.doubts_of(event)}" if doubtful else reviewing.said_of(event.review, reason),
        "gone_at": words.decimal(judged.gone_at, kind_look.digits, kind_look.unit) if judged.harsh else words.NOTHING,
        "speed": words.decimal(event.speed_kmh, 0, "km/h"),
    }
