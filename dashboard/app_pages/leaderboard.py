"""Leaderboard: drivers by average score under the active profile, and what the fleet's harsh events look like."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import charts, components, data, fleet_view, look, tables, words

if TYPE_CHECKING:
    import pandas as pd


def main() -> None:
    """Filters, data, empty states, then figures, charts and the table."""
    zone, now = components.zone(), datetime.now(UTC)
    period = components.current_period()
    since = words.period_start(components.PERIODS[period], zone, now)
    controls = components.head("Leaderboard", fleet_view.caption(since, now, zone))
    with controls:
        components.period_control()
    database = components.database()
    profile = data.active_profile(database)
    drivers = data.leaderboard(database, profile.version, since)
    components.waiting_note()
    if drivers.empty:
        fleet_view.show_nothing(period)
        return
    days = data.days(database, profile.version, since, zone)
    fleet_view.show_key_figures(drivers, days, len(data.drivers(database)))
    show_charts(drivers, days)
    show_table(drivers, zone, period)


def show_charts(drivers: pd.DataFrame, days: pd.DataFrame) -> None:
    """Where the fleet's harsh events come from: over time, and by driver."""
    with st.grid(3, min_column_width=320, border=True) as grid:
        with grid.cell(column_span=2):
            components.card_head("Harsh events per 100 km", fleet_view.LEGEND)
            components.chart(charts.rates_over_time(days), key="rates", alt=fleet_view.rates_alt(days))
        with grid.cell():
            least_km = fleet_view.least_distance(drivers)
            components.card_head("Most events per 100 km", f"Drivers with {words.decimal(least_km, 0, 'km')} or more")
            components.chart(
                charts.highest_rates(drivers, least_km=least_km),
                key="highest",
                alt="The drivers with the most harsh events per 100 km, by kind",
            )


def show_table(drivers: pd.DataFrame, zone: str, period: str) -> None:
    """All drivers, a way to one of them, and the download."""
    ranked = drivers.assign(rank=drivers["mean_score"].round(1).rank(method="min", ascending=False).astype(int))
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(f"{words.plural(len(ranked), 'driver')} by average score", anchor=False, width="content")
            st.space("stretch")
            fleet_view.driver_finder(ranked)
        tables.leaderboard(ranked, zone)
        download = ranked[
            ["rank", "driver_id", "name", "mean_score", "trips", "distance_km", *look.KIND_COLUMNS, "per_100_km"]
        ]
        components.csv_footer(
            download, "A name opens the driver. A header sorts.", f"fleetflow-leaderboard-{period}.csv"
        )


main()
