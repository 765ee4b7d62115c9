"""The fleet's key figures of a period and of the one before, from driven days. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard import look

if TYPE_CHECKING:
    from dashboard.periods import Period

SURE_SD = 1.645
"""A change is more than chance from so many standard deviations on: 90 % both ways."""
MOST_BARS = 60
SMOOTH_DAYS = 7
SUMS = ("trips", "scored", "distance_km", "points", *look.KIND_COLUMNS)


@dataclass(frozen=True, slots=True)
class Totals:
    """A period in numbers: `score` is the mean over trips, `rate` harsh events per 100 km (NaN without distance)."""

    trips: int
    score: float
    distance_km: float
    events: float
    points: float

    @property
    def rate(self) -> float:
        """Harsh events of all kinds per 100 km."""
        return 100 * self.events / self.distance_km if self.distance_km else math.nan


def totals(driven: pd.DataFrame) -> Totals:
    """The sums over rows of usable driven days."""
    trips = int(driven["trips"].sum())
    score = float((driven["mean_score"] * driven["trips"]).sum() / trips) if trips else math.nan
    events = float(driven[list(look.KIND_COLUMNS)].to_numpy().sum())
    return Totals(trips, score, float(driven["distance_km"].sum()), events, float(driven["points"].sum()))


def is_beyond_chance(now: float, now_km: float, before: float, before_km: float, bunching: float) -> bool:
    """Whether a rate of `now` events in `now_km` differs from the one before by more than counting explains."""
    if not (now and before and now_km and before_km):
        return False
    change = math.log(now / now_km) - math.log(before / before_km)
    return abs(change) > SURE_SD * math.sqrt(bunching * (1 / now + 1 / before))


def by_day(driven: pd.DataFrame) -> pd.DataFrame:
    """One row per day from the first driven to the last, without a gap: `day` (a date), SUMS, mean_score, events."""
    sums = driven.assign(scored=driven["mean_score"] * driven["trips"]).groupby("day")[list(SUMS)].sum()
    if len(sums):
        sums = sums.reindex(range(int(sums.index.min()), int(sums.index.max()) + 1), fill_value=0.0)
    days = pd.to_datetime(sums.index.to_numpy(dtype="int64"), unit="D")
    events = sums[list(look.KIND_COLUMNS)].sum(axis=1)
    return sums.assign(mean_score=sums["scored"] / sums["trips"].where(sums["trips"] > 0), events=events, date=days)


def course(days: pd.DataFrame, column: str) -> list[float]:
    """A sparkline: seven-day means of a column per day, at most MOST_BARS of them, the newest last."""
    smooth = days[column].astype("float64").rolling(SMOOTH_DAYS, min_periods=1).mean()
    return [round(each, 3) for each in smooth.ffill().fillna(0.0).tail(MOST_BARS)]


def course_of_ratio(days: pd.DataFrame, above: str, below: str, factor: float = 1.0) -> list[float]:
    """A sparkline of a ratio: sums of seven days over sums of seven days."""
    sums = [days[name].rolling(SMOOTH_DAYS, min_periods=1).sum() for name in (above, below)]
    ratio = factor * sums[0] / sums[1].replace(0.0, np.nan)
    return [round(each, 3) for each in ratio.ffill().fillna(0.0).tail(MOST_BARS)]


def smooth_rates(days: pd.DataFrame) -> pd.DataFrame:
    """Harsh events per 100 km of each kind over the last seven days, a row per day (missing where nobody drove)."""
    sums = days[[*look.KIND_COLUMNS, "distance_km", "trips"]].rolling(SMOOTH_DAYS, min_periods=1).sum()
    exposure = sums["distance_km"].where(sums["distance_km"] > 0) / 100
    rates = {name: sums[name] / exposure for name in look.KIND_COLUMNS}
    return pd.DataFrame({"date": days["date"], **rates, "distance_km": sums["distance_km"], "trips": sums["trips"]})


def in_period(days: pd.DataFrame, period: Period) -> pd.DataFrame:
    """The days of the period itself."""
    return days[days.index >= period.first_day]
