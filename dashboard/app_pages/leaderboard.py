"""Leaderboard: drivers by points per 100 km under the active profile, how sure that is, and the harsh events."""

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
    ranked = fleet_view.with_ranks(drivers, data.ranking(database, profile.version, since, zone))
    show_charts(ranked, days)
    show_table(ranked, zone, period)


def show_charts(drivers: pd.DataFrame, days: pd.DataFrame) -> None:
    """Where the fleet's harsh events come from: over time, and by driver."""
    with st.grid(3, min_column_width=320, border=True) as grid:
        with grid.cell(column_span=2):
            components.card_head("Harsh events per 100 km", fleet_view.LEGEND)
            components.chart(charts.rates_over_time(days), key="rates", alt=fleet_view.rates_alt(days))
        with grid.cell():
            fleet_view.show_riskiest(drivers)


def show_table(drivers: pd.DataFrame, zone: str, period: str) -> None:
    """All drivers, a way to one of them, and the download."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(
                f"{words.plural(len(drivers), 'driver')} by points per 100 km",
                anchor=False,
                width="content",
                help=fleet_view.RANKING_HELP,
            )
            st.space("stretch")
            fleet_view.driver_finder(drivers)
        tables.leaderboard(drivers, zone)
        columns = [*fleet_view.RANK_COLUMNS, "mean_score", "trips", "distance_km", *look.KIND_COLUMNS, "per_100_km"]
        note = "Rank 1 has the most points. A name opens the driver, a header sorts."
        file_name = f"fleetflow-leaderboard-{period}.csv"
        components.csv_footer(drivers[["driver_id", "name", *columns]], note, file_name)


main()
