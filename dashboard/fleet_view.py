"""Pieces of the pages that look at the whole fleet or compare with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import components, data, filters, states, words
from dashboard.periods import Period, period_of

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

LEAST_KM = 20.0
"""Below this a single event would put a driver at the top of the list."""
GROUP, VEHICLE_CLASS = "group", "class"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a page about the fleet looks at: when, whom, in which vehicles; None is everybody and every class."""

    period_key: str
    period: Period
    zone: str
    group: str | None
    members: frozenset[str] | None
    vehicle_class: str | None

    @property
    def is_filtered(self) -> bool:
        """Whether it is a part of the fleet only."""
        return bool(self.group or self.vehicle_class)


RANKING_HELP = (
    "Penalty points per 100 km are estimated from all drivers together: little driving pulls a figure towards the"
    " fleet's. Every rank between the likely ones fits the data. With a group chosen, ranks stay those of the fleet."
)


def head(title: str) -> Scope:
    """The page's title with the controls of its scope."""
    zone, now, key = components.zone(), datetime.now(UTC), components.current_period()
    period = period_of(components.PERIODS[key], zone, now)
    with components.head(title, caption(period.since, now, zone)):
        group, vehicle_class = group_control(), _class_control()
        components.period_control()
    return Scope(key, period, zone, group or None, _members(group), vehicle_class or None)


def group_control() -> str:
    """The group of drivers to look at, empty for all; kept in the address and on the way to other pages."""
    groups = data.groups(components.database())
    group = filters.taken_along(GROUP, groups)
    if groups:
        filters.select(GROUP, "Group", {filters.EVERY: "All groups", **dict(zip(groups, groups, strict=True))}, group,
                       width=190)  # fmt: skip
    return group


def _class_control() -> str:
    """Only where there is a choice."""
    classes = data.vehicle_classes(components.database())
    chosen = filters.taken_along(VEHICLE_CLASS, classes)
    if len(classes) > 1:
        labels = {each: each.capitalize() for each in classes}
        filters.select(VEHICLE_CLASS, "Vehicle class", {filters.EVERY: "All vehicles", **labels}, chosen, width=160)
    return chosen


def _members(group: str) -> frozenset[str] | None:
    if not group:
        return None
    known = data.drivers(components.database())
    return frozenset(known.loc[known["group_name"] == group, "driver_id"])


def of_members(frame: pd.DataFrame, members: frozenset[str] | None) -> pd.DataFrame:
    """The rows of these drivers; all rows for None. Ranks stay those among the whole fleet."""
    return frame if members is None else frame[frame["driver_id"].isin(members)]


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


def driver_chart(figure: go.Figure, *, key: str, alt: str) -> None:
    """A figure whose points are drivers, their ids first in `customdata`: a click opens the driver."""

    def go_to() -> None:
        points = st.session_state[key]["selection"]["points"]
        picked = points[0].get("customdata") if points else None
        if picked:
            components.open_driver(picked[0])

    st.plotly_chart(figure, key=key, alt=alt, config=components.CHART_CONFIG, on_select=go_to, selection_mode="points")


def show_nothing(period: str, *, is_filtered: bool = False) -> None:
    """Why there is no driver to show: no trip at all, none scored yet, or none in the period or part of the fleet."""
    newest = data.newest_trip_at(components.database())
    counts = data.unfinished(components.database())
    if newest is None:
        states.empty_fleet()
    elif is_filtered:
        inner = states.card("filter_alt_off", "Nobody drove", "No scored trip in this period fits the filters.")
        inner.button("Clear the filters", on_click=_clear_filters)
    elif counts["PENDING"] + counts["PROCESSING"] or period == "all":
        text = "Trips have arrived and none has a score yet."
        if counts["FAILED"]:
            text += f" {words.plural(counts['FAILED'], 'trip')} could not be scored; see the trips for the reasons."
        states.card("hourglass_top", "No scores yet", text)
        states.rerun_every(states.RETRY_S)
    else:
        inner = states.card(
            "event_busy",
            f"No scored trips in the last {components.PERIODS[period]} days",
            f"The newest trip began on {words.day_and_time(newest, components.zone())}.",
        )
        inner.button("Show all time", on_click=components.choose_period, args=("all",))


def _clear_filters() -> None:
    for name in (GROUP, VEHICLE_CLASS):
        filters.store(name, filters.EVERY)
