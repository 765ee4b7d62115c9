"""Distances between positions, speed from them, and the jumps that no vehicle makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleetflow.importers.roles import KMH_PER_MS

if TYPE_CHECKING:
    from fleetflow.importers.table import BoolArray
    from fleetflow.trips.samples import FloatArray

EARTH_M = 6_371_008.8
JUMP_KMH = 250.0
"""A position that only this speed reaches is a receiver's error; the fastest cars on public roads stay below."""

CALM, CALM_KMH = 1.5, 30.0
"""After a jump a position is believed again when this many times the speed before it, and so much more, reaches it."""


def distances_m(latitude: FloatArray, longitude: FloatArray) -> FloatArray:
    """Along great circles from each position to the next, one fewer than positions; NaN where one is missing."""
    lat, lon = np.radians(latitude), np.radians(longitude)
    half = np.sin(np.diff(lat) / 2) ** 2 + np.cos(lat[1:]) * np.cos(lat[:-1]) * np.sin(np.diff(lon) / 2) ** 2
    way: FloatArray = 2 * EARTH_M * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return way


def find_jumps(t_s: FloatArray, latitude: FloatArray, longitude: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Positions that cannot be reached from the one before, and the speed in km/h that would be needed.

    What follows a jump is compared with where the jump began, until an ordinary speed leads from there.
    """
    jumps, needed = np.zeros(len(t_s), dtype=np.bool_), np.zeros(len(t_s))
    speeds = _speeds_kmh(t_s, latitude, longitude)
    for first in (np.flatnonzero(speeds > JUMP_KMH) + 1).tolist():
        if jumps[first] or jumps[first - 1]:
            continue  # seen already, from the last position that was believed
        before = first - 1
        calm = CALM * (speeds[before - 1] if before else 0.0) + CALM_KMH
        for at in range(first, len(t_s)):
            pair = [before, at]
            speed = float(_speeds_kmh(t_s[pair], latitude[pair], longitude[pair])[0])
            if speed <= calm:
                break
            jumps[at], needed[at] = True, speed
    return jumps, needed


def speed_kmh(t_s: FloatArray, latitude: FloatArray, longitude: FloatArray) -> FloatArray:
    """The speed at each position, over the steps before and after it."""
    steps_s = np.diff(t_s)
    way_m = np.nan_to_num(distances_m(latitude, longitude))
    along_m, along_s = np.concatenate([[0.0], way_m, [0.0]]), np.concatenate([[0.0], steps_s, [0.0]])
    both_s = along_s[1:] + along_s[:-1]
    speed: FloatArray = KMH_PER_MS * (along_m[1:] + along_m[:-1]) / np.where(both_s > 0, both_s, np.inf)
    return speed


def _speeds_kmh(t_s: FloatArray, latitude: FloatArray, longitude: FloatArray) -> FloatArray:
    steps_s = np.diff(t_s)
    return KMH_PER_MS * distances_m(latitude, longitude) / np.where(steps_s > 0, steps_s, np.inf)
