"""The tuning page's question, a whole fleet under another profile, against looking at each peak once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.fleets import DRIVERS, EVENTS, TRIPS, large_fleet
from benchmarks.report import Row
from fleetflow.safety.events import EventKind
from fleetflow.safety.judging import KINDS
from fleetflow.safety.profiles import DEFAULT_PROFILE, TOLERANCE
from fleetflow.safety.whatif.compare import contrast
from fleetflow.safety.whatif.judged import judge
from fleetflow.safety.whatif.prepared import prepare
from fleetflow.safety.whatif.rules import with_threshold
from fleetflow.safety.whatif.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fleetflow.safety.judging import EventColumns

ROUNDS = 7
SWEPT = np.arange(20, 61, 2) / 100


def whatif() -> Iterator[Row]:
    """Milliseconds, once events and trips are loaded and the active profile is judged."""
    events, trips = large_fleet(np.random.default_rng(1))
    prepared = prepare(events, trips)
    active, other = judge(prepared, DEFAULT_PROFILE), with_threshold(DEFAULT_PROFILE, EventKind.BRAKING, 0.35)
    size = f"{TRIPS:,} trips, {EVENTS:,} events, {DRIVERS} drivers"
    ours = _best_ms(lambda: contrast(prepared, active, judge(prepared, other)))
    yield Row(f"what-if, {size}", "-", "numpy: compare each peak", _best_ms(lambda: _compared(events)), ours, "ms")
    yield Row(f"what-if, {size}", "-", "numpy: count by trip", _best_ms(lambda: _counted(events)), ours, "ms")
    many = _best_ms(lambda: sweep(prepared, DEFAULT_PROFILE, EventKind.BRAKING, SWEPT))
    counted = len(SWEPT) * _best_ms(lambda: _counted(events))
    yield Row(f"sweep of {len(SWEPT)} thresholds, the same fleet", "-", "numpy: count by trip", counted, many, "ms")


def _compared(events: EventColumns) -> None:
    """One pass over the peaks and no more: how many are harsh."""
    limits = np.array([DEFAULT_PROFILE.rules[kind].threshold for kind in KINDS]) + TOLERANCE
    np.count_nonzero(events.peak > limits[events.kind])


def _counted(events: EventColumns) -> None:
    """What a trip's score needs: harsh events by trip and kind."""
    limits = np.array([DEFAULT_PROFILE.rules[kind].threshold for kind in KINDS]) + TOLERANCE
    harsh = events.peak > limits[events.kind]
    np.bincount(events.trip[harsh] * len(KINDS) + events.kind[harsh], minlength=TRIPS * len(KINDS))


def _best_ms(work: Callable[[], object]) -> float:
    return 1000 * min(_seconds(work) for _ in range(ROUNDS))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
