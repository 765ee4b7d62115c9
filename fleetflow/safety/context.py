"""What speaks against an event: the turn or the brake it came with, its shape, and the speed around it.

A doubt is not a deletion, and no rule knows a threshold: every reason is kept for a person to overrule.
Works on smoothed flat tracks, all events of a batch at once; no window leaves its track.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.events import EventKind
from fleetflow.trips.agreement import G_MS2, KMH_PER_MS
from fleetflow.trips.measures import middle_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleetflow.safety.flat import BoolArray, Flat, IndexArray
    from fleetflow.safety.peaks import Peaks
    from fleetflow.trips.samples import FloatArray

TURN_BEFORE_S, TURN_AFTER_S = 4.0, 1.0  # plateau 3-10, 0.5-4: false braking comes at the end of a turn of 2-4 s
TURN_MEAN_S = 2.0  # plateau 1-2.5
MIN_TURN_HZ = 1.8  # below it two seconds are too few samples for a mean
MIN_PULL_G = 0.12  # plateau 0.10-0.16: camber and mounting cross-talk stay below 0.07 g
MIN_PULL_SHARE = 0.25  # plateau 0.10-0.35, of the event's peak
CROSS_TALK_FROM_G = 0.1
MIN_CROSS_TALK_S = 10.0
MAX_CROSS_TALK = 0.6  # the tangent of 31 degrees
REBOUND_S = 4.0  # plateau 4-5.5: a sensor's high-pass swings back 1-3 s after the brake
REBOUND_SHARE = 0.6  # plateau 0.2-0.6, of the acceleration's peak
SPIKE_S = 0.3
MIN_SPIKE_HZ = 8.0  # slower, one sample is longer than a spike
SUPPORT_BEFORE_S, SUPPORT_PEAK_S, SUPPORT_AFTER_S = 1.0, 1.0, 2.5  # they absorb a speed that is two seconds late
MIN_SUPPORT = 0.2  # chance: median 0.10
CONFIRMING_SUPPORT = 0.5  # 13 % reach it by chance
SLOW_REACH_S = 3.0
SLOW_KMH = 10.0  # plateau 5-10; a full lock turn at this speed pulls with 0.14 g


_BRAKING, _ACCELERATION, _CORNERING = EventKind.BRAKING, EventKind.ACCELERATION, EventKind.CORNERING


class Doubt(StrEnum):
    """Why an event may not be real; the values are what the database and the API call it."""

    TURN = "turn"
    REBOUND = "rebound"
    SPIKE = "spike"
    UNSUPPORTED = "unsupported"
    SLOW = "slow"
    FROZEN = "frozen"  # of events whose g comes from the speed; `fleetflow.safety.derived` finds it


class SpeedWorth(IntEnum):
    """What a trip's speed can prove: nothing (a filler value), how fast it was, or also how hard it braked."""

    NOTHING = 0
    MEASURED = 1
    TRUSTED = 2


@dataclass(frozen=True, slots=True)
class ContextRates:
    """The windows of the rules in samples, for all tracks of one tuning."""

    turn_before: int
    turn_after: int
    turn_mean: int
    rebound: int
    spike: float
    support_before: int
    support_peak: int
    support_after: int
    slow_reach: int


def context_at(rate_hz: float) -> ContextRates:
    """The windows at a rate; `turn_mean` and `spike` are 0 where the rate is too low for them."""
    return ContextRates(
        turn_before=round(TURN_BEFORE_S * rate_hz),
        turn_after=round(TURN_AFTER_S * rate_hz),
        turn_mean=round(TURN_MEAN_S * rate_hz) if rate_hz >= MIN_TURN_HZ else 0,
        rebound=round(REBOUND_S * rate_hz),
        spike=SPIKE_S * rate_hz if rate_hz >= MIN_SPIKE_HZ else 0.0,
        support_before=round(SUPPORT_BEFORE_S * rate_hz),
        support_peak=round(SUPPORT_PEAK_S * rate_hz),
        support_after=round(SUPPORT_AFTER_S * rate_hz),
        slow_reach=round(SLOW_REACH_S * rate_hz),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Smoothed flat tracks and, per track: its trip (tracks of a trip lie together), start, step and speed's worth."""

    flat: Flat
    trips: IndexArray
    start_s: FloatArray
    step_s: FloatArray
    worth: IndexArray


def find_doubts(
    scene: Scene, found: Mapping[EventKind, Peaks], rates: ContextRates
) -> dict[EventKind, list[tuple[str, ...]]]:
    """For each kind of event in g the doubts of each peak, in the order of `Doubt`."""
    reasons = {kind: _of_any_kind(scene, found[kind], rates) for kind in (_BRAKING, _ACCELERATION, _CORNERING)}
    pull = lasting_pull(scene.flat, sideways_pull(scene), rates.turn_mean)
    for kind, sign in ((_BRAKING, -1), (_ACCELERATION, 1)):
        support = speed_support(scene, found[kind], rates, sign)
        unconfirmed = ~(support >= CONFIRMING_SUPPORT)
        reasons[kind][Doubt.UNSUPPORTED] = support < MIN_SUPPORT
        reasons[kind][Doubt.TURN] = unconfirmed & is_in_turn(scene, found[kind], rates, pull)
        if kind is _ACCELERATION:
            reasons[kind][Doubt.REBOUND] = unconfirmed & is_rebound(scene, found[kind], rates, found[_BRAKING])
    return {kind: _as_tuples(each, found[kind].at.size) for kind, each in reasons.items()}


def _of_any_kind(scene: Scene, peaks: Peaks, rates: ContextRates) -> dict[Doubt, BoolArray]:
    return {Doubt.SPIKE: peaks.right - peaks.left < rates.spike, Doubt.SLOW: is_slow(scene, peaks, rates)}


def _as_tuples(reasons: Mapping[Doubt, BoolArray], size: int) -> list[tuple[str, ...]]:
    doubts: list[tuple[str, ...]] = [()] * size
    for reason in Doubt:
        for place in np.flatnonzero(reasons.get(reason, False)).tolist():
            doubts[place] += (reason.value,)
    return doubts


def speed_support(scene: Scene, peaks: Peaks, rates: ContextRates, sign: int) -> FloatArray:
    """How much of the change of speed that an event's g stands for the speed shows; NaN if it is not trusted.

    `sign` is -1 for braking: the fall from the highest speed before the peak to the lowest after it.
    """
    flat, tracks = scene.flat, scene.flat.track_of(peaks.at)
    start, end = np.ceil(peaks.left).astype(np.intp), np.floor(peaks.right).astype(np.intp)
    rising = sign * flat.speed_kmh
    before = -_highest(-rising, _window(flat, peaks, start - rates.support_before, peaks.at + rates.support_peak))
    after = _highest(rising, _window(flat, peaks, peaks.at, end + rates.support_after))
    felt_g = np.add.reduceat(np.abs(flat.long_g), _window(flat, peaks, start, end))[::2]
    support = (after - before) / KMH_PER_MS / (G_MS2 * felt_g * scene.step_s[tracks])
    return np.where(scene.worth[tracks] == SpeedWorth.TRUSTED, support, np.nan)


def is_slow(scene: Scene, peaks: Peaks, rates: ContextRates) -> BoolArray:
    """Whether the speed is below 10 km/h all around the peak; never at the peak alone: hard stops end at 0."""
    around = _window(scene.flat, peaks, peaks.at - rates.slow_reach, peaks.at + rates.slow_reach)
    known = scene.worth[scene.flat.track_of(peaks.at)] >= SpeedWorth.MEASURED
    slow: BoolArray = known & (_highest(scene.flat.speed_kmh, around) < SLOW_KMH)
    return slow


def is_rebound(scene: Scene, peaks: Peaks, rates: ContextRates, braking: Peaks) -> BoolArray:
    """Whether a brake of at least 0.6 times the acceleration's peak lies just before it."""
    brakes = np.zeros_like(scene.flat.long_g)
    brakes[braking.at] = braking.height
    before = _window(scene.flat, peaks, peaks.at - rates.rebound, peaks.at)
    rebound: BoolArray = _highest(brakes, before) >= REBOUND_SHARE * peaks.height
    return rebound


def is_in_turn(scene: Scene, peaks: Peaks, rates: ContextRates, pull: FloatArray) -> BoolArray:
    """Whether the vehicle was pulled sideways for two seconds before or around the peak; `pull` is `lasting_pull`'s."""
    flat, tracks = scene.flat, scene.flat.track_of(peaks.at)
    length = max(rates.turn_mean, 2)
    first = np.maximum(peaks.at - rates.turn_before, flat.starts[tracks])
    last = np.minimum(peaks.at + rates.turn_after, flat.ends[tracks] - 1) - (length - 1)
    enough = np.maximum(MIN_PULL_G, MIN_PULL_SHARE * peaks.height)
    in_turn: BoolArray = (last >= first) & (_highest(pull, _window(flat, peaks, first, last)) >= enough)
    return in_turn


def lasting_pull(flat: Flat, pull: FloatArray, length: int) -> FloatArray:
    """From each sample on the size of the mean over `length` samples, or, if that is 0, of the smaller of two alike."""
    if length == 0:
        return _pull_of_pairs(pull)
    mean = np.zeros_like(pull)
    for start, end in zip(flat.starts.tolist(), flat.ends.tolist(), strict=True):
        if end - start >= length:
            total = np.zeros(end - start + 1)
            np.cumsum(pull[start:end], out=total[1:])
            mean[start : end - length + 1] = total[length:] - total[:-length]
    return np.abs(mean) / length


def _pull_of_pairs(pull: FloatArray) -> FloatArray:
    """From each sample on the smaller of two of one sign."""
    after = np.append(pull[1:], 0.0)
    return np.where(pull * after > 0, np.minimum(np.abs(pull), np.abs(after)), 0.0)


def sideways_pull(scene: Scene) -> FloatArray:
    """The lateral signal less each trip's median and what of it is braking felt by a device mounted askew."""
    flat, pull = scene.flat, np.zeros_like(scene.flat.lat_g)
    for first, last in zip(*_trip_bounds(scene), strict=True):
        start, end = flat.starts[first], flat.ends[last]
        inside = flat.inside[start:end]
        signals = flat.long_g[start:end][inside], flat.lat_g[start:end][inside]
        pull[start:end][inside] = _own_pull(*signals, float(scene.step_s[first]))
    return pull


def _trip_bounds(scene: Scene) -> tuple[list[int], list[int]]:
    """The first and the last track of each trip."""
    first = np.flatnonzero(np.diff(scene.trips, prepend=-1))
    return first.tolist(), (np.append(first[1:], len(scene.trips)) - 1).tolist()


def _own_pull(long_g: FloatArray, lat_g: FloatArray, step_s: float) -> FloatArray:
    lat_g = lat_g - middle_of(lat_g)
    strong = np.abs(long_g) > CROSS_TALK_FROM_G
    if np.count_nonzero(strong) * step_s < MIN_CROSS_TALK_S:
        return lat_g
    pulled = long_g[strong]
    askew = np.clip(np.sum(pulled * lat_g[strong]) / np.sum(pulled**2), -MAX_CROSS_TALK, MAX_CROSS_TALK)
    pull: FloatArray = lat_g - askew * long_g
    return pull


def _window(flat: Flat, peaks: Peaks, first: IndexArray, last: IndexArray) -> IndexArray:
    """From `first` to `last`, both included, as far as they lie on the peak's track: every other one of reduceat's."""
    tracks = flat.track_of(peaks.at)
    bounds = np.empty(2 * first.size, dtype=np.intp)
    bounds[::2] = np.clip(first, flat.starts[tracks], flat.ends[tracks] - 1)
    bounds[1::2] = np.clip(last, bounds[::2], flat.ends[tracks] - 1) + 1
    return bounds


def _highest(values: FloatArray, window: IndexArray) -> FloatArray:
    highest: FloatArray = np.maximum.reduceat(values, window)[::2]
    return highest
