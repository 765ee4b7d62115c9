"""The whole fleet under one profile: counts, scores and the drivers' order, just what a full re-score would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from fleetflow.safety.judging import CLASSES, KINDS, points_of, scores_of
from fleetflow.safety.ranking.bunching import measure_bunching, points_per_event, weighed_costs
from fleetflow.safety.ranking.days import KM_PER_EXPOSURE
from fleetflow.safety.ranking.fit import Fit, fit
from fleetflow.safety.ranking.leaderboard import LEAST_DAYS, LEAST_TRIPS, NO_RANK, RANKED_FROM
from fleetflow.safety.whatif.order import dense_ranks
from fleetflow.safety.whatif.peaks import first_beyond
from fleetflow.safety.whatif.prepared import LANES
from fleetflow.safety.whatif.rules import RuleTable, rules_of

if TYPE_CHECKING:
    from fleetflow.safety.flat import BoolArray, IndexArray
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.safety.whatif.prepared import Prepared
    from fleetflow.trips.samples import FloatArray

IntArray = npt.NDArray[np.int32]


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

    `rules` are the profile's; `costs` (kinds, classes) is what a harsh event of them cost the fleet on average: the
    penalty, or less where caps were reached. `starts` (lanes) is where each lane's harsh events begin.
    """

    rules: RuleTable
    costs: FloatArray
    starts: IndexArray
    counts: IntArray
    points: IntArray
    scores: IntArray
    order: Order


def judge(prepared: Prepared, profile: ScoringProfile) -> Judged:
    """Count, score and order everything under a profile."""
    rules = rules_of(profile)
    starts = _harsh_from(prepared, rules)
    counts = _counts(prepared, starts)
    points = points_of(counts, prepared.trips.vehicle_class, profile)
    costs = _costs(prepared, rules, counts)
    order = _order_of(prepared, rules, points, _points_per_event(prepared, rules, counts))
    return Judged(rules, costs, starts, counts, points, scores_of(points), order)


def competition_ranks(mean: FloatArray) -> IndexArray:
    """Ranks 1, 2, 2, 4 from the highest mean on, as in the leaderboard."""
    ranks: IndexArray = rankdata(-dense_ranks(mean), method="min").astype(np.intp)
    return ranks


def _harsh_from(prepared: Prepared, rules: RuleTable) -> IndexArray:
    starts = np.empty(LANES, dtype=np.intp)
    for place in np.ndindex(*LANES):
        lane, (doubtful, kind, vehicle_class) = prepared.lane(*place), place
        beyond = int(first_beyond(prepared.peak[lane], rules.thresholds[kind, vehicle_class]))
        starts[place] = lane.start + beyond if rules.counts_doubtful or not doubtful else lane.stop
    return starts


def _counts(prepared: Prepared, starts: IndexArray) -> IntArray:
    trips = len(prepared.trips)
    counts = np.zeros((trips, len(KINDS)), dtype=np.int32)
    for place in np.ndindex(*LANES):
        harsh = prepared.trip[starts[place] : prepared.lane(*place).stop]
        if len(harsh):
            counts[:, place[1]] += np.bincount(harsh, minlength=trips).astype(np.int32)
    return counts


def _costs(prepared: Prepared, rules: RuleTable, counts: IntArray) -> FloatArray:
    vehicle_class, costs = prepared.trips.vehicle_class, rules.penalties.copy()
    for kind in np.flatnonzero(np.isfinite(rules.caps).any(axis=1)).tolist():
        points = rules.points_of_kind(kind, counts[:, kind], vehicle_class)
        paid, events = (np.bincount(vehicle_class, each, len(CLASSES)) for each in (points, counts[:, kind]))
        np.divide(paid, events, out=costs[kind], where=events > 0)
    return costs


def _points_per_event(prepared: Prepared, rules: RuleTable, counts: IntArray) -> float:
    """Of the trips that rank drivers."""
    ranked = prepared.roads.block < len(prepared.roads.driver)
    vehicle_class = prepared.trips.vehicle_class[ranked]
    weighed = total = 0.0
    for kind, events in enumerate(counts[ranked].T):
        points = rules.points_of_kind(kind, events, vehicle_class)
        weighed, total = weighed + float(weighed_costs(points, events).sum()), total + float(points.sum())
    return points_per_event(weighed, total, rules.penalties)


def _order_of(prepared: Prepared, rules: RuleTable, points: IntArray, psi0: float) -> Order:
    roads = prepared.roads
    blocks = roads.blocks(roads.per_block(points))
    totals = blocks.per_driver(blocks.points, roads.drivers)
    found = fit(totals, roads.driven, measure_bunching(blocks, roads.drivers, psi0))
    seen = (roads.trips >= LEAST_TRIPS) & (roads.days >= LEAST_DAYS)
    enough = (found.reliability >= RANKED_FROM) & (roads.driven * KM_PER_EXPOSURE >= rules.minimum_km)
    rank = np.full(roads.drivers, NO_RANK, dtype=np.intp)
    rank[seen & enough] = competition_ranks(found.mean[seen & enough])
    return Order(totals, found, seen & enough, rank)
