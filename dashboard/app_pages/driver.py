"""Driver: scores over time, events against the fleet's, and all trips of one driver."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import charts, components, data, fleet_view, look, tables, words

if TYPE_CHECKING:
    import pandas as pd

MOST_TRIPS = 500


def main() -> None:
    """Whom, when, then figures, charts and trips."""
    zone, now, period = components.zone(), datetime.now(UTC), components.current_period()
    since = words.period_start(components.PERIODS[period], zone, now)
    database = components.database()
    known = data.drivers(database)
    names = dict(zip(known["driver_id"], tables.driver_names(known), strict=True))
    driver_id = st.query_params.get("driver", "")
    if driver_id not in names:
        show_choice(names, driver_id, zone)
        return
    with components.head(names[driver_id], fleet_view.caption(since, now, zone)):
        components.driver_picker(names, driver_id)
        components.period_control()
    profile = data.active_profile(database)
    fleet = data.leaderboard(database, profile.version, since)
    trips = data.trips(database, profile.version, driver_id, since, MOST_TRIPS)
    mine = fleet[fleet["driver_id"] == driver_id]
    if trips.empty:
        show_no_trips(period)
        return
    if not mine.empty:
        show_key_figures(mine, fleet)
        show_charts(mine, fleet, trips, zone)
    show_trips(trips, zone, names[driver_id])


def show_choice(names: dict[str, str], asked: str, zone: str) -> None:
    """No driver in the address, or one that is not known."""
    with components.head("Drivers", words.zone_note(zone).capitalize()):
        components.driver_picker(names, None)
    if not names:
        components.empty_fleet()
    elif asked:
        components.state("person_search", "No such driver", "The address may be cut short. Choose a driver above.")
    else:
        components.state("person", "Choose a driver", "Pick one above or from the leaderboard.")


def show_no_trips(period: str) -> None:
    """A driver who did not drive in the period."""
    days = components.PERIODS[period]
    title = f"No trips in the last {days} days" if days else "No trips"
    inner = components.state("event_busy", title, "Trips outside of this period are not shown here.")
    if days:
        inner.button("Show all time", on_click=components.choose_period, args=("all",))


def show_key_figures(mine: pd.DataFrame, fleet: pd.DataFrame) -> None:
    """The driver beside the fleet."""
    row = mine.iloc[0]
    better = int((fleet["mean_score"].round(1) > round(row["mean_score"], 1)).sum())
    fleet_score, fleet_rate = fleet_view.mean_score(fleet), fleet_view.rate(fleet)
    with st.grid(5, min_column_width=150):
        components.figure("Average score", words.decimal(row["mean_score"]), f"fleet {words.decimal(fleet_score)}")
        components.figure("Rank", words.integer(better + 1), f"of {words.plural(len(fleet), 'driver')}")
        components.figure(
            "Harsh events per 100 km", words.decimal(row["per_100_km"]), f"fleet {words.decimal(fleet_rate)}"
        )
        components.figure("Distance", words.kilometres(row["distance_km"]), words.duration(row["duration_s"]))
        components.figure("Trips scored", words.integer(row["trips"]), words.plural(int(row["events"]), "harsh event"))


def show_charts(mine: pd.DataFrame, fleet: pd.DataFrame, trips: pd.DataFrame, zone: str) -> None:
    """Scores over time, and each kind's rate beside the fleet's."""
    with st.grid(3, min_column_width=320, border=True) as grid:
        with grid.cell(column_span=2):
            components.card_head("Score of each trip", "A dot is a trip; dashed, the fleet's average in the period")
            components.chart(
                charts.score_by_trip(trips, zone, fleet_view.mean_score(fleet)), key="scores", alt=scores_alt(trips)
            )
        with grid.cell():
            components.card_head("Harsh events per 100 km", "Bars are this driver, ticks the fleet")
            rates = [{kind: fleet_view.rate(each, kind.value) for kind in look.KINDS} for each in (mine, fleet)]
            components.chart(
                charts.rates_against_fleet(*rates),
                key="against",
                alt="Harsh events per 100 km by kind, against the fleet",
            )


def scores_alt(trips: pd.DataFrame) -> str:
    """What the chart of scores says, in a sentence."""
    scores = trips["safety_score"].dropna()
    if scores.empty:
        return "No trip has a score yet."
    return f"{words.plural(len(scores), 'trip')} scored from {scores.min():.0f} to {scores.max():.0f}."


def show_trips(trips: pd.DataFrame, zone: str, name: str) -> None:
    """All trips of the period, newest first, and their download."""
    with st.container(border=True):
        components.card_head("Trips")
        tables.trips(trips, zone)
        note = f"{words.plural(len(trips), 'trip')}, newest first. The time opens the trip."
        if len(trips) == MOST_TRIPS:
            note = f"The newest {MOST_TRIPS} trips of the period. The time opens the trip."
        components.csv_footer(trips, note, f"fleetflow-trips-{words.file_name(name)}.csv")


main()
