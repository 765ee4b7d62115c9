"""What a trip comes to: distance, duration, rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.clock import median_step_s

if TYPE_CHECKING:
    from fleetflow.trips.samples import Samples

LONGEST_BRIDGE_S = 60.0
"""Over a longer silence the speed before and after says nothing about the way between."""


@dataclass(frozen=True, slots=True)
class TripSummary:
    """All None for a trip without a clock; `sample_hz` is the median rate."""

    distance_km: float | None
    duration_s: float | None
    sample_hz: float | None


def summarize(samples: Samples) -> TripSummary:
    """Distance by the trapezoid rule over the speed, silences of more than a minute left out."""
    if samples.t_s is None:
        return TripSummary(None, None, None)
    steps_s = np.diff(samples.t_s)
    mean_kmh = (samples.speed_kmh[1:] + samples.speed_kmh[:-1]) / 2
    bridged = (steps_s <= LONGEST_BRIDGE_S) & np.isfinite(mean_kmh)
    step_s = median_step_s(samples.t_s)
    return TripSummary(
        distance_km=float(np.sum(mean_kmh[bridged] * steps_s[bridged]) / 3600.0),
        duration_s=float(samples.t_s[-1] - samples.t_s[0]),
        sample_hz=None if step_s is None else 1.0 / step_s,
    )
