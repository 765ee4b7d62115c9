"""The table of drivers: the one front door from driven days to ranks, and the rules of who is ranked at all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.ranking.bunching import measure_bunching
from fleetflow.safety.ranking.days import KM_PER_EXPOSURE, Driven, DriverDays, add_up
from fleetflow.safety.ranking.fit import HALF, Fit, Method, fit
from fleetflow.safety.ranking.ranks import Ranks, rank
from fleetflow.safety.ranking.uncertainty import worse_half

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleetflow.safety.flat import BoolArray, IndexArray
    from fleetflow.safety.ranking.ranks import Scalar
    from fleetflow.trips.samples import FloatArray

    Labels = NDArray[np.object_]

RANKED_FROM = HALF  # reliability: a driver's own data weigh more than the fleet's
KEPT_FROM = 0.4  # a ranked driver stays so far, since the distance needed moves a little every day
GOOD_FROM = 0.8
LEAST_TRIPS, LEAST_DAYS = 3, 2
EARLY_SIGN_FROM = 0.95  # probability of the worse half; true in 92 to 98 of 100 simulated cases
MOSTLY_IMPUTED = 0.5
NO_RANK = 0


class Status(StrEnum):
    """What can be said of a driver. `NOT_ENOUGH` is driving, and says nothing about how he drives."""

    RANKED = "ranked"
    EARLY_SIGN = "early sign"
    NOT_ENOUGH = "not enough driving"
    UNKNOWN = "unknown"


class Certainty(StrEnum):
    """How far a ranked driver's figure is his own."""

    GOOD = "good"
    ROUGH = "rough"
    NONE = "none"


@dataclass(frozen=True, slots=True, eq=False)
class Leaderboard:
    """Columns with a row per driver, the fit, and the points of one event, `psi0`, from which it starts.

    Rates are points per 100 km, of weighted ones where roads weigh.

    What is known of everybody: `points`, `distance_km` (unknown trips filled in), `exposure_km` (the same weighted),
    `imputed_share` of the distance, `trips` and `days` driven, trips `dropped` with neither distance nor time; `raw`
    points over exposure, NaN without any; `mean`, `low`, `high` and `reliability` as in the fit; `status`; `km_needed`,
    about what is missing for a rank, 0 where it is not distance and NaN where the fleet does not tell.
    `worse_half` is the probability of belonging to the worse half: of the ranked for the ranked, of all who drove for
    the others, NaN where the fleet does not tell.

    Of the ranked alone: `rank`, 1 the worst, and its interval `rank_low` to `rank_high`, all `NO_RANK` for the others;
    `tied` with another; `certainty`; `worse_than_next`, the probability of truly being worse than the next in `order`,
    NaN for the last. `order` lists their rows from the worst on, equals as their rows come.
    """

    points: FloatArray
    distance_km: FloatArray
    exposure_km: FloatArray
    imputed_share: FloatArray
    trips: IndexArray
    days: IndexArray
    dropped: IndexArray
    raw: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    reliability: FloatArray
    status: Labels
    certainty: Labels
    km_needed: FloatArray
    worse_half: FloatArray
    rank: IndexArray
    rank_low: IndexArray
    rank_high: IndexArray
    tied: BoolArray
    worse_than_next: FloatArray
    order: IndexArray
    fit: Fit
    psi0: float


def rank_drivers(
    days: DriverDays, *, psi0: float, minimum_km: float = 0.0, previously_ranked: BoolArray | None = None
) -> Leaderboard:
    """Rank those who drove enough, with a fit of all who drove.

    `psi0` is the points of one event (see `points_per_event`). `minimum_km` is the fleet's own wish on top. A driver in
    `previously_ranked` (a row each) keeps a rank a little longer. ValueError where columns do not fit together.
    """
    driven = add_up(days)
    found = fit(
        driven.points, driven.exposure_km / KM_PER_EXPOSURE, measure_bunching(driven.blocks, days.drivers, psi0)
    )
    seen = (driven.trips >= LEAST_TRIPS) & (driven.days >= LEAST_DAYS)
    enough = found.reliability >= (RANKED_FROM if previously_ranked is None else _limits(previously_ranked))
    ranked = seen & enough & (driven.distance_km >= minimum_km)
    chance = _worse_half_of_all(found, ~ranked)
    early = seen & ~ranked & (chance >= EARLY_SIGN_FROM)
    places = _places(found, np.flatnonzero(ranked), chance)
    return Leaderboard(
        points=driven.points, distance_km=driven.distance_km, exposure_km=driven.exposure_km,
        imputed_share=driven.imputed_share, trips=driven.trips, days=driven.days, dropped=driven.dropped,
        raw=_raw(driven), mean=found.mean, low=found.low, high=found.high, reliability=found.reliability,
        status=_status(driven, ranked, early), certainty=_certainty(driven, found, ranked),
        km_needed=np.where(ranked, 0.0, _km_missing(driven, found, minimum_km)),
        worse_half=places.worse_half, rank=places.rank, rank_low=places.low, rank_high=places.high,
        tied=places.tied, worse_than_next=places.worse_than_next, order=places.order, fit=found,
        psi0=psi0,
    )  # fmt: skip


def _limits(previously_ranked: BoolArray) -> FloatArray:
    return np.where(previously_ranked, KEPT_FROM, RANKED_FROM)


def _raw(driven: Driven) -> FloatArray:
    exposure = driven.exposure_km / KM_PER_EXPOSURE
    raw: FloatArray = np.divide(driven.points, exposure, out=np.full(len(exposure), np.nan), where=exposure > 0)
    return raw


def _worse_half_of_all(found: Fit, whose: BoolArray) -> FloatArray:
    """The probability of belonging to the worse half of all who drove, for some of them; NaN for the others."""
    chance = np.full(len(found.mean), np.nan)
    if found.method is Method.FLEET:
        driven = np.isfinite(found.mean)
        chance[driven & whose] = worse_half(found.alpha[driven], found.beta[driven], whose[driven])
    return chance


def _places(found: Fit, who: IndexArray, chance: FloatArray) -> Ranks:
    """The ranks of some, with rows for all; `order` stays a list of rows."""
    ranks = rank(found.alpha[who], found.beta[who])

    def rows(column: NDArray[Scalar], others: NDArray[Scalar]) -> NDArray[Scalar]:
        filled = others.copy()
        filled[who] = column
        return filled

    nobody = np.full(len(chance), NO_RANK, dtype=np.intp)
    return Ranks(
        order=who[ranks.order], rank=rows(ranks.rank, nobody), tied=rows(ranks.tied, nobody.astype(bool)),
        low=rows(ranks.low, nobody), high=rows(ranks.high, nobody), worse_half=rows(ranks.worse_half, chance),
        worse_than_next=rows(ranks.worse_than_next, np.full(len(chance), np.nan)),
    )  # fmt: skip


def _status(driven: Driven, ranked: BoolArray, early: BoolArray) -> Labels:
    status = np.empty(len(ranked), dtype=object)  # np.full would make plain strings of them
    status[:] = Status.UNKNOWN
    status[driven.exposure_km > 0] = Status.NOT_ENOUGH
    status[early], status[ranked] = Status.EARLY_SIGN, Status.RANKED
    return status


def _certainty(driven: Driven, found: Fit, ranked: BoolArray) -> Labels:
    good = (found.reliability >= GOOD_FROM) & (driven.imputed_share <= MOSTLY_IMPUTED)
    certainty = np.empty(len(ranked), dtype=object)
    certainty[:] = Certainty.NONE
    certainty[ranked], certainty[ranked & good] = Certainty.ROUGH, Certainty.GOOD
    return certainty


def _km_missing(driven: Driven, found: Fit, minimum_km: float) -> FloatArray:
    for_the_fit = found.distance_needed_100km * KM_PER_EXPOSURE - driven.exposure_km
    missing: FloatArray = np.maximum(np.maximum(for_the_fit, minimum_km - driven.distance_km), 0.0)
    return missing
