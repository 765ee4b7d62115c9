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
from fleetflow.safety.profiles import TOLERANCE
from fleetflow.safety.tuning import FLOOR_G, FLOOR_KMH

if TYPE_CHECKING:
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


def distribution(kind: EventKind, sorted_peaks: FloatArray) -> Distribution:
    """The histogram of one kind's peaks, which rise."""
    edges = edges_of(kind)
    starts = first_beyond(sorted_peaks, edges)
    starts[0] = 0
    return Distribution(edges, np.diff(starts, append=len(sorted_peaks)))


def beyond_per_100_km(sorted_peaks: FloatArray, thresholds: FloatArray, distance_km: float) -> FloatArray:
    """Events per 100 km above each threshold; NaN without distance. `sorted_peaks` rise."""
    if distance_km <= 0:
        return np.full(len(thresholds), np.nan)
    beyond = len(sorted_peaks) - first_beyond(sorted_peaks, thresholds).astype(np.float64)
    return beyond * (PER_KM / distance_km)


def first_beyond(sorted_peaks: FloatArray, thresholds: FloatArray) -> IntArray:
    """Where the peaks begin that exceed each threshold, as a profile judges it."""
    return np.asarray(np.searchsorted(sorted_peaks, thresholds + TOLERANCE, side="right"), dtype=np.int64)
