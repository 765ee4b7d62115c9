"""What a batch of claimed trips holds: pure, so that a retry or a re-check gives the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from fleetflow.safety.detection import find_events
from fleetflow.trips.clock import with_clock
from fleetflow.trips.columns import unpack
from fleetflow.trips.quality import Quality, judge
from fleetflow.trips.summary import TripSummary, summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetflow.safety.events import HarshEvent
    from fleetflow.storage.claims import ClaimedTrip

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Analysis:
    """One trip's result."""

    trip: ClaimedTrip
    summary: TripSummary
    quality: Quality
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
    samples = [with_clock(unpack(trip.blob), trip.sample_hz) for trip in trips]
    return [
        Analysis(trip, summarize(each), judge(each), events)
        for trip, each, events in zip(trips, samples, find_events(samples), strict=True)
    ]
