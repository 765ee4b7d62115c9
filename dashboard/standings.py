"""Where every driver stands: his rank and how sure it is, what changed since the period before, and his trend. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard.periods import TREND_DAYS
from dashboard.ranking import driver_days, event_points, rank_fleet
from fleetflow.safety.events import EventKind
from fleetflow.safety.judging import KINDS
from fleetflow.safety.ranking.bunching import measure_bunching
from fleetflow.safety.ranking.days import KM_PER_EXPOSURE, add_up, counted
from fleetflow.safety.ranking.kinds import fit_kind
from fleetflow.safety.ranking.movement import compare_periods

if TYPE_CHECKING:
    from dashboard.periods import Period
    from fleetflow.safety.profiles import ScoringProfile

WEEKS = TREND_DAYS // 7
TREND_PRIOR_KM = 50.0
"""A week's rate leans on the driver's own mean as if he had driven so far more in it: a single event in a week of two
trips is no peak."""
NO_RANK = 0
UNUSABLE = "unusable"
"""The status of who drove nothing that can be judged."""
BEFORE = ("rank", "points_per_100_km", "low", "high", "distance_km")
RATES = tuple(f"{kind.value}_per_100_km" for kind in KINDS)
ESTIMATED = tuple(f"{kind.value}_estimated" for kind in KINDS)


@dataclass(frozen=True, slots=True, eq=False)
class Standings:
    """`drivers` has a row per driver who drove in the period, the worst first, those without a rank last.

    Its columns are those of ranking.rank_fleet; harsh events per 100 km of each kind as counted (RATES), as
    estimated with the whole fleet (ESTIMATED), and of all kinds as counted (per_100_km);
    of the period before the columns BEFORE with `_before` (missing where he did not drive); `fell` and `rose`, the
    probabilities that his rate did beyond the fleet's own change, and `badge`; `trend`, points per 100 km of eight
    weeks, the oldest first; unusable_trips. The status of who drove nothing usable is UNUSABLE.

    `middle` is the median of the ranked, in points per 100 km, `fleet_ratio` the fleet's rate over that before.
    `event_points` is what an event costs on average, `bunching` how many events count as one that is independent.
    """

    drivers: pd.DataFrame
    before: pd.DataFrame
    middle: float
    fleet_ratio: float
    event_points: float
    bunching: float

    @property
    def ranked(self) -> pd.DataFrame:
        """Those with a rank, the worst first."""
        return self.drivers[self.drivers["rank"] > NO_RANK]


def stand(driven: pd.DataFrame, profile: ScoringProfile, period: Period) -> Standings:
    """The standings of a period from driven days (with `usable`), which reach back over the one before."""
    usable = driven[driven["usable"]]
    now, before = period.now(usable), period.before(usable)
    drivers, earlier = rank_fleet(now, profile)[0], rank_fleet(before, profile)[0]
    moved, ratio = _moved(before, now, profile)
    drivers = _with_before(drivers, earlier).merge(moved, on="driver_id", how="left")
    drivers = drivers.assign(trend=_trends(usable, drivers, period), **_rates(drivers))
    drivers = drivers.merge(_estimated(now), on="driver_id", how="left")
    drivers = _with_unusable(drivers, period.now(driven))
    ranked = drivers["rank"] > NO_RANK
    middle = float(drivers.loc[ranked, "points_per_100_km"].median()) if ranked.any() else np.nan
    psi0 = event_points(now, profile)
    return Standings(drivers, earlier, middle, ratio, psi0, _bunching(now, psi0))


def _with_before(drivers: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    columns = earlier[["driver_id", *BEFORE]].rename(columns={name: f"{name}_before" for name in BEFORE})
    return drivers.merge(columns, on="driver_id", how="left")


def _moved(before: pd.DataFrame, now: pd.DataFrame, profile: ScoringProfile) -> tuple[pd.DataFrame, float]:
    both = pd.concat([before, now], ignore_index=True)
    numbers, ids = pd.factorize(both["driver_id"], sort=True)
    first = driver_days(before, numbers[: len(before)], len(ids))
    second = driver_days(now, numbers[len(before) :], len(ids))
    found = compare_periods(first, second, event_points(both, profile))
    badge = pd.Series([str(each) for each in found.badge], dtype="str")
    frame = pd.DataFrame({"driver_id": pd.Series(ids, dtype="str"), "fell": found.fell, "rose": found.rose})
    return frame.assign(badge=badge), found.fleet_ratio


def _trends(usable: pd.DataFrame, drivers: pd.DataFrame, period: Period) -> pd.Series:
    """Kilometres count as they do in the ranking; a week in which nobody drove stands at the driver's mean."""
    week = (period.last_day - usable["day"].to_numpy()) // 7
    place = pd.Index(drivers["driver_id"]).get_indexer(pd.Index(usable["driver_id"]))
    seen = (week >= 0) & (week < WEEKS) & (place >= 0)
    cell = place[seen] * WEEKS + (WEEKS - 1 - week[seen])
    points, exposure = (
        np.bincount(cell, weights=each, minlength=len(drivers) * WEEKS).reshape(len(drivers), WEEKS)
        for each in counted(driver_days(usable[seen], place[seen], len(drivers)))
    )
    prior = TREND_PRIOR_KM / KM_PER_EXPOSURE
    mean = drivers["points_per_100_km"].to_numpy(dtype=np.float64)[:, None]
    rates: np.ndarray = (points + prior * mean) / (exposure + prior)
    return pd.Series([[round(each, 2) for each in row] for row in rates.tolist()], dtype="object")


def _rates(drivers: pd.DataFrame) -> dict[str, pd.Series]:
    exposure = (drivers["distance_km"] / KM_PER_EXPOSURE).where(drivers["distance_km"] > 0)
    rates = {name: drivers[kind.value] / exposure for name, kind in zip(RATES, KINDS, strict=True)}
    return {**rates, "per_100_km": drivers[[kind.value for kind in KINDS]].sum(axis=1) / exposure}


def _estimated(now: pd.DataFrame) -> pd.DataFrame:
    """Each kind's rate by driver, fitted by itself: little driving pulls it towards the fleet's.

    Speeding is per plain kilometre on equal roads too: how fast somebody drives is not the road's doing.
    """
    numbers, ids = pd.factorize(now["driver_id"], sort=True)
    frame = pd.DataFrame({"driver_id": pd.Series(ids, dtype="str")})
    plain = now.drop(columns="weight", errors="ignore")
    for name, kind in zip(ESTIMATED, KINDS, strict=True):
        rows = plain if kind is EventKind.SPEEDING else now
        days = driver_days(rows.assign(points=rows[kind.value]), numbers, len(ids))
        blocks = add_up(days).blocks
        frame[name] = fit_kind(blocks.driver, blocks.points, blocks.exposure, len(ids)).mean
    return frame


def beyond_likely_ranks(drivers: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Of the drivers, those whose rank is none of the likely ones that they have in another ranking."""
    likely = others.set_index("driver_id").reindex(drivers["driver_id"])
    below = drivers["rank"].to_numpy() < likely["rank_low"].to_numpy()
    above = drivers["rank"].to_numpy() > likely["rank_high"].to_numpy()
    both = (drivers["rank"].to_numpy() > NO_RANK) & (likely["rank"].to_numpy() > NO_RANK)
    return drivers[both & (below | above)]


def _with_unusable(drivers: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Who has nothing but unusable trips is listed too: he has driven, and nothing can be said of him."""
    lost = now.loc[~now["usable"]].groupby("driver_id", sort=True)["trips"].sum()
    drivers = drivers.assign(unusable_trips=drivers["driver_id"].map(lost).fillna(0).astype("int64"))
    others = lost[~lost.index.isin(drivers["driver_id"])]
    if others.empty:
        return drivers
    rows = pd.DataFrame({"driver_id": others.index, "unusable_trips": others.to_numpy()})
    rows = rows.assign(rank=NO_RANK, status=UNUSABLE, verdict="", trips=0, distance_km=0.0, tied=False)
    return pd.concat([drivers, rows.assign(rank_low=NO_RANK, rank_high=NO_RANK)], ignore_index=True)


def _bunching(now: pd.DataFrame, psi0: float) -> float:
    numbers, ids = pd.factorize(now["driver_id"])
    return measure_bunching(add_up(driver_days(now, numbers, len(ids))).blocks, len(ids), psi0) / psi0
