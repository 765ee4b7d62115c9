"""What a harsh event is. Events are found once, without any threshold, so that every threshold can be judged later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

DETECTION_VERSION = 3
"""Raised whenever the same samples may give other events; stored with every analysed trip."""


class EventKind(StrEnum):
    """The four kinds of event; the values are what the database and the API call them."""

    BRAKING = "braking"
    ACCELERATION = "acceleration"
    CORNERING = "cornering"
    SPEEDING = "speeding"


@dataclass(frozen=True, slots=True)
class HarshEvent:
    """A stretch of driving. Times are seconds from the trip's start (samples, if the trip has no clock).

    `peak_g` is the largest magnitude in g, always positive, None for speeding; `speed_kmh` is the speed at
    the peak, which for speeding is the peak itself. `doubts` name why the event may not be real.
    """

    kind: EventKind
    start_s: float
    peak_s: float
    end_s: float
    peak_g: float | None
    speed_kmh: float | None
    latitude: float | None = None
    longitude: float | None = None
    doubts: tuple[str, ...] = ()
