"""The constants of event detection, and what they come to at a trip's rate.

They were chosen on labelled drives; each comment gives the plateau, the range over which the result stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from fleetflow.safety.context import ContextRates, context_at
from fleetflow.safety.events import EventKind
from fleetflow.safety.floors import FLOOR_G, FLOOR_KMH
from fleetflow.safety.peaks import PeakRule
from fleetflow.safety.smoothing import MEDIAN_FROM_HZ, kernel_length

PROMINENCE_G = 0.10  # plateau 0.01-0.30: two humps less than this apart are one pedal action
DISTANCE_LONG_S = 2.0  # plateau 0.1-6: nobody brakes hard twice in two seconds
DISTANCE_LAT_S = 3.0  # plateau 3-4: a lane change is two opposite pulls within three seconds
WINDOW_S = 60.0  # bounds the search for a prominence, which is quadratic without it
PROMINENCE_KMH = 10.0
DISTANCE_SPEED_S = 30.0
WINDOW_SPEED_S = 86_400.0  # a day: somebody may drive fast for hours, and that is one event
SAMPLES_WINDOW = 601
"""The window of a trip without a clock, whose unit of time is the sample."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What detection uses for all tracks of one rate, in samples; hashable, so that equal rates share a batch."""

    kernel: int
    median: bool
    distance_long: int
    distance_lat: int
    distance_speed: int
    window: int
    window_speed: int
    context: ContextRates | None = None  # None: peaks only

    @property
    def padding(self) -> int:
        """More zeros between tracks than the kernel reaches."""
        return self.kernel + 1

    def rule(self, kind: EventKind) -> PeakRule:
        """How peaks of one kind are found."""
        if kind is EventKind.SPEEDING:
            return PeakRule(FLOOR_KMH, PROMINENCE_KMH, self.distance_speed, self.window_speed, drop=PROMINENCE_KMH)
        distance = self.distance_lat if kind is EventKind.CORNERING else self.distance_long
        return PeakRule(FLOOR_G, PROMINENCE_G, distance, self.window)


WITHOUT_CLOCK = Tuning(1, False, 1, 1, 1, SAMPLES_WINDOW, SAMPLES_WINDOW)


@lru_cache(maxsize=256)
def tuning_at(rate_hz: float, *, smoothed: bool) -> Tuning:
    """The tuning of trips with a clock."""

    def samples(seconds: float, least: int = 1) -> int:
        return max(round(seconds * rate_hz), least)

    return Tuning(
        kernel=kernel_length(rate_hz) if smoothed else 1,
        median=smoothed and rate_hz >= MEDIAN_FROM_HZ,
        distance_long=samples(DISTANCE_LONG_S),
        distance_lat=samples(DISTANCE_LAT_S),
        distance_speed=samples(DISTANCE_SPEED_S),
        window=samples(WINDOW_S, least=3),
        window_speed=samples(WINDOW_SPEED_S, least=3),
        context=context_at(rate_hz) if smoothed else None,
    )


def derived_tuning_at(rate_hz: float, *, in_context: bool) -> Tuning:
    """The tuning of trips whose acceleration comes from the speed: smooth as it is, and no sensor swings back."""
    context = replace(context_at(rate_hz), rebound=0) if in_context else None
    return replace(tuning_at(rate_hz, smoothed=False), context=context)
