"""Local maxima of a signal, which of them stand apart, and how far the signal falls beside them, in numpy alone.

The definitions are those of scipy.signal (`find_peaks`, `peak_prominences`, `peak_widths`), to the last bit. Loading
that package costs every process that looks for events more than a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fleetflow.safety.flat import BoolArray, IndexArray
    from fleetflow.trips.samples import FloatArray

STRIDE = 32
"""Samples looked at in one step of a walk: most events have passed after so many."""
_STEPS = np.arange(STRIDE)


def local_maxima(signal: FloatArray, height: float) -> IndexArray:
    """Where the signal, at `height` or above, is higher than on both sides; of a plateau its middle."""
    high = np.flatnonzero(signal[1:-1] >= height) + 1
    here, before, after = signal[high], signal[high - 1], signal[high + 1]
    rises = high[here > before]
    ends = here != after
    edges, falls = high[ends], (here > after)[ends]
    place = np.searchsorted(edges, rises)
    there = place < edges.size  # a plateau that reaches the end of the signal has no second edge
    place, rises = place[there], rises[there]
    peaks = falls[place]
    middles: IndexArray = (rises[peaks] + edges[place[peaks]]) // 2
    return middles


def far_apart(places: IndexArray, ranks: IndexArray, distance: int) -> BoolArray:
    """Which places stay if, from the highest rank down, each removes what is nearer than `distance` to it.

    `places` rise; `ranks` are the places' numbers in order of their rank, the lowest first.
    """
    first = np.searchsorted(places, places - distance, side="right").tolist()
    stop = np.searchsorted(places, places + distance, side="left").tolist()
    gone, kept = bytearray(len(places)), np.zeros(len(places), dtype=np.bool_)
    for number in reversed(ranks.tolist()):
        if not gone[number]:
            kept[number] = True
            gone[first[number] : stop[number]] = b"\1" * (stop[number] - first[number])
    return kept


def stands_out(signal: FloatArray, at: IndexArray, prominence: float, window: int) -> BoolArray:
    """Whether the signal falls by `prominence` on both sides, within half the window, before it passes the peak."""
    top, fall = signal[at], np.full(at.size, prominence)
    enough = np.ones(at.size, dtype=np.bool_)
    for side, places in ((signal, at), (signal[::-1], signal.size - 1 - at)):
        ends = _walk(side, side, places, top, fall, bounded=True)
        enough &= (top - side[ends] >= fall) & (ends - places <= window // 2)
    return enough


def extents(signal: FloatArray, at: IndexArray, level: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where the signal crosses each peak's level before and after it, between the samples."""
    last = signal.size - 1
    before, over_before = _crossing(signal[::-1], last - at, level)
    after, over_after = _crossing(signal, at, level)
    return last - before + over_before, after - over_after


def _crossing(signal: FloatArray, start: IndexArray, level: FloatArray) -> tuple[IndexArray, FloatArray]:
    """The first place at the level or below it, and how far before it the crossing lies."""
    ends = _walk(signal, signal, start, level, np.zeros(start.size), bounded=False)
    below = level - signal[ends]
    return ends, np.divide(below, signal[ends - 1] - signal[ends], out=np.zeros(start.size), where=below > 0)


def _walk(
    lows: FloatArray, highs: FloatArray, start: IndexArray, top: FloatArray, fall: FloatArray, *, bounded: bool
) -> IndexArray:
    """From each start the first place that lies `fall` below its top, or, if bounded, above it; else the last place.

    `lows` and `highs` are the signal, or the least and greatest of its blocks: a walk goes over a block that it need
    not enter, so that none takes longer than the logarithm of what it crosses.
    """
    last = len(lows) - 1
    places = np.minimum(start[:, None] + _STEPS, last)
    stops = top[:, None] - lows[places] >= fall[:, None]
    if bounded:
        stops |= highs[places] > top[:, None]
    stops[:, -1] |= start > last - STRIDE
    first = stops.argmax(axis=1)
    ends: IndexArray = places[np.arange(start.size), first]
    far = np.flatnonzero(~stops[np.arange(start.size), first])
    if far.size:
        blocks = _blocks(lows, np.minimum), _blocks(highs, np.maximum)
        asked = top[far], fall[far]
        block = _walk(*blocks, start[far] // STRIDE + 1, *asked, bounded=bounded)
        ends[far] = _walk(lows, highs, block * STRIDE, *asked, bounded=bounded)
    return ends


def _blocks(values: FloatArray, extreme: np.ufunc) -> FloatArray:
    """The extremes of every STRIDE values; the last block may be shorter."""
    reduced: FloatArray = extreme.reduceat(values, np.arange(0, len(values), STRIDE))
    return reduced
