"""How far a trip's signals can be believed: findings, each with what was measured, and the verdict they come to.

An unusable trip is shown and never ranked. Limits were set on real drives; each says what those measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.agreement import Agreement, agreement, is_evidence
from fleetflow.trips.clock import gap_limit_s, median_step_s

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.trips.samples import FloatArray, Samples

UNITS = {"m/s2": (7.0, 14.0), "mph/s": (16.0, 30.0), "km/h/s": (30.0, 45.0), "milli-g": (500.0, 2000.0)}
"""Ratio of the acceleration to the change of speed; 9.5-9.7 and 21.3-21.9 on all judged real trips in the first two."""
MIN_UNIT_R = 0.5
LARGE_G, IMPOSSIBLE_G = 0.7, 7.0  # 99th percentile of smoothed |g|: g 0.05-0.36, m/s2 1.7-2.4, mph/s 1.0-4.9
LARGE_PERCENTILE = 99.0
REVERSED_R = -0.5
WEAK_R, WEAK_WINDOWS, WEAK_SPREAD_MS = 0.35, 120, 1.0  # below: another axis, most likely; 0 of 24 real trips
GAPS_DOUBTFUL, GAPS_UNUSABLE = 0.1, 0.5  # share of the trip's time
CLIPPED_FROM_G, CLIPPED_RUNS = 0.3, 2  # one run only is normal for data in steps of 0.01 g
SHAKEN_G = 0.15  # rms; 0.03-0.06 on real devices, 0.002 from a vehicle's own bus
MIN_SHAKEN_HZ = 4.0  # slower, a brake's own flanks look like vibration
COARSE_HZ, TOO_COARSE_HZ = 4.0, 0.5  # at 0.25 Hz a brake of one second shows 0.08 of itself


class Verdict(StrEnum):
    """Whether a trip's events may be believed, and its driver ranked by them; in order of trust."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    UNUSABLE = "unusable"


class Finding(StrEnum):
    """What may be wrong with a trip's signals."""

    NO_CLOCK = "no clock"
    WRONG_UNIT = "wrong unit"
    UNIT_SUSPECTED = "unit suspected"
    REVERSED = "reversed sign"
    WRONG_AXIS = "wrong axis"
    NOT_CHECKABLE = "not checkable"
    GAPS = "gaps"
    CLIPPED = "clipped"
    SHAKEN = "shaken"
    COARSE = "coarse"


_NOT_IN_G = (Finding.WRONG_UNIT, Finding.UNIT_SUSPECTED)


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
        return max((reason.verdict for reason in self.reasons), key=list(Verdict).index, default=Verdict.GOOD)


def judge(samples: Samples) -> Quality:
    """The signal quality of one trip, the gravest reasons first."""
    reasons = [*_against_speed(samples, agreement(samples)), *_clock(samples)]
    if not any(reason.finding in _NOT_IN_G for reason in reasons):  # the limits of the others are in g
        reasons.extend(_shape(samples))
    return Quality(tuple(sorted(reasons, key=lambda reason: -list(Verdict).index(reason.verdict))))


def _against_speed(samples: Samples, found: Agreement) -> Iterator[Reason]:
    if not is_evidence(samples.speed_kmh):
        text = "The speed is missing or never changes, so the acceleration cannot be checked against it."
        yield Reason(Finding.NOT_CHECKABLE, Verdict.DOUBTFUL, text)
    if found.judged and found.r is not None and found.ratio is not None:
        yield from _judged(found, found.r, found.ratio)
    else:
        yield from _suspected(samples)


def _judged(found: Agreement, r: float, ratio: float) -> Iterator[Reason]:
    unit = next((unit for unit, (low, high) in UNITS.items() if low <= ratio <= high), None)
    if r >= MIN_UNIT_R and unit is not None:
        text = f"The acceleration is {ratio:.1f} times what the speed shows: it is in {unit}, not in g."
        yield Reason(Finding.WRONG_UNIT, Verdict.UNUSABLE, text)
    elif r <= REVERSED_R:
        text = f"The acceleration runs against the speed (correlation {r:.2f}): its sign is reversed."
        yield Reason(Finding.REVERSED, Verdict.UNUSABLE, text)
    elif r < WEAK_R and found.windows >= WEAK_WINDOWS and found.spread_ms >= WEAK_SPREAD_MS:
        text = f"The acceleration does not follow the speed (correlation {r:.2f}): it may be another axis."
        yield Reason(Finding.WRONG_AXIS, Verdict.DOUBTFUL, text)


def _suspected(samples: Samples) -> Iterator[Reason]:
    """Where the speed cannot tell, an acceleration that lasts and that no vehicle reaches."""
    g = _smoothed(np.abs(_known(samples.g_force_long)))
    large = float(np.percentile(g, LARGE_PERCENTILE)) if g.size else 0.0
    if large > LARGE_G:
        verdict = Verdict.UNUSABLE if large > IMPOSSIBLE_G else Verdict.DOUBTFUL
        text = f"The acceleration reaches {large:.1f} in one sample of a hundred: it is hardly in g."
        yield Reason(Finding.UNIT_SUSPECTED, verdict, text)


def _clock(samples: Samples) -> Iterator[Reason]:
    step_s = None if samples.t_s is None else median_step_s(np.sort(samples.t_s))
    if samples.t_s is None or step_s is None:
        text = "The trip has no clock: its events are counted by samples and cannot be compared."
        yield Reason(Finding.NO_CLOCK, Verdict.DOUBTFUL, text)
        return
    yield from _gaps(np.sort(samples.t_s[np.isfinite(samples.g_force_long)]), step_s)
    if step_s > 1.0 / COARSE_HZ:
        verdict = Verdict.UNUSABLE if step_s > 1.0 / TOO_COARSE_HZ else Verdict.GOOD
        text = f"{1.0 / step_s:.2g} samples a second: short events are missed or look smaller."
        yield Reason(Finding.COARSE, verdict, text)


def _gaps(t_s: FloatArray, step_s: float) -> Iterator[Reason]:
    steps_s = np.diff(t_s)
    missing_s = float(steps_s[steps_s > gap_limit_s(step_s)].sum())
    share = missing_s / float(t_s[-1] - t_s[0]) if missing_s else 0.0
    if share > GAPS_DOUBTFUL:
        verdict = Verdict.UNUSABLE if share > GAPS_UNUSABLE else Verdict.DOUBTFUL
        yield Reason(Finding.GAPS, verdict, f"Nothing was recorded for {share:.0%} of the trip.")


def _shape(samples: Samples) -> Iterator[Reason]:
    g = _known(samples.g_force_long)
    if _runs_at_maximum(np.abs(g)) >= CLIPPED_RUNS:
        text = f"The sensor stops at {np.abs(g).max():.2f} g: events at this size may have been harder."
        yield Reason(Finding.CLIPPED, Verdict.GOOD, text)
    step_s = None if samples.t_s is None else median_step_s(np.sort(samples.t_s))
    if step_s is None or step_s * MIN_SHAKEN_HZ > 1 or not g.size:
        return
    shaken_g = float(np.sqrt(np.mean((g - _smoothed(g)) ** 2)))
    if shaken_g > SHAKEN_G:
        text = f"The device shakes with {shaken_g:.2f} g: it may be mounted loosely."
        yield Reason(Finding.SHAKEN, Verdict.DOUBTFUL, text)


def _runs_at_maximum(values: FloatArray) -> int:
    """How often the maximum is held over two samples or more; 0 if it is too small to be a sensor's limit."""
    if not values.size or values.max() < CLIPPED_FROM_G:
        return 0
    at = np.concatenate([[False], values == values.max(), [False]])
    begins, ends = np.flatnonzero(at[1:] & ~at[:-1]), np.flatnonzero(at[:-1] & ~at[1:])
    return int(np.count_nonzero(ends - begins > 1))


def _known(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _smoothed(values: FloatArray) -> FloatArray:
    """The median of each sample and its neighbours, then their mean."""
    if values.size < 5:  # noqa: PLR2004  # nothing to smooth
        return values
    before, after = np.roll(values, 1), np.roll(values, -1)
    steady = np.clip(values, np.minimum(before, after), np.maximum(before, after))
    return np.convolve(np.pad(steady, 1, mode="edge"), np.ones(3) / 3, mode="valid")
