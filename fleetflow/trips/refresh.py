"""How often a speed is renewed: a logger that asks for it every four seconds shows it four times at one a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fleetflow.trips.measures import middle_of
from fleetflow.trips.survey import MOVING_KMH

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray
    from fleetflow.trips.survey import Survey
    from fleetflow.trips.tracks import EvenTrip, Track

MAX_REFRESH_S = 2.0  # slower, hardly a third of a brake is left in the speed
MIN_CHANGES = 10
MIN_EQUAL_CHANGES = 3
STALE_STEPS = 2.0
ROUNDING = 0.99  # a rate of 2 Hz may come as steps of 0.4999 s


def refresh_of(trip: EvenTrip, seen: Survey | None = None) -> float:
    """How often the speed is renewed while driving, in seconds: the trip's step if it is fresh or cannot be told.

    `seen` is the survey of a trip that was even as it came.
    """
    if seen is not None and seen.fresh_speed:
        return trip.step_s
    spans = [_spans_between_changes(track) for track in trip.tracks]
    spans_s = np.concatenate(spans) if spans else np.zeros(0)
    if spans_s.size < MIN_EQUAL_CHANGES:
        return trip.step_s
    middle_s = middle_of(spans_s)
    enough = spans_s.size >= MIN_CHANGES or np.all(np.abs(spans_s - middle_s) < trip.step_s / 2)
    return middle_s if enough and middle_s >= STALE_STEPS * trip.step_s * ROUNDING else trip.step_s


def changes(values: FloatArray) -> npt.NDArray[np.intp]:
    """Where the value is another than the one before; never the first."""
    return np.flatnonzero(values[1:] != values[:-1]) + 1


def _spans_between_changes(track: Track) -> FloatArray:
    changed = changes(track.speed_kmh)
    moving = track.speed_kmh[changed[:-1]] > MOVING_KMH
    return (changed[1:] - changed[:-1])[moving].astype(np.float64) * track.step_s
