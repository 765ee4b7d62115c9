"""Where thresholds cut the peaks: sorted once, each question is then a search.

Bins and thresholds share one rule, strictly above with the profile's tolerance, so that the bins beyond a threshold on
an edge hold exactly the events that it makes harsh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fleetflow.safety.events import EventKind
from fleetflow.safety.floors import FLOOR_G, FLOOR_KMH
from fleetflow.safety.profiles import TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetflow.trips.samples import FloatArray

IntArray = npt.NDArray[np.int64]

BINS_PER_G = 100  # 0.01 g, the step in which people set thresholds
MOST_G = 1.0  # about the grip of a dry road; what is harder goes into the last bin
STEP_KMH, MOST_KMH = 2.0, 200.0
PER_KM = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Events by peak: `counts` (n,) of peaks above `edges[i]` (g; km/h for speeding) and not above the next edge.

    The first bin also holds what lies at its edge, the floor of detection; the last is open.
    """

    edges: FloatArray
    counts: IntArray


def edges_of(kind: EventKind) -> FloatArray:
    """The lower edges of a kind's bins, the same for every fleet and profile."""
    if kind is EventKind.SPEEDING:
        return np.arange(FLOOR_KMH, MOST_KMH + STEP_KMH / 2, STEP_KMH)
    return np.arange(round(FLOOR_G * BINS_PER_G), round(MOST_G * BINS_PER_G) + 1) / BINS_PER_G


def distribution(kind: EventKind, lanes: Sequence[FloatArray]) -> Distribution:
    """The histogram of one kind's peaks, which rise within each of the lanes (see `Prepared.peaks_of`)."""
    edges = edges_of(kind)
    beyond = _beyond(lanes, edges)
    beyond[0] = sum(map(len, lanes))
    return Distribution(edges, -np.diff(beyond, append=0))


def beyond_per_100_km(lanes: Sequence[FloatArray], thresholds: FloatArray, distance_km: float) -> FloatArray:
    """Events per 100 km above each threshold; NaN without distance. Peaks rise within each of the lanes."""
    if distance_km <= 0:
        return np.full(len(thresholds), np.nan)
    return _beyond(lanes, thresholds).astype(np.float64) * (PER_KM / distance_km)


def first_beyond(sorted_peaks: FloatArray, thresholds: FloatArray) -> IntArray:
    """Where the peaks begin that exceed each threshold, as a profile judges it."""
    return np.asarray(np.searchsorted(sorted_peaks, thresholds + TOLERANCE, side="right"), dtype=np.int64)


def _beyond(lanes: Sequence[FloatArray], thresholds: FloatArray) -> IntArray:
    beyond = np.zeros(len(thresholds), dtype=np.int64)
    for peaks in lanes:
        beyond += len(peaks) - first_beyond(peaks, thresholds)
    return beyond
