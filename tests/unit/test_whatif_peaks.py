"""The distribution of peaks, and what lies beyond a threshold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule, ScoringProfile
from fleetflow.safety.tuning import FLOOR_G, FLOOR_KMH
from fleetflow.safety.whatif.peaks import beyond_per_100_km, distribution, edges_of

# Peaks between the edges, at them, and at the nearest doubles beside them.
peaks_g = st.one_of(
    st.floats(FLOOR_G, 2.0),
    st.integers(15, 120).map(lambda hundredths: hundredths / 100),
    st.integers(15, 120).map(lambda hundredths: math.nextafter(hundredths / 100, 2)),
)


@given(st.lists(peaks_g, max_size=40), st.integers(1, 85))
def test_the_bins_beyond_a_threshold_hold_what_it_makes_harsh(peaks: list[float], place: int):
    rising = np.sort(np.array(peaks))
    found = distribution(EventKind.BRAKING, rising)
    threshold = float(found.edges[place])
    profile = ScoringProfile("x", {**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(threshold, 5)})
    harsh = sum(profile.is_harsh(HarshEvent(EventKind.BRAKING, 0, 1, 2, peak_g=peak, speed_kmh=50)) for peak in peaks)
    assert found.counts.sum() == len(peaks)
    assert found.counts[place:].sum() == harsh
    assert beyond_per_100_km(rising, np.array([threshold]), distance_km=250.0)[0] == pytest.approx(harsh / 2.5)


@pytest.mark.parametrize(
    ("kind", "floor", "step"), [(EventKind.CORNERING, FLOOR_G, 0.01), (EventKind.SPEEDING, FLOOR_KMH, 2)]
)
def test_bins_are_even_and_begin_where_detection_does(kind: EventKind, floor: float, step: float):
    edges = edges_of(kind)
    assert edges[0] == floor
    assert np.diff(edges) == pytest.approx(step)
    assert DEFAULT_PROFILE.rules[kind].threshold in edges


def test_the_hardest_peaks_are_in_the_last_bin_and_those_at_the_floor_in_the_first():
    counts = distribution(EventKind.SPEEDING, np.array([FLOOR_KMH, 81.0, 230.0, 300.0])).counts
    assert (counts[0], counts[-1], counts.sum()) == (2, 2, 4)


def test_without_distance_there_is_no_rate():
    assert np.isnan(beyond_per_100_km(np.array([0.5]), np.array([0.2, 0.4]), 0.0)).all()
