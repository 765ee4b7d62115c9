"""Pieces of the pages that look at the whole fleet or compare with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import components, data, look, tables, words

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

LEGEND = "  ·  ".join(f":{each.name}[{each.sign}] {each.noun}" for each in look.KINDS.values())
LEAST_KM = 20.0
"""Below this a single event would put a driver at the top of the list."""


def caption(since: datetime | None, now: datetime, zone: str) -> str:
    """The period in dates and the zone, for the line under a page's title."""
    period = words.date_range(since, now, zone) if since else "All trips"
    return f"{period} · {words.zone_note(zone)}"


def least_distance(drivers: pd.DataFrame) -> float:
    """The distance from which a driver's rate is shown in a comparison; nobody's, if nobody drove that far."""
    return LEAST_KM if (drivers["distance_km"] >= LEAST_KM).any() else 0.0


def mean_score(frame: pd.DataFrame) -> float:
    """The mean over trips, from rows that hold a mean and a number of trips."""
    return float((frame["mean_score"] * frame["trips"]).sum() / frame["trips"].sum())


def rate(frame: pd.DataFrame, column: str = "events") -> float:
    """Harsh events per 100 km over all rows; not a number where nothing was driven."""
    distance = frame["distance_km"].sum()
    return float(100 * frame[column].sum() / distance) if distance else float("nan")


def show_key_figures(drivers: pd.DataFrame, days: pd.DataFrame, known: int) -> None:
    """The period in five figures, each with its course over the days."""
    recent = days.tail(60)
    with st.grid(5, min_column_width=150):
        st.metric(
            "Average score",
            words.decimal(mean_score(drivers)),
            border=True,
            height="stretch",
            chart_data=recent["mean_score"].round(1).tolist(),
            delta_color="gray",
            help="Mean over all scored trips. A trip starts at 100 and loses points with each harsh event.",
        )
        st.metric(
            "Harsh events per 100 km",
            words.decimal(rate(drivers)),
            border=True,
            height="stretch",
            chart_data=recent["per_100_km"].fillna(0.0).round(1).tolist(),
            chart_type="bar",
            delta_color="gray",
        )
        for label, column in (("Distance", "distance_km"), ("Trips scored", "trips")):
            total = float(drivers[column].sum())
            st.metric(
                label,
                words.kilometres(total) if column == "distance_km" else words.integer(total),
                border=True,
                height="stretch",
                chart_data=recent[column].round(1).tolist(),
                chart_type="bar",
                delta_color="gray",
            )
        components.figure("Drivers", words.integer(len(drivers)), f"of {words.integer(known)} known")


def driver_finder(frame: pd.DataFrame) -> None:
    """A box that finds a driver by name and opens him; the table's names do the same with the mouse."""
    names = dict(zip(frame["driver_id"], tables.driver_names(frame), strict=True))

    def go() -> None:
        chosen = st.session_state["find_driver"]
        if chosen in names:
            components.open_driver(chosen)

    st.selectbox(
        "Find a driver",
        sorted(names, key=lambda each: names[each].casefold()),
        index=None,
        format_func=lambda each: names.get(each, each),
        placeholder="Find a driver",
        label_visibility="collapsed",
        key="find_driver",
        on_change=go,
        width=230,
        icon=":material/search:",
    )


def show_nothing(period: str) -> None:
    """Why there is no driver to show: no trip at all, none scored yet, or none in the period."""
    newest = data.newest_trip_at(components.database())
    counts = data.unfinished(components.database())
    if newest is None:
        components.empty_fleet()
    elif counts["PENDING"] + counts["PROCESSING"] or period == "all":
        text = "Trips have arrived and none has a score yet."
        if counts["FAILED"]:
            text += f" {words.plural(counts['FAILED'], 'trip')} could not be scored; see the trips for the reasons."
        components.state("hourglass_top", "No scores yet", text)
        components.rerun_every(components.RETRY_S)
    else:
        inner = components.state(
            "event_busy",
            f"No scored trips in the last {components.PERIODS[period]} days",
            f"The newest trip began on {words.day_and_time(newest, components.zone())}.",
        )
        inner.button("Show all time", on_click=components.choose_period, args=("all",))


def rates_alt(days: pd.DataFrame) -> str:
    """What the chart of rates says, in a sentence."""
    worst = days.iloc[int(days["per_100_km"].fillna(-1).argmax())]
    return (
        f"Harsh events per 100 km by day and kind; {words.decimal(rate(days))} over the period, the most"
        f" ({words.decimal(worst['per_100_km'])}) on {worst['day'].strftime('%-d %B')}."
    )
