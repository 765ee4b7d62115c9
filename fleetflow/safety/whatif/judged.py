"""The whole fleet under one profile: counts, scores and the drivers' order, just what a full re-score would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from fleetflow.safety.judging import KINDS, points_of, scores_of
from fleetflow.safety.ranking.bunching import measure_bunching, points_per_event
from fleetflow.safety.ranking.fit import Fit, fit
from fleetflow.safety.ranking.leaderboard import LEAST_DAYS, LEAST_ROWS, NO_RANK, RANKED_FROM
from fleetflow.safety.whatif.order import dense_ranks
from fleetflow.safety.whatif.peaks import first_beyond
from fleetflow.safety.whatif.rules import RuleTable, rules_of

if TYPE_CHECKING:
    from fleetflow.safety.flat import BoolArray, IndexArray
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.safety.whatif.prepared import Prepared
    from fleetflow.trips.samples import FloatArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A row per driver: `points` of his trips that rank him, the `fit` of points per 100 km, and who is `ranked`.

    The `rank` is what the leaderboard says, 1 the worst, equals alike, `NO_RANK` for the others.
    """

    points: FloatArray
    fit: Fit
    ranked: BoolArray
    rank: IndexArray


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """`counts` (trips, 4) harsh events per kind, `points` and `scores` per trip, and the drivers' `order`.

    `rules` are the profile's; `starts` (kinds, classes) is where, among the prepared events of a kind and class, the
    harsh ones begin.
    """

    rules: RuleTable
    starts: IndexArray
    counts: npt.NDArray[np.int32]
    points: IntArray
    scores: IntArray
    order: Order


def judge(prepared: Prepared, profile: ScoringProfile) -> Judged:
    """Count, score and order everything under a profile."""
    rules = rules_of(profile, prepared.classes)
    starts = _harsh_from(prepared, rules)
    counts = _counts(prepared, starts)
    points = points_of(counts, prepared.trips, profile)
    return Judged(rules, starts, counts, points, scores_of(points), _order_of(prepared, rules, counts, points))


def competition_ranks(mean: FloatArray) -> IndexArray:
    """Ranks 1, 2, 2, 4 from the highest mean on, as in the leaderboard."""
    ranks: IndexArray = rankdata(-dense_ranks(mean), method="min").astype(np.intp)
    return ranks


def _harsh_from(prepared: Prepared, rules: RuleTable) -> IndexArray:
    starts = np.empty(rules.thresholds.shape, dtype=np.intp)
    for place in np.ndindex(*starts.shape):
        mine = prepared.between(*place)
        starts[place] = mine.start + first_beyond(prepared.peak[mine], rules.thresholds[place])
    return starts


def _counts(prepared: Prepared, starts: IndexArray) -> npt.NDArray[np.int32]:
    trips = len(prepared.trips.driver)
    counts = np.zeros((trips, len(KINDS)), dtype=np.int32)
    for (kind, vehicle_class), start in np.ndenumerate(starts):
        harsh = prepared.trip[start : prepared.between(kind, vehicle_class).stop]
        if len(harsh):
            counts[:, kind] += np.bincount(harsh, minlength=trips).astype(np.int32)
    return counts


def _order_of(prepared: Prepared, rules: RuleTable, counts: npt.NDArray[np.int32], points: IntArray) -> Order:
    roads = prepared.roads
    blocks = roads.blocks(roads.per_block(points))
    totals = blocks.per_driver(blocks.points, roads.drivers)
    found = fit(
        totals, roads.driven, measure_bunching(blocks, roads.drivers, _points_per_event(prepared, rules, counts))
    )
    seen = (roads.trips >= LEAST_ROWS) & (roads.days >= LEAST_DAYS)
    ranked = seen & (found.reliability >= RANKED_FROM)
    rank = np.full(roads.drivers, NO_RANK, dtype=np.intp)
    rank[ranked] = competition_ranks(found.mean[ranked])
    return Order(totals, found, ranked, rank)


def _points_per_event(prepared: Prepared, rules: RuleTable, counts: npt.NDArray[np.int32]) -> float:
    """Of the trips that are ranked, each class by its own penalties."""
    ranked = prepared.roads.block < len(prepared.roads.driver)
    per_class = [
        counts[ranked & (prepared.trips.vehicle_class == vehicle_class)].sum(axis=0, dtype=np.float64)
        for vehicle_class in range(prepared.classes)
    ]
    return points_per_event(rules.penalties.T.astype(np.float64), np.array(per_class))
