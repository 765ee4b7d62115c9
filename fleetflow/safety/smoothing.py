"""Smoothing by rate: a median against spikes, a triangular kernel against vibration.

The kernel (two passes of an n-sample mean) never rises above the true maximum, so smoothing invents no harsh event.
All sums run in an order that does not depend on where a track lies, so that a batch equals its trips alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fleetflow.safety.flat import BoolArray
    from fleetflow.trips.samples import FloatArray

MEDIAN_FROM_HZ = 8.0
"""Below it a median of three would eat true events."""
KERNEL_S = 0.22
"""-6 dB at 2 Hz from 50 Hz on: brakes last longer than 0.8 s, wheel and engine vibrate above 5 Hz."""
FILTER_FROM_HZ = 4.0
MIN_KERNEL_FAST, MIN_KERNEL_SLOW = 3, 2
"""Between 4 and 20 Hz vibration has been folded down by the sampling, so the kernel stays wider than KERNEL_S."""


def kernel_length(rate_hz: float) -> int:
    """The kernel's n in samples (weights n-|k|, |k| < n); 1 means none."""
    if rate_hz < FILTER_FROM_HZ:
        return 1
    least = MIN_KERNEL_FAST if rate_hz >= MEDIAN_FROM_HZ else MIN_KERNEL_SLOW
    return max(int(KERNEL_S * rate_hz + 0.5), least)


def smooth(values: FloatArray, inside: BoolArray, length: int, *, median: bool) -> FloatArray:
    """Smooth flat tracks; zeros outside stay zeros. At a track's ends only the weights inside it count."""
    if median:
        values = _median_of_three(values)
    if length == 1:
        return values
    weights = _triangle(inside.astype(np.float64), length)
    return np.divide(_triangle(values, length), weights, out=np.zeros_like(values), where=inside)


def _median_of_three(values: FloatArray) -> FloatArray:
    before, after = np.roll(values, 1), np.roll(values, -1)
    low, high = np.minimum(before, after), np.maximum(before, after)
    return np.clip(values, low, high)


def _triangle(values: FloatArray, length: int) -> FloatArray:
    total = length * values
    for shift in range(1, length):
        total[shift:] += (length - shift) * values[:-shift]
        total[:-shift] += (length - shift) * values[shift:]
    return total
