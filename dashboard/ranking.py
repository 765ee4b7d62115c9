"""From driven days to the leaderboard's rows: the ranking of the whole fleet, as a frame. Pure; no drawing, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fleetflow.safety.judging import KINDS
from fleetflow.safety.ranking.bunching import points_per_event
from fleetflow.safety.ranking.days import DriverDays
from fleetflow.safety.ranking.exposure import road_weights
from fleetflow.safety.ranking.leaderboard import Leaderboard, rank_drivers
from fleetflow.safety.whatif.rules import rules_of
from fleetflow.storage.driving import BANDS

if TYPE_CHECKING:
    from fleetflow.safety.profiles import ScoringProfile

CERTAIN = 0.95
"""From this probability on a driver is said to be clearly above or below the middle of the ranked."""


def rank_fleet(days: pd.DataFrame, profile: ScoringProfile) -> tuple[pd.DataFrame, Leaderboard]:
    """The drivers, the worst first and those without a rank last, and the ranking they come from.

    Columns: driver_id, rank (0: none), rank_low, rank_high, tied, status, verdict, points_per_100_km with low and high
    (a 90 % interval), shape and rate (of the gamma that both come from), raw_per_100_km, reliability (how much the
    driver's own data weigh in the figure, from 0 to 1), worse_half (a probability), km_needed, distance_km, trips,
    mean_score, and the harsh events by kind.
    """
    numbers, driver_ids = pd.factorize(days["driver_id"], sort=True)
    board = rank_drivers(
        driver_days(days, numbers, len(driver_ids)), psi0=event_points(days, profile), minimum_km=profile.minimum_km
    )
    frame = _frame(board).assign(driver_id=pd.Series(driver_ids, dtype="str"), **_sums(days, numbers))
    unranked_last = frame["rank"].where(frame["rank"] > 0, np.iinfo(np.int64).max)
    order = pd.DataFrame({"rank": unranked_last, "needed": frame["km_needed"], "id": frame["driver_id"]})
    return frame.loc[order.sort_values(["rank", "needed", "id"]).index].reset_index(drop=True), board


def driver_days(days: pd.DataFrame, numbers: np.ndarray, drivers: int) -> DriverDays:
    """Rows of storage.driving.read_driver_days for the ranking; `numbers` are the rows' drivers, from 0."""

    def column(name: str) -> np.ndarray:
        return days[name].to_numpy(dtype=np.float64)

    return DriverDays(
        drivers, numbers.astype(np.intp), days["day"].to_numpy(dtype=np.intp), column("points"), column("distance_km"),
        column("hours"), column("weight") if "weight" in days else None, days["trips"].to_numpy(dtype=np.intp),
    )  # fmt: skip


def on_equal_roads(days: pd.DataFrame, band_points: np.ndarray, profile: ScoringProfile) -> pd.DataFrame:
    """The days with a `weight`: what a kilometre counts for, by the fleet's points in the speed bands it was driven in.

    `days` has the columns storage.driving.BANDS, `band_points` a number per band.
    """
    km = days[list(BANDS)].to_numpy(dtype=np.float64) * days["usable"].to_numpy(dtype=np.float64)[:, None]
    return days.assign(weight=road_weights(km, band_points[None, :], event_points(days[days["usable"]], profile)))


def event_points(days: pd.DataFrame, profile: ScoringProfile) -> float:
    """What an event cost on these days, over the trips whose length is known or follows from their time."""
    placed = np.isfinite(days["distance_km"].to_numpy()) | (days["hours"].to_numpy() > 0)
    costs, points = (float(days[name].to_numpy()[placed].sum()) for name in ("event_costs", "points"))
    return points_per_event(costs, points, rules_of(profile).penalties)


def _frame(board: Leaderboard) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rank": board.rank,
            "rank_low": board.rank_low,
            "rank_high": board.rank_high,
            "tied": board.tied,
            "status": pd.Series([str(status) for status in board.status], dtype="str"),
            "points_per_100_km": board.mean,
            "low": board.low,
            "high": board.high,
            "shape": board.fit.alpha,
            "rate": board.fit.beta,
            "raw_per_100_km": board.raw,
            "reliability": board.reliability,
            "worse_half": board.worse_half,
            "verdict": pd.Series(map(_verdict, board.worse_half, board.rank), dtype="str"),
            "km_needed": board.km_needed,
            "distance_km": board.distance_km,
        }
    )


def _verdict(worse_half: float, rank: int) -> str:
    if rank == 0:
        return ""
    if worse_half >= CERTAIN:
        return "clearly above"
    return "clearly below" if worse_half <= 1 - CERTAIN else "cannot tell"


def _sums(days: pd.DataFrame, numbers: np.ndarray) -> dict[str, np.ndarray]:
    scored = days.assign(scored=days["mean_score"] * days["trips"])
    columns = ["trips", "scored", *(kind.value for kind in KINDS)]
    sums = scored.groupby(numbers)[columns].sum()
    sums["mean_score"] = sums["scored"] / sums["trips"]
    return {name: sums[name].to_numpy() for name in sums.columns if name != "scored"}
