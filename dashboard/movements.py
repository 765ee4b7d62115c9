"""Two periods side by side: each driver's figure in both, and how surely it changed. Pure; no drawing, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from dashboard.ranking import driver_days, event_points
from fleetflow.safety.ranking.bunching import measure_bunching
from fleetflow.safety.ranking.days import KM_PER_EXPOSURE, Driven, add_up
from fleetflow.safety.ranking.fit import fit
from fleetflow.safety.ranking.movement import Badge, movement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.trips.samples import FloatArray

    Row = Mapping[str, Any]

BEFORE, AFTER = "_before", "_after"
COACHING_DAYS = 28
"""How many days before and after a talk are compared; its own day belongs to neither."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time; `since` None is the beginning of all, `until` None is now."""

    since: datetime | None
    until: datetime | None = None


def window_before(since: datetime, days: int, zone: str) -> Window:
    """As many days up to a period's first."""
    first = since.astimezone(ZoneInfo(zone)).date() - timedelta(days=days)
    return Window(midnight(first, zone), since)


def around(day: date, zone: str) -> tuple[Window, Window]:
    """The four weeks before a day and those after it."""
    reach = timedelta(days=COACHING_DAYS)
    after = day + timedelta(days=1)
    return (
        Window(midnight(day - reach, zone), midnight(day, zone)),
        Window(midnight(after, zone), midnight(after + reach, zone)),
    )


def midnight(day: date, zone: str) -> datetime:
    """The beginning of a local day."""
    return datetime.combine(day, time(), ZoneInfo(zone))


def figures(days: pd.DataFrame, profile: ScoringProfile) -> pd.DataFrame:
    """A row per driver: points, distance_km, raw and estimated points per 100 km with low and high (90 %), reliability.

    `days` as driving.read_driver_days gives it. The same fit as the leaderboard's.
    """
    driven, ids = _add_up(days)
    found = fit(driven.points, driven.exposure_km / KM_PER_EXPOSURE, _bunching(driven, len(ids), days, profile))
    with np.errstate(invalid="ignore", divide="ignore"):
        raw = driven.points / (driven.exposure_km / KM_PER_EXPOSURE)
    columns = {
        "points": driven.points, "distance_km": driven.distance_km, "raw": raw, "mean": found.mean,
        "low": found.low, "high": found.high, "reliability": found.reliability,
    }  # fmt: skip
    return pd.DataFrame(columns, index=pd.Index(ids, name="driver_id", dtype="object"))


def compare(before: pd.DataFrame, after: pd.DataFrame, profile: ScoringProfile) -> pd.DataFrame:
    """The drivers of two periods of `days`: the columns of `figures` with _before and _after, fell, rose and badge.

    `fell` is the probability that a driver's rate fell beyond the fleet's own change (`rose`: that it rose), missing
    for who drove in one period only; see ranking.movement.
    """
    pairs = [figures(days, profile).add_suffix(name) for days, name in ((before, BEFORE), (after, AFTER))]
    joined = pairs[0].join(pairs[1], how="outer")
    if joined.empty:
        return joined.assign(fell=np.nan, rose=np.nan, badge=None)
    pooled = pd.concat([before, after])
    driven, ids = _add_up(pooled)
    psi = _bunching(driven, len(ids), pooled, profile)
    moved = movement(*_sums(joined, BEFORE), *_sums(joined, AFTER), psi)
    return joined.assign(fell=moved.fell, rose=moved.rose, badge=[str(each) for each in moved.badge])


def _sums(joined: pd.DataFrame, period: str) -> tuple[FloatArray, FloatArray]:
    """Points and exposure of one of the periods, 0 for who did not drive."""
    points, km = (
        joined[f"{name}{period}"].fillna(0.0).to_numpy(dtype=np.float64) for name in ("points", "distance_km")
    )
    return points, km / KM_PER_EXPOSURE


def row_of(frame: pd.DataFrame, driver_id: str) -> Row | None:
    """A driver's row of a frame that has the drivers as its index; None where he is not in it."""
    return dict(frame.loc[driver_id]) if driver_id in frame.index else None


def change_words(row: Row | None) -> str:
    """How sure a change is, in a few words; of a row of `compare`."""
    if row is None or not np.isfinite(row["fell"]):
        return "Not enough driving to compare"
    better = row["fell"] >= row["rose"]
    chance = percent(max(row["fell"], row["rose"]))
    likely = f"{chance} likely {'better' if better else 'worse'}"
    return likely if row["badge"] != Badge.UNPROVEN else f"No clear change · {likely}"


def percent(chance: float) -> str:
    """A probability without false certainty: <1 %, 76 %, >99 %."""
    if chance < 0.005:  # noqa: PLR2004
        return "<1 %"
    return ">99 %" if chance > 0.995 else f"{100 * chance:.0f} %"  # noqa: PLR2004


def _add_up(days: pd.DataFrame) -> tuple[Driven, pd.Index[str]]:
    numbers, ids = pd.factorize(days["driver_id"], sort=True)
    return add_up(driver_days(days, numbers, len(ids))), ids


def _bunching(driven: Driven, drivers: int, days: pd.DataFrame, profile: ScoringProfile) -> float:
    return measure_bunching(driven.blocks, drivers, event_points(days, profile))
