"""Peaks of a flat signal with their extents, by scipy's find_peaks; no user's threshold is known here."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import find_peaks, peak_prominences, peak_widths

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
    at, _ = find_peaks(signal, height=rule.height)
    if not at.size:
        return Peaks(at, np.zeros(0), np.zeros(0), np.zeros(0))
    at = _apart(signal, flat, at, rule.distance)
    at = at[_prominences(signal, flat, at, rule.window) >= rule.prominence]
    left, right = (np.round(edge * PLACES) / PLACES for edge in _extents(signal, at, rule.drop))
    return Peaks(at, signal[at], left, right)


def _apart(signal: FloatArray, flat: Flat, at: IndexArray, distance: int) -> IndexArray:
    """Keep the higher of peaks of one track that are closer than `distance`; of equal ones the earlier.

    scipy breaks ties by an unstable sort, that is, by what else is in the batch; ranks have no ties. They are laid
    out anew, with tracks a distance apart.
    """
    if distance <= 1 or at.size < 2:  # noqa: PLR2004  # one peak is apart
        return at
    steps = np.where(np.diff(flat.track_of(at)) > 0, distance, np.minimum(np.diff(at), distance))
    places = np.concatenate([[1], 1 + np.cumsum(steps)])
    ranks = np.zeros(places[-1] + 2)
    ranks[places[np.lexsort((-at, signal[at]))]] = np.arange(1, at.size + 1)
    kept, _ = find_peaks(ranks, distance=distance)
    return at[np.searchsorted(places, kept)]


def _prominences(signal: FloatArray, flat: Flat, at: IndexArray, window: int) -> FloatArray:
    """How far the signal falls on both sides before it rises above the peak; of equal peaks the earlier is above.

    scipy lets equal peaks pass each other, so that a speed that comes back to 141 km/h would be an event each time.
    """
    ordered = signal.copy()
    ordered[at] += TIE * (flat.ends[flat.track_of(at)] - at)
    with warnings.catch_warnings():
        # A plateau wider than the window has no prominence: that is no pedal action, and nothing to warn of.
        warnings.filterwarnings("ignore", "some peaks have a prominence of 0", RuntimeWarning)
        prominences: FloatArray = peak_prominences(ordered, at, wlen=window)[0]
    return prominences


def _extents(signal: FloatArray, at: IndexArray, drop: float | None) -> tuple[FloatArray, FloatArray]:
    drops = signal[at] if drop is None else np.full(at.size, drop)
    bases = np.zeros(at.size, dtype=np.intp), np.full(at.size, signal.size - 1, dtype=np.intp)
    share = 0.5 if drop is None else 1.0
    _, _, left, right = peak_widths(signal, at, rel_height=share, prominence_data=(drops, *bases))
    return left, right
