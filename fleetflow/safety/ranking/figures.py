"""What a ranking's fit found of the fleet as a whole: the figures by which people who run the system judge it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.ranking.days import KM_PER_EXPOSURE
from fleetflow.safety.ranking.fit import Method

if TYPE_CHECKING:
    from fleetflow.safety.ranking.leaderboard import Leaderboard


@dataclass(frozen=True, slots=True)
class FitFigures:
    """`drivers` who drove, `ranked` of them, and their `distance_km`.

    `points_per_event` is what an event costs, `bunching` how many events come as one, 1 where each comes alone.
    `spread` is how much drivers differ, as a share of the fleet's mean `points_per_100_km`; an average driver is ranked
    from `km_needed` on. `spread` and `km_needed` are None where the fleet is too small to tell.
    """

    drivers: int
    ranked: int
    distance_km: float
    points_per_event: float
    bunching: float
    points_per_100_km: float
    spread: float | None
    km_needed: float | None


def fit_figures(board: Leaderboard) -> FitFigures:
    """The figures of a ranking."""
    found = board.fit
    tells = found.method is Method.FLEET
    return FitFigures(
        drivers=int(np.count_nonzero(board.exposure_km > 0)),
        ranked=len(board.order),
        distance_km=float(board.distance_km.sum()),
        points_per_event=board.psi0,
        bunching=found.psi / board.psi0,
        points_per_100_km=found.rate,
        spread=found.cv if tells else None,
        km_needed=found.distance_needed_100km * KM_PER_EXPOSURE if tells else None,
    )
