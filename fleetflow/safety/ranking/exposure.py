"""How much was driven where that is not plain: unknown distances, and roads on which a kilometre holds more or less.

A trip whose distance cannot be known loses its points too: points without kilometres would only make a driver worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fleetflow.safety.flat import BoolArray, IndexArray
    from fleetflow.trips.samples import FloatArray

PRIOR_HOURS = 2.0  # at the fleet's speed; a driver's own counts for more as soon as he has driven longer
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """A row per trip: `km`, 0 where `dropped`, and whether it was `imputed` from the hours."""

    km: FloatArray
    imputed: BoolArray
    dropped: BoolArray


def complete_distances(driver: IndexArray, distance_km: FloatArray, hours: FloatArray, drivers: int) -> Distances:
    """Distances with the unknown ones (NaN) filled from hours and the driver's own speed, drawn to the fleet's.

    Without hours (NaN or 0), or where no trip at all shows a speed, a trip is dropped.
    """
    known, timed = np.isfinite(distance_km), np.isfinite(hours) & (hours > 0)
    both = known & timed
    speed_kmh = _own_speed_kmh(driver[both], distance_km[both], hours[both], drivers)
    imputed = ~known & timed & bool(both.any())
    km = np.where(known, distance_km, 0.0)
    km[imputed] = hours[imputed] * speed_kmh[driver[imputed]]
    return Distances(km, imputed, ~known & ~imputed)


def _own_speed_kmh(driver: IndexArray, km: FloatArray, hours: FloatArray, drivers: int) -> FloatArray:
    own_km, own_hours = (np.bincount(driver, weights=column, minlength=drivers) for column in (km, hours))
    fleet_kmh = km.sum() / hours.sum() if len(hours) else np.nan
    speed: FloatArray = (own_km + PRIOR_HOURS * fleet_kmh) / (own_hours + PRIOR_HOURS)
    return speed


def road_weights(km: FloatArray, points: FloatArray, psi0: float) -> FloatArray:
    """What a kilometre of each trip counts for: the fleet's points per kilometre in the speed bands it was driven in.

    `km` and `points` have a row per trip and a column per band; `psi0` is the points of one event. Each band's rate is
    held to the fleet's by one event, so that a band in which nobody had any still counts for something. Weighted and
    plain kilometres of the fleet are the same. A trip without kilometres in bands weighs 1.
    """
    total_km, total_points = km.sum(axis=0), points.sum(axis=0)
    trip_km = km.sum(axis=1)
    if not total_points.any() or not trip_km.any():
        return np.ones(len(km))
    fleet = total_points.sum() / total_km.sum()
    rate = (total_points + psi0) / (total_km + psi0 / fleet)
    counted = km @ rate
    weights = np.ones(len(km))
    np.divide(counted, trip_km * (counted.sum() / trip_km.sum()), out=weights, where=trip_km > 0)
    return weights
