"""The front door of what-if: two profiles over the same events and trips, side by side; nothing is written.

Who moves is told from noise: a move is flagged only where the driver's own mix of mild and severe events explains it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fleetflow.safety.judging import KINDS
from fleetflow.safety.ranking.bunching import measure_bunching
from fleetflow.safety.ranking.fit import fit
from fleetflow.safety.scores import FULL_SCORE
from fleetflow.safety.whatif.judged import Judged, competition_ranks, judge
from fleetflow.safety.whatif.mix import Cells, Moves, moves
from fleetflow.safety.whatif.prepared import LANES, prepare

if TYPE_CHECKING:
    from fleetflow.safety.flat import BoolArray
    from fleetflow.safety.judging import EventColumns, TripColumns
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.safety.whatif.prepared import Prepared
    from fleetflow.trips.samples import FloatArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Trip scores of the usable trips: `histogram` (101,) counts them by score from 0 to 100; `mean` is NaN of none."""

    histogram: IntArray
    mean: float


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """`before` and `after` hold what each profile gives; the rest is what changes.

    `gained` and `lost` (kinds,) are events that became harsh or ceased to be. `score_change` (trips,) is after less
    before. A row per driver: whether he is ranked `in_both`; `move`, his rank among those after less before, below 0
    towards the worst and 0 for the others; the same for `moves`, the probabilities, and `flagged`, whether the move is
    more than noise.
    """

    before: Judged
    after: Judged
    scores_before: Scores
    scores_after: Scores
    score_change: npt.NDArray[np.int32]
    gained: IntArray
    lost: IntArray
    in_both: BoolArray
    move: IntArray
    moves: Moves

    @property
    def flagged(self) -> BoolArray:
        """Whose rank moves for a reason."""
        return self.moves.flagged


def compare(events: EventColumns, trips: TripColumns, before: ScoringProfile, after: ScoringProfile) -> Comparison:
    """The whole comparison from columns. To try many profiles on one fleet, `prepare` it once and `contrast`."""
    prepared = prepare(events, trips)
    return contrast(prepared, judge(prepared, before), judge(prepared, after))


def contrast(prepared: Prepared, before: Judged, after: Judged) -> Comparison:
    """What changes between two judgements of one prepared fleet."""
    usable = prepared.trips.usable
    in_both = before.order.ranked & after.order.ranked
    return Comparison(
        before=before, after=after, scores_before=_scores(before.scores[usable]),
        scores_after=_scores(after.scores[usable]), score_change=after.scores - before.scores,
        gained=_events_between(prepared, after, before), lost=_events_between(prepared, before, after),
        in_both=in_both, move=_move(before, after, in_both), moves=_moves(prepared, before, after, in_both),
    )  # fmt: skip


def _scores(scores: npt.NDArray[np.int32]) -> Scores:
    histogram = np.bincount(scores, minlength=FULL_SCORE + 1)
    return Scores(histogram, float(scores.mean()) if len(scores) else float("nan"))


def _move(before: Judged, after: Judged, in_both: BoolArray) -> IntArray:
    """Ranks among the same drivers, so that nobody moves because another is ranked no longer."""
    move = np.zeros(len(in_both), dtype=np.int64)
    ranks = [competition_ranks(each.order.fit.mean[in_both]) for each in (before, after)]
    move[in_both] = ranks[1] - ranks[0]
    return move


def _moves(prepared: Prepared, before: Judged, after: Judged, in_both: BoolArray) -> Moves:
    """The probabilities, from one fit of all events that cost something under either profile."""
    roads = prepared.roads
    cells = _cells(prepared, before, after)
    events = sum(cells.values(), start=np.zeros(len(roads.driver)))
    phi = measure_bunching(roads.blocks(events), roads.drivers, psi0=1.0)
    rates = fit(roads.per_driver(events), roads.driven, phi)
    counts = np.empty((np.count_nonzero(in_both), len(cells)))
    for column, each in zip(counts.T, cells.values(), strict=True):
        column[:] = roads.per_driver(each)[in_both]
    costs = np.array(list(cells), dtype=np.float64).reshape(-1, 2)
    found = moves(Cells(counts, costs[:, 0], costs[:, 1]), rates.alpha[in_both], rates.beta[in_both])
    return Moves(*(_rows(each, in_both) for each in (found.p_worse, found.p_better, found.expected)))


def _cells(prepared: Prepared, before: Judged, after: Judged) -> dict[tuple[float, float], FloatArray]:
    """Events per block, by what one event costs under each profile; those that cost nothing are left out."""
    cells: dict[tuple[float, float], FloatArray] = {}
    for place in np.ndindex(*LANES):
        first, second = (int(each.starts[place]) for each in (before, after))
        costs = (float(before.costs[place[1:]]), float(after.costs[place[1:]]))
        both, end = max(first, second), prepared.lane(*place).stop
        under_one = (costs[0] * (first < both), costs[1] * (second < both))
        for points, some in ((under_one, slice(min(first, second), both)), (costs, slice(both, end))):
            if any(points) and some.start < some.stop:
                cells[points] = cells.get(points, 0.0) + prepared.roads.count_in_blocks(prepared.block[some])
    return cells


def _events_between(prepared: Prepared, harsh: Judged, not_harsh: Judged) -> IntArray:
    """Events per kind, of usable trips, that are harsh in one judgement only."""
    found = np.zeros(len(KINDS), dtype=np.int64)
    for place in np.ndindex(*LANES):
        trip = prepared.trip[harsh.starts[place] : not_harsh.starts[place]]
        found[place[1]] += np.count_nonzero(prepared.trips.usable[trip])
    return found


def _rows(column: FloatArray, who: BoolArray) -> FloatArray:
    rows = np.zeros(len(who))
    rows[who] = column
    return rows
