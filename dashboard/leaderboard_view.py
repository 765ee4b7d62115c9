"""Pieces of the leaderboard: its filters, the comparison of two drivers, table and chart, and who has no rank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import streamlit as st

from dashboard import components, filters, fleet_charts, fleet_view, leaderboard_table, look, states, tables, words
from dashboard.standings import ESTIMATED, RATES, beyond_likely_ranks
from fleetflow.safety.ranking.pair import compare_pair

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.fleet_view import Scope
    from dashboard.standings import Standings
    from fleetflow.safety.ranking.pair import Pair

FIND, LEAST, SHOW, VIEW, COMPARE, ROADS = "find", "km", "show", "view", "compare", "roads"
LEAST_KM = {filters.EVERY: "Any distance", **{str(km): f"{km} km or more" for km in (50, 100, 200, 500, 1000)}}
SHOWN = {filters.EVERY: "All", "above": "Clearly above", "below": "Clearly below"}
AS_DRIVEN = {filters.EVERY: "As driven", "equal": "Equal roads"}
MOST_NAMED = 5
VIEWS = {filters.EVERY: "Table", "chart": "Chart"}
MOST_IN_CHART = 60
MOST_IN_TABLE = 500
TWO = 2
ENOUGH, LIKELY = 0.95, 0.9
DOWNLOADED = (
    "driver_id", "name", "group_name", "rank", "rank_low", "rank_high", "tied", "status", "points_per_100_km", "low",
    "high", "raw_per_100_km", "worse_half", "verdict", "km_needed", "rank_before", "points_per_100_km_before", "rose",
    "fell", "badge", "mean_score", "trips", "distance_km", *look.KIND_COLUMNS, *RATES, *ESTIMATED, "per_100_km",
    "unusable_trips",
)  # fmt: skip
NOT_ENOUGH = (
    "Too few km to tell them from the others: no rank, neither a good nor a bad one. They return by themselves."
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the filters above the table leave."""

    find: str
    least_km: float
    show: str
    as_chart: bool


def show_filters() -> Chosen:
    """The row of filters above the table; all of them live in the address."""
    least, show, view = (filters.current(*each) for each in ((LEAST, LEAST_KM), (SHOW, SHOWN), (VIEW, VIEWS)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        find = filters.search(FIND, "Find a driver", width=230)
        filters.select(LEAST, "Least distance", LEAST_KM, least, width=170)
        st.space("stretch")
        filters.segment(ROADS, "Roads", AS_DRIVEN, "equal" if equal_roads() else filters.EVERY)
        filters.segment(SHOW, "Drivers shown", SHOWN, show)
        filters.segment(VIEW, "View", VIEWS, view)
    return Chosen(find, float(least or 0), show, view == "chart")


def equal_roads() -> bool:
    """Whether the address asks for an equal road mix."""
    return bool(filters.current(ROADS, AS_DRIVEN))


def show_roads(found: Standings, as_driven: Standings) -> None:
    """What an equal road mix is, and whom it moves further than chance may."""
    moved = beyond_likely_ranks(found.drivers, as_driven.drivers)
    names = [name.removeprefix("Simulated ") for name in tables.driver_names(moved.head(MOST_NAMED))]
    more = f" and {len(moved) - MOST_NAMED} more" if len(moved) > MOST_NAMED else ""
    beyond = (
        f"{', '.join(names)}{more} moved beyond their likely ranks."
        if names
        else "Nobody moved beyond his likely ranks."
    )
    st.caption(
        "Equal roads: a kilometre counts for what the fleet collects at such speeds (below 35, 35-70, above 70 km/h),"
        f" so that town and motorway drivers compare. {beyond}"
    )


def fits(drivers: pd.DataFrame, chosen: Chosen) -> pd.DataFrame:
    """The drivers that the filters leave, in the same order."""
    keep = drivers["distance_km"].fillna(0.0) >= chosen.least_km
    if chosen.find:
        named = [chosen.find.casefold() in name.casefold() for name in tables.driver_names(drivers)]
        keep &= np.asarray(named, dtype=bool)
    if chosen.show:
        keep &= drivers["verdict"] == f"clearly {chosen.show}"
    return drivers[keep].reset_index(drop=True)


def show_ranked(found: Standings, shown: pd.DataFrame, chosen: Chosen, scope: Scope) -> None:
    """The ranked drivers as table or chart, with the comparison of two above."""
    with st.container(border=True):
        middle = f" of {words.decimal(found.middle)}" if len(found.ranked) else ""
        components.card_head(
            f"{words.plural(len(found.ranked), 'driver')} by penalty points per 100 km",
            f"Lower is better. Dashed: the middle{middle}. A name opens the driver, two ticks compare.",
            help=fleet_view.RANKING_HELP,
        )
        if shown.empty:
            _show_no_match(anyone=bool(len(found.ranked)))
        elif chosen.as_chart:
            figure = fleet_charts.intervals(shown.head(MOST_IN_CHART), found.middle)
            fleet_view.driver_chart(figure, key="intervals", alt="Drivers with the 90 % interval of their points")
        else:
            _show_table(shown.head(MOST_IN_TABLE), found.middle)
        _show_footer(found, shown, chosen, scope)


def _show_no_match(*, anyone: bool) -> None:
    if not anyone:
        states.card("social_leaderboard", "Nobody has a rank yet", NOT_ENOUGH)
        return
    inner = states.card("search_off", "No driver matches", "Clear the search or the filters.")
    inner.button("Clear the filters", on_click=_clear)


def _clear() -> None:
    for name in (FIND, LEAST, SHOW):
        filters.store(name, filters.EVERY)


def _show_table(shown: pd.DataFrame, middle: float) -> None:
    ids = list(shown["driver_id"])
    ticked = [ids.index(each) for each in st.query_params.get(COMPARE, "").split(",") if each in ids]
    comparison = st.container()
    key = f"leaderboard_{crc32(','.join(ids).encode()):x}"  # a browser keeps ticks by row: other rows, other table

    def tick() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        filters.store(COMPARE, ",".join(ids[row] for row in rows if row < len(ids)))

    leaderboard_table.ranked(shown, middle=middle, key=key, ticked=ticked, on_tick=tick)
    if len(ticked) == 1:
        comparison.caption("Tick a second driver to compare the two.")
    elif len(ticked) == TWO:
        with comparison.container(border=True):
            _show_comparison(shown.iloc[ticked])
    elif ticked:
        comparison.caption("Two drivers are compared at a time; untick the others.")


def _show_comparison(two: pd.DataFrame) -> None:
    pair = compare_pair(two["shape"].to_numpy(), two["rate"].to_numpy())
    names = [name.removeprefix("Simulated ") for name in tables.driver_names(two)]
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width=360, gap="small"):
            st.markdown(f"**{names[0]} and {names[1]}**")
            st.markdown(say_comparison(pair, names))
            km = [words.kilometres(each) for each in two["distance_km"]]
            st.caption(f"{say_weight(pair)} {km[0]} against {km[1]}.")
        with st.container():
            components.chart(
                fleet_charts.two_densities(pair, names), key="two_densities", alt=say_comparison(pair, names)
            )


def say_comparison(pair: Pair, names: list[str]) -> str:
    """Who of two collects more points, as a sentence with its probability."""
    first = pair.first_is_worse >= 0.5  # noqa: PLR2004
    more, fewer = names if first else reversed(names)
    chance = pair.first_is_worse if first else 1 - pair.first_is_worse
    return f"It is **{words.chance(chance)}** certain that {more} collects more points per 100 km than {fewer}."


def say_weight(pair: Pair) -> str:
    """What may be done with it."""
    chance = max(pair.first_is_worse, 1 - pair.first_is_worse)
    if chance > ENOUGH:
        return "Enough to act on."
    return "Likely, but not settled." if chance >= LIKELY else "Not enough to tell them apart: more driving is needed."


def _show_footer(found: Standings, shown: pd.DataFrame, chosen: Chosen, scope: Scope) -> None:
    most = MOST_IN_CHART if chosen.as_chart else MOST_IN_TABLE
    note = f"{min(len(shown), most):,} of {words.plural(len(found.ranked), 'ranked driver')} shown."
    everybody = fits(fleet_view.of_members(found.drivers, scope.members), chosen)
    file_name = f"fleetflow-leaderboard-{scope.period_key}.csv"
    components.csv_footer(everybody[list(DOWNLOADED)], f"{note} A header sorts.", file_name)


def show_unranked(drivers: pd.DataFrame) -> None:
    """Who has no rank, apart from the others, and what is missing."""
    if drivers.empty:
        return
    with st.container(border=True):
        components.card_head(f"Not enough driving ({len(drivers)})", NOT_ENOUGH)
        leaderboard_table.unranked(drivers)
