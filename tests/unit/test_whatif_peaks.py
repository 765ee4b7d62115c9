"""The distribution of peaks, and what lies beyond a threshold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.safety.events import EventKind, HarshEvent, Standing
from fleetflow.safety.floors import FLOOR_G, FLOOR_KMH
from fleetflow.safety.judging import CLASSES
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule, ScoringProfile
from fleetflow.safety.whatif.peaks import beyond_per_100_km, distribution, edges_of
from fleetflow.safety.whatif.prepared import prepare
from tests.unit.whatif_fleets import fleet_of_drivers

# Peaks between the edges, at them, and at the nearest doubles beside them.
peaks_g = st.one_of(
    st.floats(FLOOR_G, 2.0),
    st.integers(15, 120).map(lambda hundredths: hundredths / 100),
    st.integers(15, 120).map(lambda hundredths: math.nextafter(hundredths / 100, 2)),
)


@given(st.lists(peaks_g, max_size=40), st.integers(1, 85))
def test_the_bins_beyond_a_threshold_hold_what_it_makes_harsh(peaks: list[float], place: int):
    lanes = [np.sort(np.array(some)) for some in (peaks[::2], peaks[1::2])]
    found = distribution(EventKind.BRAKING, lanes)
    threshold = float(found.edges[place])
    profile = ScoringProfile("x", {**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(threshold, 5)})
    harsh = sum(profile.is_harsh(HarshEvent(EventKind.BRAKING, 0, 1, 2, peak_g=peak, speed_kmh=50)) for peak in peaks)
    assert found.counts.sum() == len(peaks)
    assert found.counts[place:].sum() == harsh
    assert beyond_per_100_km(lanes, np.array([threshold]), distance_km=250.0)[0] == pytest.approx(harsh / 2.5)


@pytest.mark.parametrize(
    ("kind", "floor", "step"), [(EventKind.CORNERING, FLOOR_G, 0.01), (EventKind.SPEEDING, FLOOR_KMH, 2)]
)
def test_bins_are_even_and_begin_where_detection_does(kind: EventKind, floor: float, step: float):
    edges = edges_of(kind)
    assert edges[0] == floor
    assert np.diff(edges) == pytest.approx(step)
    assert DEFAULT_PROFILE.rules[kind].threshold in edges


def test_the_hardest_peaks_are_in_the_last_bin_and_those_at_the_floor_in_the_first():
    counts = distribution(EventKind.SPEEDING, [np.array([FLOOR_KMH, 81.0, 230.0, 300.0])]).counts
    assert (counts[0], counts[-1], counts.sum()) == (2, 2, 4)


def test_without_distance_there_is_no_rate():
    assert np.isnan(beyond_per_100_km([np.array([0.5])], np.array([0.2, 0.4]), 0.0)).all()


def test_the_peaks_shown_are_those_that_can_cost_a_driver_points():
    events, trips, _ = fleet_of_drivers(1, 6, severity_sd=0.2)
    random = np.random.default_rng(1)
    trips = replace(
        trips,
        usable=random.random(len(trips)) < 0.5,
        vehicle_class=random.integers(0, len(CLASSES), len(trips)).astype(np.int8),
    )
    events = replace(events, standing=random.integers(0, len(Standing), len(events)).astype(np.int8))
    prepared = prepare(events, trips)
    for doubtful, unwanted in ((False, [Standing.DOUBTFUL, Standing.DISMISSED]), (True, [Standing.DISMISSED])):
        lanes = prepared.peaks_of(EventKind.BRAKING, doubtful=doubtful)
        shown = events.peak[trips.usable[events.trip] & ~np.isin(events.standing, unwanted)]
        assert np.array_equal(np.sort(np.concatenate(lanes)), np.sort(shown))
        assert all((np.diff(lane) >= 0).all() for lane in lanes)
        assert prepared.peaks_of(EventKind.CORNERING)[0].size == 0
    assert prepared.roads.distance_km == pytest.approx(trips.distance_km[trips.usable].sum())
