"""Pieces of the pages that look at the whole fleet or compare with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dashboard import charts, components, data, look, tables, words

if TYPE_CHECKING:
    from datetime import datetime

LEGEND = "  ·  ".join(f":{each.name}[{each.sign}] {each.noun}" for each in look.KINDS.values())
LEAST_KM = 20.0
"""Below this a single event would put a driver at the top of the list."""


RANK_COLUMNS = (
    "rank", "rank_low", "rank_high", "status", "points_per_100_km", "low", "high", "raw_per_100_km", "worse_half",
    "verdict", "km_needed",
)  # fmt: skip
RANKING_HELP = (
    "Drivers are ordered by penalty points per 100 km, estimated from all drivers together: little driving pulls a"
    " figure towards the fleet's. Every rank between the likely ones fits the data. Who has not driven enough to tell"
    " him from the others has no rank, neither a good nor a bad one."
)


def with_ranks(drivers: pd.DataFrame, ranking: pd.DataFrame) -> pd.DataFrame:
    """The drivers with RANK_COLUMNS in the order of the ranking; those without a usable trip last."""
    columns = [name for name in RANK_COLUMNS if name in ranking]
    merged = ranking[["driver_id", *columns]].merge(drivers, on="driver_id", how="right") if columns else drivers
    merged = merged.reindex(columns=[*dict.fromkeys([*merged.columns, *RANK_COLUMNS])])
    place = pd.Series(range(len(ranking)), index=ranking["driver_id"], dtype="float64")
    order = merged["driver_id"].map(place).sort_values(kind="stable", na_position="last").index
    return merged.loc[order].reset_index(drop=True)


def show_riskiest(ranked: pd.DataFrame) -> None:
    """The ranked drivers with the most points per 100 km; without ranks, those with the most events."""
    placed = ranked[ranked["rank"] > 0]
    if placed.empty:
        least_km = least_distance(ranked)
        note = f"Nobody has a rank yet. Drivers with {words.decimal(least_km, 0, 'km')} or more"
        components.card_head("Most events per 100 km", note)
        figure, alt = charts.highest_rates(ranked, least_km=least_km), "The drivers with the most events per 100 km"
    else:
        components.card_head("Riskiest drivers", "Penalty points per 100 km; the bar is the 90 % interval")
        worst = placed.iloc[0]
        figure = charts.riskiest(placed)
        alt = (
            f"{words.driver(worst['name'], worst['driver_id'])} has the most penalty points per 100 km:"
            f" {words.decimal(worst['points_per_100_km'])}, likely {words.decimal(worst['low'])} to"
            f" {words.decimal(worst['high'])}."
        )
    components.chart(figure, key="riskiest", alt=alt)


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
