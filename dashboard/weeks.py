"""Weeks: what each driver's figure and score were in each of the last weeks, beside the fleet's. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard.movements import figures

if TYPE_CHECKING:
    from fleetflow.safety.profiles import ScoringProfile

WEEKS = 12
DAYS_TO_MONDAY = 3  # 1 January 1970, day 0, was a Thursday
LEAST_SPREAD_DAYS = 5
"""From so many days beyond one a week on, a driver's days tell how much his weeks vary by chance."""
TWO_SIDED_90 = 1.645  # standard deviations
QUARTILES = {"q1": 0.25, "median": 0.5, "q3": 0.75}


def by_week(days: pd.DataFrame, profile: ScoringProfile) -> pd.DataFrame:
    """A row per driver and week: week (its Monday), points with points_low and points_high, score with the same two.

    Points per 100 km are estimated with the fleet of that week, as the leaderboard does for a period. A score is the
    mean over the week's trips; its interval comes from how the driver's days differ within weeks.
    """
    dated = days.assign(week=monday(days["day"]))
    parts = [
        figures(part, profile)[["mean", "low", "high", "distance_km"]].assign(week=week)
        for week, part in dated.groupby("week")
    ]
    if not parts:
        columns = ["driver_id", "week", "points", "points_low", "points_high", "distance_km"]
        return pd.DataFrame(columns=[*columns, "score", "score_low", "score_high", "trips"], dtype="float64")
    found = pd.concat(parts).reset_index()
    found = found.rename(columns={"mean": "points", "low": "points_low", "high": "points_high"})
    return found.merge(_scores(dated), on=["driver_id", "week"]).sort_values(["driver_id", "week"], ignore_index=True)


def of_fleet(weeks: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row per week: the quartiles of the drivers' `points` or `score`, q1, median and q3."""
    grouped = weeks.dropna(subset=[column]).groupby("week")[column]
    return pd.DataFrame({name: grouped.quantile(share) for name, share in QUARTILES.items()}).reset_index()


def monday(day: pd.Series[int]) -> pd.Series[pd.Timestamp]:
    """The Monday of the week of each day since 1970."""
    return pd.to_datetime(day - (day + DAYS_TO_MONDAY) % 7, unit="D")


def _scores(dated: pd.DataFrame) -> pd.DataFrame:
    """A row per driver and week: trips, score, score_low, score_high (missing where days are too few to tell)."""
    keys = ["driver_id", "week"]
    rows = dated.assign(total=dated["mean_score"] * dated["trips"])
    weeks = rows.groupby(keys)[["trips", "total"]].sum()
    score = weeks["total"] / weeks["trips"]
    own = rows[keys].merge(score.rename("own").reset_index(), on=keys, how="left")["own"].to_numpy()
    within = rows.assign(within=rows["trips"] * (rows["mean_score"] - own) ** 2).groupby("driver_id")["within"]
    free = within.size() - weeks.groupby("driver_id").size()
    variance = (within.sum() / free).where(free >= LEAST_SPREAD_DAYS)
    of_week = variance.reindex(weeks.index.get_level_values("driver_id")).to_numpy(dtype=np.float64)
    reach = TWO_SIDED_90 * np.sqrt(of_week / weeks["trips"])
    ends = {"score_low": (score - reach).clip(lower=0), "score_high": (score + reach).clip(upper=100)}
    return pd.DataFrame({"trips": weeks["trips"], "score": score, **ends}).reset_index()
