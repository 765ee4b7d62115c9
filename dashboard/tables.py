"""The tables: which columns, in which form, in which order. Frames come from `dashboard.data`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from dashboard import components, look, words
from fleetflow.safety.events import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from dashboard.explain import Judged

ROW_PX = 36
VERDICTS = ("clearly above", "clearly below", "cannot tell")
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


def leaderboard(frame: pd.DataFrame, zone: str) -> None:
    """Drivers by points per 100 km, those without a rank last; a name opens the driver."""
    shown = pd.DataFrame(
        {
            "rank": frame["rank"].where(frame["rank"] > 0),
            "name": driver_names(frame),
            "likely": [_between(*row) for row in zip(frame["rank_low"], frame["rank_high"], strict=True)],
            "points": frame["points_per_100_km"].where(frame["rank"] > 0).round(1),
            "interval": _intervals(frame),
            "verdict": _verdicts(frame),
            "mean_score": frame["mean_score"].round(1),
            "per_100_km": frame["per_100_km"].round(1),
            "distance_km": frame["distance_km"].round(),
            "trips": frame["trips"],
            **{kind: frame[kind] for kind in look.KIND_COLUMNS},
            "last_trip_at": local_times(frame["last_trip_at"], zone),
        }
    )
    key = "open_driver_row"
    st.dataframe(
        shown,
        key="leaderboard",
        hide_index=True,
        row_height=ROW_PX,
        height=height(len(shown), 20),
        alt="Drivers by penalty points per 100 km, with likely ranks, intervals, score, distance and harsh events",
        column_config={
            "rank": st.column_config.NumberColumn(
                "Rank", width=56, format="%d", help="1 has the most points per 100 km; equals share a rank."
            ),
            "name": st.column_config.ButtonColumn(
                "Driver",
                key=key,
                type="tertiary",
                pinned=True,
                alignment="left",
                width=176,
                on_click=components.on_row(key, list(frame["driver_id"]), components.open_driver),
            ),
            "likely": st.column_config.TextColumn(
                "Likely", width=66, help="Every rank between these fits the data (90 %)."
            ),
            "points": st.column_config.NumberColumn(
                "Points", width=62, format="%.1f", help="Penalty points per 100 km, estimated with the whole fleet."
            ),
            "interval": st.column_config.TextColumn("90 % interval", width=96, help="Of the points per 100 km."),
            "verdict": st.column_config.TextColumn(
                "Against the middle", width=150, help="Whether he is clearly (95 %) in the worse or the better half."
            ),
            "mean_score": st.column_config.NumberColumn(
                "Score",
                help="Mean over the driver's trips. A trip starts at 100; each harsh event takes points off.",
                format="%.1f",
                width=64,
            ),
            "per_100_km": st.column_config.ProgressColumn(
                "Events per 100 km",
                help="Harsh events of all kinds per 100 km driven.",
                min_value=0,
                max_value=max(float(frame["per_100_km"].max()), 1.0),
                format="%.1f",
                width=136,
                color="gray",
            ),
            "distance_km": st.column_config.NumberColumn("Distance, km", format="localized", width=94),
            "trips": st.column_config.NumberColumn("Trips", format="localized", width=60),
            **_count_columns(),
            "last_trip_at": st.column_config.DatetimeColumn("Last trip", format="D MMM, HH:mm", width=106),
        },
    )


def _between(low: float, high: float) -> str:
    if not low > 0:
        return ""
    return f"{low:.0f}" if low == high else f"{low:.0f}{words.DASH}{high:.0f}"


def _intervals(frame: pd.DataFrame) -> list[str]:
    rows = zip(frame["rank"], frame["low"], frame["high"], strict=True)
    return [f"{words.decimal(low)} to {words.decimal(high)}" if rank > 0 else "" for rank, low, high in rows]


def _verdicts(frame: pd.DataFrame) -> list[str]:
    """In words where a driver stands; for one without a rank what is missing."""
    return [_verdict(*row) for row in zip(frame["verdict"], frame["status"], frame["km_needed"], strict=True)]


def _verdict(verdict: str, status: str, km_needed: float) -> str:
    if verdict in VERDICTS:
        return verdict
    if status == "early sign":
        return "early sign, no rank yet"
    if km_needed > 0:
        return f"needs {words.kilometres(math.ceil(km_needed))} more"
    return status if status == "not enough driving" else "cannot be ranked"


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
    key = "open_trip_row"
    st.dataframe(
        shown if shown["status"].ne("").any() else shown.drop(columns="status"),
        key="trips",
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
        },
    )


def events(
    judged: Sequence[Judged],
    started_at: datetime | None,
    zone: str,
    *,
    has_clock: bool,
    chosen: int | None,
    on_choose: Callable[[int | None], None],
) -> None:
    """The events of a trip with their margins; a ticked row is the event that the page looks at."""
    frame = events_frame(judged, started_at, zone, has_clock=has_clock)
    key = f"events_{chosen}"

    def choose() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        on_choose(judged[rows[0]].number if rows else None)

    st.dataframe(
        frame.assign(kind=frame["kind"].map(lambda kind: [kind]).astype(object)),
        key=key,
        hide_index=True,
        row_height=ROW_PX,
        height=height(len(frame), 10),
        on_select=choose,
        selection_mode="single-row",
        selection_default={"selection": {"rows": _rows_of(judged, chosen)}},
        alt="The trip's events with peak, margin over the threshold and points",
        column_config={
            "number": st.column_config.NumberColumn("#", width=40),
            "kind": st.column_config.MultiselectColumn(
                "Kind",
                options=[f"{each.sign} {each.noun}" for each in look.KINDS.values()],
                color=[each.chip for each in look.KINDS.values()],
                width=124,
            ),
            "time": st.column_config.TextColumn("Time", width=80),
            "peak": st.column_config.TextColumn("Peak", width=72, alignment="right"),
            "over": st.column_config.TextColumn(
                "Over", width=74, alignment="right", help="How far the peak is beyond the threshold."
            ),
            "points": st.column_config.TextColumn("Points", width=62, alignment="right"),
            "gone_at": st.column_config.TextColumn(
                "Gone at", width=74, alignment="right", help="The threshold from which this event would not count."
            ),
            "speed": st.column_config.TextColumn("Speed", width=82, alignment="right"),
            "note": st.column_config.TextColumn("Note", width=150),
        },
        column_order=[name for name in frame.columns if name != "note" or frame["note"].ne("").any()],
    )


def _rows_of(judged: Sequence[Judged], chosen: int | None) -> list[int]:
    return [row for row, each in enumerate(judged) if each.number == chosen]


def events_frame(judged: Sequence[Judged], started_at: datetime | None, zone: str, *, has_clock: bool) -> pd.DataFrame:
    """One row per event, in words, as table and download show it."""
    rows = [_event_row(each, started_at, zone, has_clock=has_clock) for each in judged]
    return pd.DataFrame(rows, columns=["number", "kind", "time", "peak", "over", "points", "gone_at", "speed", "note"])


def _event_row(judged: Judged, started_at: datetime | None, zone: str, *, has_clock: bool) -> dict[str, Any]:
    event, kind_look = judged.event, look.KINDS[judged.event.kind]
    digits = 0 if event.kind is EventKind.SPEEDING else 2
    return {
        "number": judged.number,
        "kind": f"{kind_look.sign} {kind_look.noun}",
        "time": words.event_time(event, started_at, zone, has_clock=has_clock),
        "peak": words.decimal(event.peak, digits, kind_look.unit),
        "over": f"{words.signed(judged.over, digits)} {kind_look.unit}",
        "points": words.integer(-judged.points) if judged.points else "0",
        "gone_at": words.decimal(judged.gone_at, digits, kind_look.unit) if judged.harsh else words.NOTHING,
        "speed": words.decimal(event.speed_kmh, 0, "km/h"),
        "note": f"Doubtful: {'; '.join(event.doubts)}" if event.doubts else "",
    }
