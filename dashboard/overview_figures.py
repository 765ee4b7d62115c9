"""The overview's key figures: each with its course over the period and its change against the one before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import streamlit as st

from dashboard import fleet_view, key_figures, words

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.key_figures import Totals
    from dashboard.periods import Period
    from dashboard.standings import Standings

SCORE_HELP = "Mean over all scored trips. A trip starts at 100 and loses points with each harsh event."
ABOVE_HELP = (
    "Ranked drivers who belong to the worse half with at least 95 % probability; the others cannot be told apart from"
    " the middle, or are clearly below it."
)


class Delta(NamedTuple):
    """A change beside a key figure: its text, colour and what it is compared with."""

    text: str | None
    color: Any
    beside: str | None

    @property
    def arrow(self) -> Literal["up", "down", "off"]:
        """Where it points: the real minus sign is none to Streamlit."""
        if not self.text or self.text[0] not in {"+", words.MINUS}:
            return "off"
        return "up" if self.text[0] == "+" else "down"


def show_key_figures(driven: pd.DataFrame, found: Standings, members: frozenset[str] | None, period: Period) -> None:
    """The period in five figures, each with its course and its change; `driven` are usable days of who is looked at."""
    days = key_figures.in_period(key_figures.by_day(driven), period)
    now, before = (key_figures.totals(part) for part in (period.now(driven), period.before(driven)))
    with st.grid(5, min_column_width=160):
        _metric("Fleet score", words.decimal(now.score), _score_delta(now, before, found, period),
                key_figures.course_of_ratio(days, "scored", "trips"), help=SCORE_HELP)  # fmt: skip
        _metric("Harsh events per 100 km", words.decimal(now.rate), _rate_delta(now, before, found, period),
                key_figures.course_of_ratio(days, "events", "distance_km", 100.0))  # fmt: skip
        _show_clearly_above(found, members)
        _metric("Distance", words.kilometres(now.distance_km),
                _share_delta(now.distance_km, before.distance_km, period),
                key_figures.course(days, "distance_km"))  # fmt: skip
        _metric("Trips scored", words.integer(now.trips), _share_delta(now.trips, before.trips, period),
                key_figures.course(days, "trips"))  # fmt: skip


def _metric(label: str, value: str, delta: Delta, course: list[float], *, help: str | None = None) -> None:  # noqa: A002
    st.metric(
        label, value, delta.text, delta_color=delta.color, delta_arrow=delta.arrow, delta_description=delta.beside,
        border=True,
        height="stretch", chart_data=course or None, chart_type="area", help=help,
    )  # fmt: skip


def _against(period: Period) -> str:
    return f"vs {period.days} d before"


def _score_delta(now: Totals, before: Totals, found: Standings, period: Period) -> Delta:
    """Points decide whether the change is more than chance: the score is made of them."""
    bunching = found.bunching * found.event_points
    sure = key_figures.is_beyond_chance(now.points, now.distance_km, before.points, before.distance_km, bunching)
    return _told(now.score - before.score, before, period, sure=sure, more_is_better=True)


def _rate_delta(now: Totals, before: Totals, found: Standings, period: Period) -> Delta:
    sure = key_figures.is_beyond_chance(now.events, now.distance_km, before.events, before.distance_km, found.bunching)
    return _told(now.rate - before.rate, before, period, sure=sure, more_is_better=False)


def _told(change: float, before: Totals, period: Period, *, sure: bool, more_is_better: bool) -> Delta:
    if not before.trips or not math.isfinite(change):
        return Delta(None, "gray", None)
    if not sure:
        return Delta(words.signed(change), "gray", _against(period))
    better = (change > 0) == more_is_better
    return Delta(words.signed(change), "green" if better else "gray", f"clearly {'better' if better else 'worse'}")


def _share_delta(now: float, before: float, period: Period) -> Delta:
    if not before:
        return Delta(None, "gray", None)
    return Delta(f"{words.signed(100 * (now / before - 1), 0)} %", "gray", _against(period))


def _show_clearly_above(found: Standings, members: frozenset[str] | None) -> None:
    ranked, earlier = (fleet_view.of_members(each, members) for each in (found.ranked, found.before))
    above, before = (int((each["verdict"] == "clearly above").sum()) for each in (ranked, earlier))
    delta = Delta(None, "gray", f"of {words.plural(len(ranked), 'ranked driver')}")
    if (earlier["rank"] > 0).any():
        delta = Delta(words.signed(above - before, 0), "gray", f"of {len(ranked)} ranked")
    _metric("Clearly above", words.integer(above), delta, [], help=ABOVE_HELP)
