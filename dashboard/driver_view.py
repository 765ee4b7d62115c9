"""Pieces of the driver page: who is looked at, the way to the next, the badges and the key figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from dashboard import components, data, fleet_view, movements, words
from dashboard.movements import Window
from dashboard.periods import period_of
from dashboard.standings import UNUSABLE

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd
    from streamlit.delta_generator import DeltaGenerator

    from dashboard.movements import Row
    from fleetflow.storage.drivers import DriverCard
    from fleetflow.storage.profiles import StoredProfile

VERDICT_BADGES = {
    "clearly above": "Clearly in the worse half",
    "clearly below": "Clearly in the better half",
    "cannot tell": "Not distinguishable from the middle",
}
POINTS_HELP = (
    "Penalty points per 100 km, estimated with the whole fleet, and the interval that holds the true figure with 90 %."
)
WORSE_HALF_HELP = "How probable it is that the driver truly belongs to the worse half of those who are ranked."


@dataclass(frozen=True, slots=True)
class Subject:
    """The driver that is looked at, and the period; `row` is the driver's of the ranking, None if no trip ranks.

    `ranking` has the columns of standings.Standings, without those of whom no trip is usable.

    `before` is the period before, None for all time; `row_before` the driver's row of that.
    """

    database: str
    driver_id: str
    name: str
    card: DriverCard
    stored: StoredProfile
    zone: str
    days: int | None
    window: Window
    ranking: pd.DataFrame
    row: Row | None
    before: Window | None
    row_before: Row | None


class Figure(NamedTuple):
    """A key figure as page and report show it."""

    label: str
    value: str
    note: str
    help: str | None = None


def load(database: str, driver_id: str, name: str, period: str, now: datetime) -> Subject:
    """Where the driver stands in the period, and stood in the one before."""
    zone, stored, days = components.zone(), data.active_profile(database), components.PERIODS[period]
    since = words.period_start(days, zone, now)
    before = movements.window_before(since, days, zone) if since and days else None
    # Those of the leaderboard: who comes from there finds them made, and reads the same figures here.
    found = data.standings(database, stored.version, period_of(days, zone, now), zone, None)
    ranking = found.drivers[found.drivers["status"] != UNUSABLE]
    row_before = _row(found.before, driver_id) if before else None
    return Subject(
        database, driver_id, name, data.driver_card(database, driver_id), stored, zone, days, Window(since), ranking,
        _row(ranking, driver_id), before, row_before,
    )  # fmt: skip


def _row(ranking: pd.DataFrame, driver_id: str) -> Row | None:
    return movements.row_of(ranking.set_index("driver_id"), driver_id)


def show_head(subject: Subject, names: dict[str, str], caption: str) -> None:
    """Name, badges and the way to others."""
    previous, following = neighbours(subject.ranking, names, subject.driver_id)
    with components.head(subject.name, caption, width=350):
        _step("Previous", previous, "The driver above on the leaderboard")
        components.driver_picker(names, subject.driver_id)
        _step("Next", following, "The driver below on the leaderboard")
        components.period_control()


def neighbours(ranking: pd.DataFrame, names: dict[str, str], driver_id: str) -> tuple[str | None, str | None]:
    """Who comes before and after on the leaderboard; those who are not on it come last, by name."""
    listed = [each for each in ranking["driver_id"] if each in names]
    order = [*listed, *sorted(names.keys() - set(listed), key=lambda each: names[each].casefold())]
    at = order.index(driver_id)
    return order[at - 1] if at else None, order[at + 1] if at + 1 < len(order) else None


def _step(label: str, driver_id: str | None, help: str) -> None:  # noqa: A002
    def go() -> None:
        if driver_id:
            st.query_params["driver"] = driver_id

    st.button(label, on_click=go, disabled=driver_id is None, help=help, key=f"step_{label}")


def badges(subject: Subject) -> list[str]:
    """Group, vehicle class and verdict, as far as they are known."""
    verdict = VERDICT_BADGES.get(str(subject.row["verdict"]), "No rank yet") if subject.row else "No rank"
    return [*(each for each in (subject.card.group_name, subject.card.vehicle_class) if each), verdict]


def show_badges(subject: Subject) -> DeltaGenerator:
    """The badges in a row; returns the place at its end for a button."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="xsmall")
    for each in badges(subject):
        row.badge(words.literal(each), color="gray")
    row.space("stretch")
    return row.container(width="content")


def key_figures(subject: Subject) -> list[Figure]:
    """Rank, points, score, the probability of the worse half, and distance, each with how sure it is."""
    row, was = subject.row, subject.row_before
    if row is None:
        return [Figure("Rank", words.NOTHING, "no trip of the period can be ranked")]
    score_note = f"was {words.decimal(was['mean_score'])}" if was else "mean over the trips"
    return [
        *(_ranked_figures(subject, row, was) if row["rank"] > 0 else _unranked_figures(row)),
        Figure("Score", words.decimal(row["mean_score"]), score_note, "Mean over the trips of the period."),
        Figure("Distance", words.kilometres(row["distance_km"]), words.plural(int(row["trips"]), "trip")),
    ]


def _ranked_figures(subject: Subject, row: Row, was: Row | None) -> list[Figure]:
    likely = f"likely {row['rank_low']:.0f}{words.DASH}{row['rank_high']:.0f}"
    old = f" · was {was['rank']:.0f}" if was and was["rank"] > 0 else ""
    rank = f"{'=' if row['tied'] else ''}{row['rank']:.0f} of {int((subject.ranking['rank'] > 0).sum())}"
    interval = f"90 %: {words.decimal(row['low'])}{words.DASH}{words.decimal(row['high'])}"
    counted = f" Counted: {words.decimal(row['raw_per_100_km'])}."
    return [
        Figure("Rank", rank, likely + old, fleet_view.RANKING_HELP),
        Figure("Points per 100 km", words.decimal(row["points_per_100_km"]), interval, POINTS_HELP + counted),
        Figure("In the worse half", movements.percent(row["worse_half"]), str(row["verdict"]), WORSE_HALF_HELP),
    ]


def _unranked_figures(row: Row) -> list[Figure]:
    more = f"needs about {words.kilometres(np.ceil(row['km_needed']))} more" if row["km_needed"] > 0 else row["status"]
    return [
        Figure("Rank", words.NOTHING, str(more), fleet_view.RANKING_HELP),
        Figure("Points per 100 km", words.NOTHING, "a figure comes with the rank", POINTS_HELP),
    ]


def show_key_figures(subject: Subject) -> None:
    """The figures as cards."""
    with st.grid(5, min_column_width=150):
        for each in key_figures(subject):
            components.figure(each.label, each.value, each.note, help=each.help)
