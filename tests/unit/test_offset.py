"""Mounting and road grade come off where the speed shows them, and nothing else does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.trips.agreement import G_MS2
from fleetflow.trips.offset import lateral_offset_g, longitudinal_offset_g, without_offset
from fleetflow.trips.samples import FloatArray, Samples
from fleetflow.trips.tracks import Track, make_even
from tests.support.pulses import ordinary_drive


def track_of(samples: Samples) -> Track:
    (track,) = make_even(samples).tracks
    return track


def test_mounting_comes_off_and_the_brake_stays():
    samples = ordinary_drive(0.40)
    tilted = replace(samples, g_force_long=samples.g_force_long + 0.06, g_force_lat=np.full(1800, -0.05))
    level, offset = without_offset(make_even(tilted))
    assert (offset.long_g, offset.lat_g) == (pytest.approx(0.06, abs=0.002), pytest.approx(-0.05))
    np.testing.assert_allclose(level.tracks[0].long_g, samples.g_force_long, atol=0.006)
    np.testing.assert_allclose(level.tracks[0].lat_g, 0.0, atol=1e-12)


def test_a_long_hill_comes_off():
    samples = ordinary_drive(0.40, duration_s=600)
    assert samples.t_s is not None
    hill = np.interp(samples.t_s, [200, 300, 400, 500], [0.0, 0.06, 0.06, 0.0])
    offset = longitudinal_offset_g(track_of(replace(samples, g_force_long=samples.g_force_long + hill)))
    np.testing.assert_allclose(offset, hill, atol=0.015)


def test_what_is_more_than_an_offset_stays_and_is_told():
    samples = ordinary_drive(0.40)
    level, offset = without_offset(make_even(replace(samples, g_force_long=samples.g_force_long + 0.5)))
    np.testing.assert_allclose(level.tracks[0].long_g, samples.g_force_long + 0.35)
    assert (offset.long_g, offset.shown_long_g) == (0.15, pytest.approx(0.5, abs=0.002))


@pytest.mark.parametrize("rows", [1, 2, 250])
def test_a_short_stretch_keeps_what_it_shows(rows: int):
    samples = ordinary_drive(0.40)
    track = track_of(samples)
    short = Track(0.0, 0.1, track.long_g[:rows] + 0.1, track.lat_g[:rows], track.speed_kmh[:rows])
    np.testing.assert_array_equal(longitudinal_offset_g(short), 0.0)


@settings(max_examples=40, deadline=None)
@given(st.floats(-0.1, 0.1), st.integers(0, 10**6), st.sampled_from([1.0, 2.0, 10.0, 25.0]))
def test_the_offset_follows_a_constant_exactly(constant_g: float, seed: int, hz: float):
    rng = np.random.default_rng(seed)
    size = round(120 * hz)
    long_g = 0.02 * rng.normal(size=size)
    speed = 60 + np.cumsum(long_g) * G_MS2 * 3.6 / hz
    bare, moved = (longitudinal_offset_g(Track(0.0, 1 / hz, each, 0 * each, speed)) for each in
                   (long_g, long_g + constant_g))  # fmt: skip
    np.testing.assert_allclose(moved - bare, constant_g, atol=1e-9)


def lateral(lat_g: FloatArray, speed_kmh: FloatArray) -> float:
    return lateral_offset_g(make_even(Samples(speed_kmh, 0 * lat_g, t_s=np.arange(len(lat_g)) / 10, g_force_lat=lat_g)))


def test_the_sideways_tilt_is_what_is_left_while_standing():
    speed = np.where(np.arange(1200) < 300, 0.0, 50.0)
    lat_g = np.where(speed == 0, 0.08, 0.3)
    lat_g[290:300] = 0.5  # the second before it moves off does not count
    assert lateral(lat_g, speed) == pytest.approx(0.08)


def test_without_standing_it_is_the_mean_of_three_minutes_of_driving():
    lat_g = 0.04 + 0.2 * np.sin(2 * np.pi * np.arange(2000) / 100)
    assert lateral(lat_g, np.full(2000, 50.0)) == pytest.approx(0.04, abs=1e-6)
    assert lateral(lat_g[:1700], np.full(1700, 50.0)) == 0.0
    assert lateral(lat_g, np.full(2000, 5.0)) == 0.0


@pytest.mark.parametrize("size_g", [0.01, -0.019, 0.16, -0.3])
def test_what_is_too_small_or_too_large_for_a_tilt_stays_and_is_told(size_g: float):
    lat_g = np.full(1800, size_g)
    level, offset = without_offset(make_even(replace(ordinary_drive(0.40), g_force_lat=lat_g)))
    np.testing.assert_array_equal(level.tracks[0].lat_g, lat_g)
    assert (offset.lat_g, offset.shown_lat_g) == (0.0, pytest.approx(size_g))
