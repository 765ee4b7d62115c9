"""Making a trip even: what is cleaned, where it is cut, and that no clock makes it grow."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.trips.samples import FloatArray, Samples
from fleetflow.trips.tracks import EvenTrip, make_even
from tests.support.pulses import times

T10 = times(10)


def trip(t_s: FloatArray | list[float] | None, long_g: FloatArray | list[float] | None = None) -> Samples:
    clock = None if t_s is None else np.asarray(t_s, dtype=np.float64)
    size = len(t_s if t_s is not None else long_g or [])
    return Samples(np.full(size, 50.0), np.arange(size) / 100 if long_g is None else np.array(long_g), t_s=clock)


def spans(even: EvenTrip) -> list[tuple[float, float]]:
    return [(track.start_s, track.start_s + track.step_s * (len(track.long_g) - 1)) for track in even.tracks]


def test_an_even_trip_is_one_track_of_its_own_values():
    samples = trip(T10)
    even = make_even(samples)
    (track,) = even.tracks
    np.testing.assert_array_equal(track.long_g, samples.g_force_long)
    np.testing.assert_array_equal(track.speed_kmh, samples.speed_kmh)
    np.testing.assert_array_equal(track.lat_g, np.zeros(600))
    assert (track.start_s, track.step_s) == (0.0, pytest.approx(0.1))
    assert (even.has_clock, even.smoothable) == (True, True)


def test_a_trip_needs_half_a_minute_to_be_smoothed():
    assert make_even(trip(times(10, 30.05))).smoothable
    assert not make_even(trip(times(10, 29.95))).smoothable


@pytest.mark.parametrize(("hz", "gap_s", "tracks"), [(10, 1.0, 1), (10, 1.1, 2), (1, 3.0, 1), (1, 3.1, 2)])
def test_a_gap_is_longer_than_a_second_and_three_steps(hz: float, gap_s: float, tracks: int):
    before = times(hz, 20)
    even = make_even(trip(np.concatenate([before, before[-1] + gap_s + times(hz, 20)])))
    assert len(even.tracks) == tracks
    assert spans(even)[0][0] == 0.0
    assert spans(even)[-1][1] == pytest.approx(2 * before[-1] + gap_s, abs=1 / hz)


def test_a_track_may_be_one_sample():
    even = make_even(trip([0, 0.1, 0.2, 50, 100, 100.1]))
    assert [len(track.long_g) for track in even.tracks] == [3, 1, 2]


def test_lost_samples_are_interpolated():
    kept = np.delete(np.arange(600), [100, 250, 251])
    (track,) = make_even(trip(T10[kept], (T10[kept] / 100).tolist())).tracks
    assert len(track.long_g) == 600
    np.testing.assert_allclose(track.long_g, T10 / 100, atol=1e-9)


@pytest.mark.parametrize("hz", [3, 30, 60, 64, 104])
def test_times_rounded_to_milliseconds_do_not_drift(hz: float):
    t_s = np.round(times(hz, 3600), 3)
    (track,) = make_even(trip(t_s, t_s.tolist())).tracks
    found_s = track.start_s + track.step_s * np.arange(len(track.long_g))
    np.testing.assert_allclose(found_s, track.long_g, atol=0.2 / hz)


def test_a_rate_that_changes_slowly_does_not_drift():
    t_s = np.cumsum(np.linspace(0.092, 0.108, 30_000))
    (track,) = make_even(trip(t_s, t_s.tolist())).tracks
    found_s = track.start_s + track.step_s * np.arange(len(track.long_g))
    np.testing.assert_allclose(found_s, track.long_g, atol=0.02)


def test_rows_are_sorted_and_the_first_of_a_repeated_time_counts():
    (track,) = make_even(trip([0, 2, 2, 1, 3], [0.0, 0.2, 9.9, 0.1, 0.3])).tracks
    np.testing.assert_array_equal(track.long_g, [0.0, 0.1, 0.2, 0.3])


def test_stamps_of_whole_seconds_keep_the_first_sample_of_each():
    even = make_even(trip(np.floor(T10)))
    assert even.step_s == 1.0
    np.testing.assert_allclose(even.tracks[0].long_g, np.arange(0, 600, 10) / 100)


def test_a_pull_that_is_not_known_is_bridged_for_a_moment_and_then_none():
    lat_g = np.full(600, 0.5)
    lat_g[100:105] = math.nan
    lat_g[200:300] = math.nan
    lat_g[400:] = math.nan
    (track,) = make_even(replace(trip(T10), g_force_lat=lat_g)).tracks
    expected = np.where((T10 > 19.95) & (T10 < 29.95) | (T10 > 39.95), 0.0, 0.5)
    np.testing.assert_array_equal(track.lat_g, expected)


def test_a_speed_that_is_not_known_is_taken_from_its_neighbours():
    samples = trip(T10)
    samples.speed_kmh[:300] = math.nan
    np.testing.assert_array_equal(make_even(samples).tracks[0].speed_kmh, np.full(600, 50.0))


def test_without_a_clock_the_sample_is_the_unit_of_time():
    even = make_even(trip(None, [0.1, -0.5, 0.2]))
    assert (even.has_clock, even.smoothable, spans(even)) == (False, False, [(0.0, 2.0)])
    np.testing.assert_array_equal(even.tracks[0].long_g, [0.1, -0.5, 0.2])


def test_a_time_that_never_moves_on_is_no_clock():
    even = make_even(trip([7.0, 7.0], [0.1, -0.5]))
    assert (even.has_clock, spans(even)) == (False, [(7.0, 7.0)])


@pytest.mark.parametrize("t_s", [None, [0.0, 0.1, 0.2]])
def test_nothing_known_is_no_track(t_s: list[float] | None):
    assert make_even(trip(t_s, [math.nan] * 3)).tracks == []


def test_samples_stamped_on_arrival_ten_at_once_are_ten_a_second():
    t_s = np.repeat(np.arange(100.0), 10) + np.tile(np.arange(10) * 1e-6, 100)
    even = make_even(trip(t_s))
    assert even.step_s == pytest.approx(0.1, rel=0.01)
    assert spans(even) == [(0.0, pytest.approx(99.0, abs=0.1))]


def test_a_rate_beyond_all_driving_is_thinned():
    even = make_even(trip(times(1000, 40)))
    assert even.step_s == pytest.approx(0.005)
    assert sum(len(track.long_g) for track in even.tracks) == 8000


STEPS_S = (1e-6, 1e-4, 0.01, 0.1, 0.9, 1.0, 1.1, 3.0, 60.0)


@given(st.lists(st.sampled_from(STEPS_S), min_size=1, max_size=40), st.integers(1, 30))
def test_no_clock_makes_a_trip_grow_beyond_a_few_times_its_samples(steps_s: list[float], repeats: int):
    samples = trip(np.cumsum([0.0, *steps_s * repeats]))
    even = make_even(samples)
    assert sum(len(track.long_g) for track in even.tracks) <= 4 * len(samples)
    assert all(len(track.long_g) == len(track.lat_g) == len(track.speed_kmh) for track in even.tracks)
    for start_s, end_s in spans(even):
        assert 0.0 <= start_s <= end_s <= samples.t_s[-1] + 1e-6  # type: ignore[index]
