"""How far the choice of one threshold matters: the drivers' order at each against the order at the active one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fleetflow.safety.judging import KINDS
from fleetflow.safety.profiles import TOLERANCE
from fleetflow.safety.ranking.fit import Method
from fleetflow.safety.whatif.judged import Judged, judge
from fleetflow.safety.whatif.order import (
    Shrinkage,
    agreement,
    equal_mix_band,
    plateau,
    repeat_line,
    worst_staying,
)
from fleetflow.safety.whatif.rules import with_threshold

if TYPE_CHECKING:
    from fleetflow.safety.events import EventKind
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.safety.whatif.prepared import Prepared
    from fleetflow.trips.samples import FloatArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """A row per threshold, rising; `active` is the row of the profile's own.

    `agreement` is Kendall's tau-b of the drivers ranked now, NaN where a threshold leaves nothing to order by. `band`
    (n, 2) is where it would lie if drivers differed only in how often: below it, the threshold really re-orders.
    `repeat` is the agreement of a new period of the same driving, and `plateau` the first and last row of the run
    round the active one that reaches it. Of the `worst_of` worst drivers `worst_staying` are still among them.
    `events` are the harsh events of the kind.
    """

    thresholds: FloatArray
    active: int
    agreement: FloatArray
    band: FloatArray
    repeat: float
    plateau: tuple[int, int]
    worst_staying: IntArray
    worst_of: int
    events: IntArray


def sweep(
    prepared: Prepared,
    profile: ScoringProfile,
    kind: EventKind,
    thresholds: FloatArray,
    vehicle_class: str | None = None,
) -> Sweep:
    """Vary the threshold of one kind, in g (km/h for speeding); the profile's own is added where it is missing.

    It is varied for a vehicle class with rules of its own, or for all vehicles that go by the profile's.
    """
    own = profile.rules_for(vehicle_class)[kind].threshold
    tried = np.unique(np.append(thresholds[np.abs(thresholds - own) > TOLERANCE], own))
    now = judge(prepared, profile)
    there = [judge(prepared, with_threshold(profile, kind, float(each), vehicle_class)) for each in tried]
    who, active = now.order.ranked, int(np.searchsorted(tried, own))
    means = [each.order.fit.mean[who] for each in there]
    agreements = np.array([_agreement(now, each) for each in there])
    staying = [worst_staying(means[active], mean) for mean in means]
    line = _repeat_line(prepared, now)
    return Sweep(
        thresholds=tried, active=active, agreement=agreements,
        band=np.array([_band(prepared, KINDS.index(kind), (now, each)) for each in there]),
        repeat=line, plateau=plateau(agreements, active, line),
        worst_staying=np.array([stay for stay, _ in staying]), worst_of=staying[active][1],
        events=np.array([each.counts[:, KINDS.index(kind)].sum(dtype=np.int64) for each in there]),
    )  # fmt: skip


def _agreement(now: Judged, other: Judged) -> float:
    """NaN where the fleet is too small to learn from: what is left then orders drivers by how far they drove."""
    if Method.FALLBACK in {now.order.fit.method, other.order.fit.method}:
        return float("nan")
    who = now.order.ranked
    return agreement(now.order.fit.mean[who], other.order.fit.mean[who])


def _repeat_line(prepared: Prepared, now: Judged) -> float:
    who, found = now.order.ranked, now.order.fit
    shrinkage = Shrinkage.like(found, prepared.roads.driven[who])
    return repeat_line(found.alpha[who], found.beta[who], shrinkage.key(now.order.points[who]), shrinkage)


def _band(prepared: Prepared, kind: int, judged: tuple[Judged, Judged]) -> FloatArray:
    """Whatever is stricter drops events of the milder; here every driver's alike. The first is the active one."""
    who = judged[0].order.ranked
    milder, stricter = sorted(judged, key=lambda each: int(each.starts[:, kind].sum()))
    (events, points), (left, _) = (_of_kind(prepared, each, kind) for each in (milder, stricter))
    share = left.sum() / events.sum() if events.any() else 1.0
    rest = milder.order.points - points
    lasting = (rest + share * points).sum() / max(milder.order.points.sum(), 1.0)
    if not lasting:
        return np.full(2, np.nan)
    cost = np.divide(points, events, out=np.zeros(len(events)), where=events > 0)[who]
    shrinkage = Shrinkage.like(milder.order.fit, prepared.roads.driven[who])
    before = shrinkage.key(milder.order.points[who])
    return equal_mix_band(
        events[who].astype(np.int64), share, before, lambda kept: shrinkage.key(rest[who] + cost * kept, lasting)
    )


def _of_kind(prepared: Prepared, judged: Judged, kind: int) -> tuple[FloatArray, FloatArray]:
    """Harsh events of a kind, and their points, per driver."""
    roads, counts = prepared.roads, judged.counts[:, kind]
    points = judged.rules.points_of_kind(kind, counts, prepared.trips.vehicle_class)
    return roads.per_driver(roads.per_block(counts)), roads.per_driver(roads.per_block(points))
