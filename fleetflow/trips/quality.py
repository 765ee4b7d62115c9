"""How far a trip's signals can be believed: findings, each with what was measured, and the verdict they come to.

An unusable trip is shown and never ranked. Limits were set on real drives; each says what those measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.agreement import G_MS2, KMH_PER_MS, TRUSTED_RATIO, Agreement
from fleetflow.trips.clock import gap_limit_s, rising
from fleetflow.trips.measures import known, runs_at, shaking_g, share_missing, smoothed, steepest_rise
from fleetflow.trips.offset import LIMIT_G
from fleetflow.trips.refresh import MAX_REFRESH_S
from fleetflow.trips.signals import Signals, examine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.trips.samples import FloatArray, Samples

UNITS = {"m/s2": (7.0, 14.0), "mph/s": (16.0, 30.0), "km/h/s": (30.0, 45.0), "milli-g": (500.0, 2000.0)}
"""Ratio of the acceleration to the change of speed; 9.5-9.7 and 21.3-21.9 on all judged real trips in the first two."""
MIN_UNIT_R = 0.5
FLAT_RATIO = 0.01  # a constant, but for rounding
LARGE_G, IMPOSSIBLE_G = 0.7, 7.0  # 99th percentile of smoothed |g|: g 0.05-0.36, m/s2 1.7-2.4, mph/s 1.0-4.9
LARGE_PERCENTILE = 99.0
REVERSED_R = -0.5
WEAK_R, WEAK_WINDOWS, WEAK_SPREAD_MS = 0.35, 120, 1.0  # below: another axis, most likely; 0 of 24 real trips
GAPS_DOUBTFUL, GAPS_UNUSABLE = 0.1, 0.5  # share of the trip's time
CLIPPED_FROM_G, CLIPPED_RUNS = 0.3, 2  # one run only is normal for data in steps of 0.01 g
SHAKEN_G = 0.15  # rms; 0.03-0.06 on real devices, 0.002 from a vehicle's own bus
MIN_SHAKEN_HZ = 4.0  # slower, a brake's own flanks look like vibration
COARSE_HZ, TOO_COARSE_HZ = 4.0, 0.5  # at 0.25 Hz a brake of one second shows 0.08 of itself
TILTED_G = 0.05  # sideways 0.015-0.10 on all real drives
JUMP_G = 1.5  # no road vehicle gains 53 km/h within a second
NO_JUMP_KMH_S = 50.0


class Verdict(StrEnum):
    """Whether a trip's events may be believed, and its driver ranked by them; in order of trust."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    UNUSABLE = "unusable"


GRAVITY = {verdict: place for place, verdict in enumerate(Verdict)}


class Finding(StrEnum):
    """What may be wrong with a trip's signals."""

    NO_CLOCK = "no clock"
    WRONG_UNIT = "wrong unit"
    WRONG_SCALE = "wrong scale"
    UNIT_SUSPECTED = "unit suspected"
    REVERSED = "reversed sign"
    WRONG_AXIS = "wrong axis"
    NOT_CHECKABLE = "not checkable"
    FLAT = "flat"
    STALE_SPEED = "stale speed"
    SPEED_JUMP = "speed jump"
    ESTIMATED = "estimated"
    BIAS = "bias"
    GAPS = "gaps"
    CLIPPED = "clipped"
    SHAKEN = "shaken"
    COARSE = "coarse"


_NOT_IN_G = (Finding.WRONG_UNIT, Finding.WRONG_SCALE, Finding.UNIT_SUSPECTED)


@dataclass(frozen=True, slots=True)
class Reason:
    """A finding with its verdict (GOOD for a mere note) and a sentence for the user that names what was measured."""

    finding: Finding
    verdict: Verdict
    text: str


@dataclass(frozen=True, slots=True)
class Quality:
    """The worst verdict of all reasons; no reason means good."""

    reasons: tuple[Reason, ...]

    @property
    def verdict(self) -> Verdict:
        """What the reasons come to together."""
        return max((reason.verdict for reason in self.reasons), key=GRAVITY.__getitem__, default=Verdict.GOOD)


def judge(samples: Samples) -> Quality:
    """The signal quality of one trip, for callers that ask nothing else of its signals."""
    return judge_signals(examine([samples])[0])


def judge_signals(signals: Signals) -> Quality:
    """The signal quality of one trip, the gravest reasons first."""
    reasons = [*_against_speed(signals), *_speed(signals), *_clock(signals)]
    if not any(reason.finding in _NOT_IN_G for reason in reasons):  # the limits of the others are in g
        reasons.extend([*_offset(signals), *_shape(signals)])
    return Quality(tuple(sorted(reasons, key=lambda reason: -GRAVITY[reason.verdict])))


def _against_speed(signals: Signals) -> Iterator[Reason]:
    found = signals.agreement
    if not signals.is_evidence:
        text = "The speed is missing or never changes, so the acceleration cannot be checked against it."
        yield Reason(Finding.NOT_CHECKABLE, Verdict.DOUBTFUL, text)
    if signals.measured and found.has_driving and (found.ratio or 0.0) < FLAT_RATIO:
        text = "The acceleration hardly changes although the speed does: the sensor gives nothing."
        yield Reason(Finding.FLAT, Verdict.UNUSABLE, text)
    elif found.judged and found.r is not None and found.ratio is not None:
        yield from _judged(found, found.r, found.ratio)
    else:
        yield from _suspected(signals)


def _judged(found: Agreement, r: float, ratio: float) -> Iterator[Reason]:
    if r >= MIN_UNIT_R:
        yield from _scale(ratio)
    elif r <= REVERSED_R:
        text = f"The acceleration runs against the speed (correlation {r:.2f}): its sign is reversed."
        yield Reason(Finding.REVERSED, Verdict.UNUSABLE, text)
    elif r < WEAK_R and found.windows >= WEAK_WINDOWS and found.spread_ms >= WEAK_SPREAD_MS:
        text = f"The acceleration does not follow the speed (correlation {r:.2f}): it may be another axis."
        yield Reason(Finding.WRONG_AXIS, Verdict.DOUBTFUL, text)


def _scale(ratio: float) -> Iterator[Reason]:
    """What is off by a known factor has a known unit; what is off by more than the speed can explain is no g either."""
    size = f"The acceleration is {ratio:.1f} times what the speed shows"
    unit, taken = _unit_of(ratio), _unit_of(ratio * G_MS2)
    if unit is not None:
        yield Reason(Finding.WRONG_UNIT, Verdict.UNUSABLE, f"{size}: it is in {unit}, not in g.")
    elif not TRUSTED_RATIO[0] <= ratio <= TRUSTED_RATIO[1]:
        why = "its scale is wrong" if taken is None else f"it was in {taken} and was taken for m/s2"
        yield Reason(Finding.WRONG_SCALE, Verdict.UNUSABLE, f"{size}: {why}.")


def _unit_of(ratio: float) -> str | None:
    return next((unit for unit, (low, high) in UNITS.items() if low <= ratio <= high), None)


def _suspected(signals: Signals) -> Iterator[Reason]:
    """Where the speed cannot tell, an acceleration that lasts and that no vehicle reaches."""
    if signals.seen is not None and signals.seen.largest_g <= LARGE_G:
        return
    g = np.abs(known(signals.samples.g_force_long))
    large = float(np.percentile(smoothed(g), LARGE_PERCENTILE)) if g.max(initial=0.0) > LARGE_G else 0.0
    if large > LARGE_G:
        verdict = Verdict.UNUSABLE if large > IMPOSSIBLE_G else Verdict.DOUBTFUL
        text = f"The acceleration reaches {large:.1f} in one sample of a hundred: it is hardly in g."
        yield Reason(Finding.UNIT_SUSPECTED, verdict, text)


def _speed(signals: Signals) -> Iterator[Reason]:
    step_s, refresh_s = signals.even.step_s, signals.refresh_s
    if signals.even.has_clock and not signals.measured:
        text = "There is no accelerometer: the events are estimated from the speed."
        yield Reason(Finding.ESTIMATED, Verdict.GOOD, text)
    if refresh_s > step_s:
        useless = not signals.measured and refresh_s > MAX_REFRESH_S
        so = "that is too rare to find events in it" if useless else "in between it is drawn out"
        text = f"The speed is renewed every {refresh_s:.2g} s, samples come every {step_s:.2g} s: {so}."
        yield Reason(Finding.STALE_SPEED, Verdict.UNUSABLE if useless else Verdict.GOOD, text)
    yield from _jump(signals)


def _jump(signals: Signals) -> Iterator[Reason]:
    """A position that jumps makes a speed that no vehicle has; the worse if the acceleration was made of that speed."""
    if signals.as_it_came is not None and signals.as_it_came.rise_kmh_s < NO_JUMP_KMH_S:
        return
    tracks = signals.even.tracks if signals.even.has_clock else []
    rise_g, shown_g = max((steepest_rise(track) for track in tracks), default=(0.0, 0.0))
    if rise_g > JUMP_G:
        text = f"The speed rises by {rise_g * KMH_PER_MS * G_MS2:,.0f} km/h within a second, which no vehicle can."
        followed = not signals.measured or shown_g > JUMP_G
        yield Reason(Finding.SPEED_JUMP, Verdict.UNUSABLE if followed else Verdict.DOUBTFUL, text)


def _offset(signals: Signals) -> Iterator[Reason]:
    if signals.offset is None:
        return
    for way, shown_g in (("along", signals.offset.shown_long_g), ("across", signals.offset.shown_lat_g)):
        off = f"The acceleration {way} the vehicle is off by {shown_g:+.2f} g"
        if abs(shown_g) > LIMIT_G:
            text = f"{off}, more than the {LIMIT_G:g} g that can be taken off: see how the device is mounted."
            yield Reason(Finding.BIAS, Verdict.DOUBTFUL, text)
        elif abs(shown_g) > TILTED_G:
            yield Reason(Finding.BIAS, Verdict.GOOD, f"{off}, by mounting or slope; that is taken off.")


def _clock(signals: Signals) -> Iterator[Reason]:
    samples, step_s = signals.samples, signals.step_s
    if samples.t_s is None or step_s is None:
        text = "The trip has no clock: its events are counted by samples and cannot be compared."
        yield Reason(Finding.NO_CLOCK, Verdict.DOUBTFUL, text)
        return
    if signals.seen is None or signals.seen.longest_s > gap_limit_s(step_s):
        told = samples.g_force_long if signals.measured else samples.speed_kmh
        yield from _gaps(rising(samples.t_s[np.isfinite(told)]), step_s)
    if step_s > 1.0 / COARSE_HZ:
        verdict = Verdict.UNUSABLE if step_s > 1.0 / TOO_COARSE_HZ else Verdict.GOOD
        rate = f"{1.0 / step_s:.2g}"
        unit = "sample" if rate == "1" else "samples"
        text = f"{rate} {unit} a second: short events are missed or look smaller."
        yield Reason(Finding.COARSE, verdict, text)


def _gaps(t_s: FloatArray, step_s: float) -> Iterator[Reason]:
    share = share_missing(t_s, step_s)
    if share > GAPS_DOUBTFUL:
        verdict = Verdict.UNUSABLE if share > GAPS_UNUSABLE else Verdict.DOUBTFUL
        yield Reason(Finding.GAPS, verdict, f"Nothing was recorded for {share:.0%} of the trip.")


def _shape(signals: Signals) -> Iterator[Reason]:
    limit_g, held_there = _limit(signals)
    if limit_g >= CLIPPED_FROM_G and held_there >= CLIPPED_RUNS:
        text = f"The sensor stops at {limit_g:.2f} g: events at this size may have been harder."
        yield Reason(Finding.CLIPPED, Verdict.GOOD, text)
    if signals.step_s is None or signals.step_s * MIN_SHAKEN_HZ > 1:
        return
    shaken_g = shaking_g(known(signals.samples.g_force_long)) if signals.seen is None else signals.seen.shaking_g
    if shaken_g > SHAKEN_G:
        text = f"The device shakes with {shaken_g:.2f} g: it may be mounted loosely."
        yield Reason(Finding.SHAKEN, Verdict.DOUBTFUL, text)


def _limit(signals: Signals) -> tuple[float, int]:
    """The largest size of the acceleration, and how often it is held over two samples or more."""
    if signals.seen is not None:
        return signals.seen.largest_g, signals.seen.held_at_largest
    size_g = np.abs(known(signals.samples.g_force_long))
    limit_g = float(size_g.max(initial=0.0))
    return limit_g, runs_at(size_g, limit_g)
