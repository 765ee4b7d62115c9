"""A trip's signals with what there is to know of them: found once, for detection and for the verdict on them alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.agreement import MIN_EVIDENCE_KMH, Agreement, agreements, is_evidence
from fleetflow.trips.clock import median_step_s, rising
from fleetflow.trips.offset import Offset, without_offset
from fleetflow.trips.refresh import refresh_of
from fleetflow.trips.survey import Survey, survey
from fleetflow.trips.tracks import EvenTrip, make_even

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetflow.trips.samples import Samples


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """`samples` as they came, and `even`, less the `offset`, which is None where no speed could show one.

    `measured` says whether there is an accelerometer; without one, `even` has the speed in km/h in place of its
    `long_g`. `is_evidence` says whether the speed proves anything; it is renewed every `refresh_s`. `step_s` is
    the ordinary step of the samples as they came, None without a clock. `seen` is their survey, where they have one.
    """

    samples: Samples
    even: EvenTrip
    measured: bool
    agreement: Agreement
    is_evidence: bool
    refresh_s: float
    step_s: float | None
    offset: Offset | None = None
    seen: Survey | None = None

    @property
    def as_it_came(self) -> Survey | None:
        """The survey, if what was seen is what `even` is: one track of the samples themselves."""
        return self.seen if self.even.tracks and self.even.tracks[0].speed_kmh is self.samples.speed_kmh else None


def examine(batch: Sequence[Samples]) -> list[Signals]:
    """Make trips even, compare acceleration with speed and, where that can be trusted, level them."""
    measured = [_as_measured(samples) for samples in batch]
    seen = survey(measured)
    return [_examined(*each) for each in zip(measured, seen, agreements(measured, seen), strict=True)]


def _as_measured(samples: Samples) -> Samples:
    """Without an acceleration that is none: one made of the speed proves nothing, and agrees with it by birth."""
    if not samples.g_from_speed:
        return samples
    return replace(samples, g_force_long=np.full(len(samples), np.nan), g_force_lat=None)


def _examined(samples: Samples, seen: Survey | None, found: Agreement) -> Signals:
    if seen is None:
        return _examined_alone(samples, found)
    even = make_even(samples, seen)
    as_it_came = even.tracks[0].speed_kmh is samples.speed_kmh
    levelled, offset = without_offset(even) if found.trusted else (even, None)
    evidence, refresh_s = seen.speed_sd_kmh >= MIN_EVIDENCE_KMH, refresh_of(even, seen if as_it_came else None)
    return Signals(samples, levelled, True, found, evidence, refresh_s, seen.step_s, offset, seen)


def _examined_alone(samples: Samples, found: Agreement) -> Signals:
    measured = bool(np.isfinite(samples.g_force_long).any())
    even = make_even(samples if measured else _by_speed(samples))
    levelled, offset = without_offset(even) if found.trusted else (even, None)
    return Signals(
        samples, levelled, measured, found, is_evidence(samples.speed_kmh), refresh_of(even), _step_s(samples), offset
    )


def _step_s(samples: Samples) -> float | None:
    return None if samples.t_s is None else median_step_s(rising(samples.t_s))


def _by_speed(samples: Samples) -> Samples:
    """With the speed in place of the acceleration, so that the rows with a speed are those that are kept."""
    return replace(samples, g_force_long=samples.speed_kmh, g_force_lat=None)
