"""What the accelerometer shows besides driving: mounting, tilt and road grade. Only a trusted speed can tell them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetflow.trips.agreement import G_MS2, KMH_PER_MS
from fleetflow.trips.measures import middle_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from fleetflow.trips.samples import FloatArray
    from fleetflow.trips.tracks import EvenTrip, Track

    BoolArray = npt.NDArray[np.bool_]

REACH_S = 30.0  # on both sides: 120 s leave 0.4 false brakes an hour on hills, 30 s none
LIMIT_G = 0.15  # a 15 % grade; more is not taken off
MIN_TRACK_S = 30.0  # on less, a speed that comes a second late would pass for an offset
STANDING_KMH = 1.0
SHRINK_S = 1.0  # the car still rocks for a second after it has stopped
MIN_STANDING_S = 10.0
DRIVING_KMH = 2.0 * KMH_PER_MS
MIN_DRIVING_S = 180.0  # left and right turns cancel in the long run only
MIN_LATERAL_G = 0.02  # less is noise


@dataclass(frozen=True, slots=True)
class Offset:
    """What a trip's accelerometer shows besides driving, in g, and how much of it is taken off.

    `long_g` is the middle of what is taken off along the vehicle, which moves with the road, `lat_g` what is taken off
    across it: an event's peak plus the offset is what the device sent. What is shown may be more than can come off.
    """

    long_g: float = 0.0
    lat_g: float = 0.0
    shown_long_g: float = 0.0
    shown_lat_g: float = 0.0


def without_offset(trip: EvenTrip) -> tuple[EvenTrip, Offset]:
    """The trip less what its speed does not explain. Only for trips whose speed is trusted (`Agreement.trusted`)."""
    shown_g = [longitudinal_offset_g(track) for track in trip.tracks]
    middle_g = middle_of(np.concatenate(shown_g))
    shown_lat_g = lateral_offset_g(trip)
    lat_g = shown_lat_g if MIN_LATERAL_G <= abs(shown_lat_g) <= LIMIT_G else 0.0
    tracks = [
        replace(track, long_g=track.long_g - np.clip(shown, -LIMIT_G, LIMIT_G), lat_g=track.lat_g - lat_g)
        for track, shown in zip(trip.tracks, shown_g, strict=True)
    ]
    taken_g = min(max(middle_g, -LIMIT_G), LIMIT_G)
    return replace(trip, tracks=tracks), Offset(taken_g, lat_g, middle_g, shown_lat_g)


def longitudinal_offset_g(track: Track) -> FloatArray:
    """For each sample the mean acceleration of the minute around it less the change of speed over that minute."""
    size = len(track.long_g)
    if (size - 1) * track.step_s < MIN_TRACK_S:
        return np.zeros(size)
    reach, index = round(REACH_S / track.step_s), np.arange(size)
    first, last = np.maximum(index - reach, 0), np.minimum(index + reach, size - 1)
    total = np.zeros(size + 1)
    np.cumsum(track.long_g, out=total[1:])
    steps = last - first
    felt_g = (total[last + 1] - total[first]) / (steps + 1)
    gained_kmh = track.speed_kmh[last] - track.speed_kmh[first]
    offset: FloatArray = felt_g - gained_kmh / (KMH_PER_MS * G_MS2 * track.step_s * steps)
    return offset


def lateral_offset_g(trip: EvenTrip) -> float:
    """One constant: the pull while standing, else the mean while driving; 0 if there is too little of either."""
    if not any(track.lat_g.any() for track in trip.tracks):
        return 0.0
    lat_g = np.concatenate([track.lat_g for track in trip.tracks])
    offset = _mean_of(lat_g, trip, _settled, MIN_STANDING_S, np.median)
    if offset is None:
        offset = _mean_of(lat_g, trip, _driving, MIN_DRIVING_S, np.mean)
    return 0.0 if offset is None else offset


def _mean_of(
    lat_g: FloatArray, trip: EvenTrip, chosen: Callable[[Track], BoolArray], least_s: float, mean: Callable[..., Any]
) -> float | None:
    """The mean over the chosen samples; None if they last less than `least_s`."""
    used = np.concatenate([chosen(track) for track in trip.tracks])
    return float(mean(lat_g[used])) if np.count_nonzero(used) >= round(least_s / trip.step_s) else None


def _driving(track: Track) -> BoolArray:
    return track.speed_kmh > DRIVING_KMH


def _settled(track: Track) -> BoolArray:
    """Where the vehicle has stood for a second and will for another; the track's ends need no margin."""
    if track.speed_kmh.min() >= STANDING_KMH:
        return np.zeros(len(track.speed_kmh), dtype=bool)
    moving = (track.speed_kmh >= STANDING_KMH).astype(np.intp)
    reach, index = round(SHRINK_S / track.step_s), np.arange(len(moving))
    total = np.concatenate([[0], np.cumsum(moving)])
    first, last = np.maximum(index - reach, 0), np.minimum(index + reach + 1, len(moving))
    near: BoolArray = total[last] == total[first]
    return near
