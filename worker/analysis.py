"""What a batch of claimed trips holds: pure, so that a retry or a re-check gives the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from fleetflow.safety.detection import detect
from fleetflow.storage.claims import TripFindings
from fleetflow.trips.clock import with_clock
from fleetflow.trips.columns import unpack
from fleetflow.trips.quality import judge_signals
from fleetflow.trips.signals import examine
from fleetflow.trips.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetflow.safety.events import HarshEvent
    from fleetflow.storage.claims import ClaimedTrip
    from fleetflow.trips.signals import Signals

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Analysis:
    """One trip's result."""

    trip: ClaimedTrip
    findings: TripFindings
    events: list[HarshEvent]


@dataclass(frozen=True, slots=True)
class Failure:
    """A trip that no attempt can analyse; `reason` is for people."""

    trip: ClaimedTrip
    reason: str


def analyse(trips: Sequence[ClaimedTrip]) -> list[Analysis | Failure]:
    """One result per trip. A trip that makes the analysis raise fails alone; its neighbours do not notice."""
    try:
        return list(_analyse_together(trips))
    except Exception:
        if len(trips) > 1:
            return [result for trip in trips for result in analyse([trip])]
        log.exception("analysis_failed", trip_id=str(trips[0].id))
        return [Failure(trips[0], "The analysis failed; the worker's log says why, under this trip's id.")]


def _analyse_together(trips: Sequence[ClaimedTrip]) -> list[Analysis]:
    signals = examine([with_clock(unpack(trip.blob), trip.sample_hz) for trip in trips])
    return [
        Analysis(trip, _findings(each), events)
        for trip, each, events in zip(trips, signals, detect(signals), strict=True)
    ]


def _findings(signals: Signals) -> TripFindings:
    return TripFindings(
        summarize(signals.samples, signals.step_s, signals.seen), judge_signals(signals), signals.offset
    )
