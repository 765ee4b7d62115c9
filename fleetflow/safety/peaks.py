"""Peaks of a flat signal with their extents; no user's threshold is known here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.peak_finding import extents, far_apart, local_maxima, stands_out

if TYPE_CHECKING:
    from fleetflow.safety.flat import Flat, IndexArray
    from fleetflow.trips.samples import FloatArray

TIE = 1e-12
"""What a sample's place in its track adds to a peak: far less than any sensor resolves, enough to order equal peaks."""

PLACES = 2.0**20
"""How many places between two samples an event may begin or end at: the bits after them depend on the batch.

A power of two, because extents are fractions of small numbers: none of them lies half-way between two places.
"""


@dataclass(frozen=True, slots=True)
class PeakRule:
    """`height` and `prominence` in the signal's unit; `distance` and `window` in samples.

    An event reaches to where the signal has fallen by `drop` (in the signal's unit), or by half the peak if None.
    """

    height: float
    prominence: float
    distance: int
    window: int
    drop: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Positions in the flat signal and its height there; `left` and `right` are where the event begins and ends."""

    at: IndexArray
    height: FloatArray
    left: FloatArray
    right: FloatArray


def find(signal: FloatArray, flat: Flat, rule: PeakRule) -> Peaks:
    """The peaks of a flat signal that is never negative and is zero between tracks."""
    at = local_maxima(signal, rule.height)
    if not at.size:
        return Peaks(at, np.zeros(0), np.zeros(0), np.zeros(0))
    at = _apart(signal, flat, at, rule.distance)
    at = at[stands_out(_ordered(signal, flat, at), at, rule.prominence, rule.window)]
    level = signal[at] * 0.5 if rule.drop is None else signal[at] - rule.drop
    left, right = (np.round(edge * PLACES) / PLACES for edge in extents(signal, at, level))
    return Peaks(at, signal[at], left, right)


def _apart(signal: FloatArray, flat: Flat, at: IndexArray, distance: int) -> IndexArray:
    """Keep the higher of peaks of one track that are closer than `distance`; of equal ones the earlier.

    Tracks are laid out anew for it, a distance apart.
    """
    if distance <= 1 or at.size < 2:  # noqa: PLR2004  # one peak is apart
        return at
    steps = np.where(np.diff(flat.track_of(at)) > 0, distance, np.minimum(np.diff(at), distance))
    places = np.concatenate([[0], np.cumsum(steps)])
    return at[far_apart(places, np.lexsort((-at, signal[at])), distance)]


def _ordered(signal: FloatArray, flat: Flat, at: IndexArray) -> FloatArray:
    """The signal with the earlier of equal peaks above the others.

    Else they would pass each other, so that a speed that comes back to 141 km/h would be an event each time.
    """
    ordered = signal.copy()
    ordered[at] += TIE * (flat.ends[flat.track_of(at)] - at)
    return ordered
