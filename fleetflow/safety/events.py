"""What a harsh event is. Events are found once, without any threshold, so that every threshold can be judged later."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

DETECTION_VERSION = 4
"""Raised whenever the same samples may give other events; stored with every analysed trip."""


class EventKind(StrEnum):
    """The four kinds of event; the values are what the database and the API call them."""

    BRAKING = "braking"
    ACCELERATION = "acceleration"
    CORNERING = "cornering"
    SPEEDING = "speeding"


class Review(StrEnum):
    """What a person made of an event; all but CONFIRMED take it out of the driver's score."""

    CONFIRMED = "confirmed"
    FALSE = "false"
    DEFENSIVE = "defensive"
    OTHER_DRIVER = "other driver"


class Standing(IntEnum):
    """Whether an event above its threshold counts; DOUBTFUL is for the profile to say."""

    COUNTS = 0
    DOUBTFUL = 1
    CONFIRMED = 2
    DISMISSED = 3


@dataclass(frozen=True, slots=True)
class HarshEvent:
    """A stretch of driving. Times are seconds from the trip's start (samples, if the trip has no clock).

    `peak_g` is the largest magnitude in g, always positive, None for speeding; `speed_kmh` is the speed at
    the peak, which for speeding is the peak itself. `speed_change_kmh` is the speed at the end less that at the
    start. `doubts` name why the event may not be real; `derived` says that its g comes from the speed. `review` is
    what a person made of it, and `id` its number, once it is stored.
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
    derived: bool = False
    speed_change_kmh: float | None = None
    review: Review | None = None
    id: int | None = None

    @property
    def peak(self) -> float:
        """What a threshold is compared with: g, or km/h for speeding."""
        value = self.speed_kmh if self.kind is EventKind.SPEEDING else self.peak_g
        return 0.0 if value is None else value

    @property
    def standing(self) -> Standing:
        """Whether the event may count; a person's judgement overrules the doubts of the rules."""
        if self.review is None:
            return Standing.DOUBTFUL if self.doubts else Standing.COUNTS
        return Standing.CONFIRMED if self.review is Review.CONFIRMED else Standing.DISMISSED
