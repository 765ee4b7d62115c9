"""Acceleration from speed, for trips without an accelerometer: an estimate, comparable in number, not event by event.

The step difference, never the central one: that averages over twice the time and loses most of a short brake.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.context import Doubt
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.trips.agreement import G_MS2, KMH_PER_MS
from fleetflow.trips.refresh import MAX_REFRESH_S, ROUNDING, STALE_STEPS, changes
from fleetflow.trips.survey import MOVING_KMH

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray
    from fleetflow.trips.tracks import EvenTrip, Track

MIN_STEP_S = 0.5  # whole km/h over 0.2 s are 0.14 g of noise
LONG_STEP_S = 1.0  # what faster speeds are compared over: 0.028 g
STEPS_S, SHARES = (0.5, 1.0, 2.0), (0.95, 0.77, 0.55)
"""At which share of its peak as many events are found as by an accelerometer; 0.70-0.83 at 1 Hz on real drives."""
SHARE_OVER_LONG_STEP = 0.87
FROZEN_S, FROZEN_REFRESHES = 3.0, 3.0
FROZEN_JUMP_KMH = 10.0
FROZEN_FOLLOW = 0.5
"""A brake goes on; after a freeze the next step is at most this share of the jump. It tells 305 of 332 freezes."""


@dataclass(frozen=True, slots=True, eq=False)
class DerivedTrip:
    """Tracks whose `long_g` is the speed's, as large as an accelerometer would show it.

    `frozen_s` are stretches (start and end, a row each) in which a frozen speed jumped to where it should have been.
    """

    trip: EvenTrip
    frozen_s: FloatArray


def derive(trip: EvenTrip, refresh_s: float) -> DerivedTrip | None:
    """The acceleration that the speed shows; None without a clock and where the speed is too rare for it (2 s).

    `trip` is made even by its speed, which is renewed every `refresh_s`.
    """
    if not trip.has_clock or max(refresh_s, trip.step_s) > MAX_REFRESH_S:
        return None
    frozen_s = [frozen_stretches(track, refresh_s) for track in trip.tracks]
    tracks = [_derived(_renewed(track, refresh_s)) for track in trip.tracks if len(track.speed_kmh) > 1]
    derived = replace(trip, tracks=tracks, step_s=tracks[0].step_s) if tracks else replace(trip, tracks=[])
    return DerivedTrip(derived, np.concatenate(frozen_s))


def doubt_frozen(events: list[HarshEvent], frozen_s: FloatArray) -> list[HarshEvent]:
    """The events of a derived trip, those in g doubted where a frozen speed jumped."""
    return [replace(each, doubts=(*each.doubts, Doubt.FROZEN.value)) if _is_frozen(each, frozen_s) else each
            for each in events]  # fmt: skip


def _is_frozen(event: HarshEvent, frozen_s: FloatArray) -> bool:
    within = (frozen_s[:, 0] <= event.peak_s) & (event.peak_s <= frozen_s[:, 1])
    return event.kind is not EventKind.SPEEDING and bool(within.any())


def acceleration_g(track: Track, steps: int) -> FloatArray:
    """The change of speed over `steps` samples, in g, at the middle of them; as it is, a share of the true peak."""
    change_kmh = track.speed_kmh[steps:] - track.speed_kmh[:-steps]
    return change_kmh / (KMH_PER_MS * G_MS2 * steps * track.step_s)


def _derived(track: Track) -> Track:
    """On the track's own grid, or on one twice as fine where the middle of a step lies between two samples."""
    steps, share = _comparison(track)
    middle_g = acceleration_g(track, steps) / share
    if steps % 2:
        track, steps, middle_g = _twice_as_fine(track), 2 * steps, _between(middle_g)
    half = steps // 2
    long_g = np.zeros_like(track.speed_kmh)
    long_g[half : half + len(middle_g)] = middle_g
    return replace(track, long_g=long_g, lat_g=np.zeros_like(long_g))


def _comparison(track: Track) -> tuple[int, float]:
    """Over how many samples to compare the speed, and which share of a peak that shows."""
    if track.step_s >= MIN_STEP_S * ROUNDING:
        return 1, float(np.interp(track.step_s, STEPS_S, SHARES))
    return min(round(LONG_STEP_S / track.step_s), len(track.speed_kmh) - 1), SHARE_OVER_LONG_STEP


def _twice_as_fine(track: Track) -> Track:
    return replace(track, step_s=track.step_s / 2, speed_kmh=_between(track.speed_kmh))


def _between(values: FloatArray) -> FloatArray:
    """With a value half-way between every two."""
    fine = np.empty(2 * len(values) - 1)
    fine[::2], fine[1::2] = values, (values[1:] + values[:-1]) / 2
    return fine


def _renewed(track: Track, refresh_s: float) -> Track:
    """A stale speed drawn out: it moves during the refresh before each change instead of within one sample."""
    refresh = round(refresh_s / track.step_s)
    if refresh < STALE_STEPS:
        return track
    first = np.concatenate([[0], changes(track.speed_kmh)])
    after = np.append(first[1:], len(track.speed_kmh))
    late = after - refresh > first
    knots = np.concatenate([first, (after - refresh)[late]])
    speeds = np.concatenate([track.speed_kmh[first], track.speed_kmh[first][late]])
    order = np.argsort(knots)
    return replace(track, speed_kmh=np.interp(np.arange(len(track.speed_kmh)), knots[order], speeds[order]))


def frozen_stretches(track: Track, refresh_s: float) -> FloatArray:
    """Where a speed stood still for seconds and then jumped once, as rows of start and end in seconds."""
    refresh, speed = max(round(refresh_s / track.step_s), 1), track.speed_kmh
    first = np.concatenate([[0], changes(speed)])
    held_s = np.diff(first) * track.step_s
    after = first[1:]
    jump = np.abs(speed[after] - speed[after - 1])
    follow = np.abs(speed[np.minimum(after + refresh, len(speed) - 1)] - speed[after])
    long = (held_s >= FROZEN_S) & (held_s > FROZEN_REFRESHES * refresh_s) & (speed[after - 1] > MOVING_KMH)
    thawed = after[long & (jump >= FROZEN_JUMP_KMH) & (follow <= FROZEN_FOLLOW * jump)]
    reach_s = max(refresh_s, LONG_STEP_S)
    at_s = track.start_s + thawed * track.step_s
    return np.column_stack([at_s - track.step_s - reach_s, at_s + reach_s])
