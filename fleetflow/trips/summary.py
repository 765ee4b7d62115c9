"""What a trip comes to: distance in all and by speed band, duration, rate."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.clock import median_step_s
from fleetflow.trips.survey import BAND_EDGES_KMH, LONGEST_BRIDGE_S, SECONDS_PER_HOUR, Survey

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray, Samples


@dataclass(frozen=True, slots=True)
class TripSummary:
    """All None for a trip without a clock; `sample_hz` is the median rate.

    `band_km` are the kilometres in each speed band, which add up to the distance.
    """

    distance_km: float | None
    duration_s: float | None
    sample_hz: float | None
    band_km: tuple[float, ...] | None = None


def summarize(samples: Samples, step_s: float | None = None, seen: Survey | None = None) -> TripSummary:
    """Distance by the trapezoid rule over the speed, silences of more than a minute left out.

    `step_s` is the median step and `seen` the trip's survey, for those who have them already.
    """
    if samples.t_s is None:
        return TripSummary(None, None, None)
    band_km = _driven(samples.t_s, samples.speed_kmh) if seen is None else seen.band_km
    step_s = step_s or median_step_s(samples.t_s)
    return TripSummary(
        distance_km=sum(band_km),
        duration_s=float(samples.t_s[-1] - samples.t_s[0]),
        sample_hz=None if step_s is None else 1.0 / step_s,
        band_km=band_km,
    )


def _driven(t_s: FloatArray, speed_kmh: FloatArray) -> tuple[float, ...]:
    steps_s = t_s[1:] - t_s[:-1]
    mean_kmh = (speed_kmh[1:] + speed_kmh[:-1]) / 2
    km = np.nan_to_num(np.where(steps_s <= LONGEST_BRIDGE_S, mean_kmh * steps_s, 0.0)) / SECONDS_PER_HOUR
    beyond_km = [float(km.sum()), *(float(km[mean_kmh >= edge].sum()) for edge in BAND_EDGES_KMH), 0.0]
    return tuple(max(slower - faster, 0.0) for slower, faster in pairwise(beyond_km))
