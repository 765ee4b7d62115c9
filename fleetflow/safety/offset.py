"""What the accelerometer shows besides driving: mounting, tilt and road grade. Only a trusted speed can tell them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.trips.agreement import G_MS2, KMH_PER_MS

if TYPE_CHECKING:
    from fleetflow.safety.flat import BoolArray
    from fleetflow.safety.tracks import EvenTrip, Track
    from fleetflow.trips.samples import FloatArray

REACH_S = 30.0  # on both sides: 120 s leave 0.4 false brakes an hour on hills, 30 s none
LIMIT_G = 0.15  # a 15 % grade; more is not an offset
MIN_TRACK_S = 30.0  # on less, a speed that comes a second late would pass for an offset
STANDING_KMH = 1.0
SHRINK_S = 1.0  # the car still rocks for a second after it has stopped
MIN_STANDING_S = 10.0
DRIVING_KMH = 2.0 * KMH_PER_MS
MIN_DRIVING_S = 180.0  # left and right turns cancel in the long run only
MIN_LATERAL_G, MAX_LATERAL_G = 0.02, 0.15


@dataclass(frozen=True, slots=True)
class Offset:
    """What was taken off, in g: the middle of the longitudinal offset, which moves with the road, and the lateral one.

    A stored peak plus the offset is what the device sent.
    """

    long_g: float = 0.0
    lat_g: float = 0.0


def without_offset(trip: EvenTrip) -> tuple[EvenTrip, Offset]:
    """The trip less what its speed does not explain. Only for trips whose speed is trusted (`Agreement.trusted`)."""
    lat_g = lateral_offset_g(trip)
    long_g = [longitudinal_offset_g(track) for track in trip.tracks]
    tracks = [
        replace(track, long_g=track.long_g - offset, lat_g=track.lat_g - lat_g)
        for track, offset in zip(trip.tracks, long_g, strict=True)
    ]
    return replace(trip, tracks=tracks), Offset(float(np.median(np.concatenate(long_g))), lat_g)


def longitudinal_offset_g(track: Track) -> FloatArray:
    """For each sample the mean acceleration of the minute around it less the change of speed over that minute."""
    size = len(track.long_g)
    if (size - 1) * track.step_s < MIN_TRACK_S:
        return np.zeros(size)
    reach, index = round(REACH_S / track.step_s), np.arange(size)
    first, last = np.maximum(index - reach, 0), np.minimum(index + reach, size - 1)
    total = np.concatenate([[0.0], np.cumsum(track.long_g)])
    felt_g = (total[last + 1] - total[first]) / (last + 1 - first)
    gained_ms = (track.speed_kmh[last] - track.speed_kmh[first]) / KMH_PER_MS
    offset: FloatArray = felt_g - gained_ms / (G_MS2 * track.step_s * (last - first))
    return np.clip(offset, -LIMIT_G, LIMIT_G)


def lateral_offset_g(trip: EvenTrip) -> float:
    """One constant: the pull while standing, else the mean while driving; 0 if it is too small or too large for one."""
    lat_g = np.concatenate([track.lat_g for track in trip.tracks])
    standing = np.concatenate([_settled(track) for track in trip.tracks])
    driving = np.concatenate([track.speed_kmh > DRIVING_KMH for track in trip.tracks])
    if np.count_nonzero(standing) >= round(MIN_STANDING_S / trip.step_s):
        offset = float(np.median(lat_g[standing]))
    elif np.count_nonzero(driving) >= round(MIN_DRIVING_S / trip.step_s):
        offset = float(np.mean(lat_g[driving]))
    else:
        return 0.0
    return offset if MIN_LATERAL_G <= abs(offset) <= MAX_LATERAL_G else 0.0


def _settled(track: Track) -> BoolArray:
    """Where the vehicle has stood for a second and will for another; the track's ends need no margin."""
    moving = (track.speed_kmh >= STANDING_KMH).astype(np.intp)
    reach, index = round(SHRINK_S / track.step_s), np.arange(len(moving))
    total = np.concatenate([[0], np.cumsum(moving)])
    first, last = np.maximum(index - reach, 0), np.minimum(index + reach + 1, len(moving))
    near: BoolArray = total[last] == total[first]
    return near
