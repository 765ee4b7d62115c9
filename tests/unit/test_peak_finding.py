"""Peaks are to the last bit those of scipy's reference functions, however the signal looks."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks, peak_prominences, peak_widths

from fleetflow.safety.peak_finding import STRIDE, extents, far_apart, local_maxima, stands_out

if TYPE_CHECKING:
    from fleetflow.safety.flat import IndexArray
    from fleetflow.trips.samples import FloatArray

examples = settings(max_examples=150, deadline=None)
FLOOR = 0.15


@st.composite
def signals(draw: st.DrawFn) -> FloatArray:
    """Noise, walks and humps, rounded so that plateaus and ties are common, with and without quiet ends."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    size = draw(st.integers(3, 40) | st.integers(3, STRIDE**2 + 2 * STRIDE))
    signal: FloatArray = rng.normal(0, 1, size) * (rng.random(size) < draw(st.sampled_from([0.05, 1.0])))
    signal = np.convolve(signal, np.ones(draw(st.integers(1, 40))))[:size]
    if draw(st.booleans()):
        signal = signal.cumsum()
    signal = np.maximum(np.round(signal / max(np.abs(signal).max(), 1e-9), draw(st.integers(1, 3))), 0.0)
    if draw(st.booleans()):
        signal[[0, -1]] = 0.0
    return signal


def peaks_of(signal: FloatArray) -> IndexArray:
    return find_peaks(signal, height=FLOOR)[0]


@examples
@given(signals())
def test_a_peak_is_what_is_higher_than_both_its_sides(signal: FloatArray):
    np.testing.assert_array_equal(local_maxima(signal, FLOOR), peaks_of(signal))


@examples
@given(signals(), st.integers(1, 60), st.randoms(use_true_random=False))
def test_of_peaks_too_near_to_each_other_the_higher_ones_stay(signal: FloatArray, distance: int, random):
    at = peaks_of(signal)
    order = np.array(random.sample(range(at.size), at.size), dtype=np.intp)
    ranks = np.zeros(signal.size)
    ranks[at[order]] = np.arange(1, at.size + 1)
    np.testing.assert_array_equal(at[far_apart(at, order, distance)], find_peaks(ranks, distance=distance)[0])


@examples
@given(signals(), st.sampled_from([0.05, 0.1, 0.3]) | st.floats(0.001, 1), st.integers(2, 3000))
def test_a_peak_stands_out_by_its_prominence_within_the_window(signal: FloatArray, prominence: float, window: int):
    at = peaks_of(signal)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a plateau wider than the window
        expected = peak_prominences(signal, at, wlen=window)[0] >= prominence
    np.testing.assert_array_equal(stands_out(signal, at, prominence, window), expected)


@examples
@given(signals(), st.sampled_from([None, 0.05, 0.2]))
def test_an_event_reaches_to_where_the_signal_crosses_its_level(signal: FloatArray, drop: float | None):
    at = peaks_of(signal)
    drops = signal[at] if drop is None else np.full(at.size, drop)
    whole = np.zeros(at.size, dtype=np.intp), np.full(at.size, signal.size - 1, dtype=np.intp)
    _, level, left, right = peak_widths(
        signal, at, rel_height=0.5 if drop is None else 1.0, prominence_data=(drops, *whole)
    )
    np.testing.assert_array_equal(extents(signal, at, level), (left, right))
