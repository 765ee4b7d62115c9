"""Simulated drives obey physics, and their truth is what a detector finds."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.safety.detection import find_events
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.simulator import Sensors, SimulatedTrip, Temper, simulate_trip
from fleetflow.simulator.route import CALM_G, FIRM_G, Planner
from fleetflow.trips.encode import encode_trip
from fleetflow.trips.summary import summarize

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VEHICLE, DRIVER = uuid.uuid4(), uuid.uuid4()
G = 9.80665
EARTH_M = 6_371_008.8


def simulate(seed: int = 1, *, roughness: float = 0.8, duration_s: float = 900, hz: float = 10, **sensors):
    return simulate_trip(
        np.random.default_rng(seed), vehicle_id=VEHICLE, driver_id=DRIVER, temper=Temper.of_roughness(roughness),
        duration_s=duration_s, hz=hz, sensors=Sensors(**sensors), started_at=NOON,
    )  # fmt: skip


def clock(simulated: SimulatedTrip) -> np.ndarray:
    assert simulated.trip.samples.t_s is not None
    return simulated.trip.samples.t_s


def integral(values: np.ndarray, t_s: np.ndarray) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(t_s))])


drives = st.tuples(st.integers(0, 10_000), st.sampled_from([1, 2, 5, 10, 25, 50]), st.floats(30, 1200))
physics = settings(max_examples=25, deadline=None)


@physics
@given(drives)
def test_the_change_of_speed_is_the_integral_of_the_acceleration(drive):
    seed, _, duration_s = drive
    simulated = simulate(seed, hz=50, duration_s=duration_s)
    samples = simulated.trip.samples
    change_ms = (samples.speed_kmh - samples.speed_kmh[0]) / 3.6
    np.testing.assert_allclose(integral(samples.g_force_long * G, clock(simulated)), change_ms, atol=0.05)


@physics
@given(drives)
def test_the_pull_to_the_side_is_speed_times_turning(drive):
    seed, _, duration_s = drive
    simulated = simulate(seed, hz=50, duration_s=duration_s)
    samples = simulated.trip.samples
    assert samples.heading_deg is not None
    assert samples.g_force_lat is not None
    to_the_left = -np.gradient(np.unwrap(np.radians(samples.heading_deg)), clock(simulated))
    np.testing.assert_allclose(samples.speed_kmh / 3.6 * to_the_left / G, samples.g_force_lat, atol=0.02)


@physics
@given(drives)
def test_odometer_speed_and_positions_tell_the_same_distance(drive):
    seed, hz, duration_s = drive
    samples = simulate(seed, hz=hz, duration_s=duration_s).trip.samples
    assert samples.odometer_km is not None
    assert samples.latitude is not None
    assert samples.longitude is not None
    driven_km = samples.odometer_km[-1]
    assert summarize(samples).distance_km == pytest.approx(driven_km, rel=0.005, abs=0.01)
    lat, lon = np.radians(samples.latitude), np.radians(samples.longitude)
    steps = np.hypot(np.diff(lat), np.diff(lon) * np.cos((lat[1:] + lat[:-1]) / 2)) * EARTH_M / 1000
    assert steps.sum() == pytest.approx(driven_km, rel=0.005, abs=0.01)


@physics
@given(drives)
def test_speed_is_never_negative_and_ordinary_driving_is_calm(drive):
    seed, hz, duration_s = drive
    samples = simulate(seed, roughness=0.0, hz=hz, duration_s=duration_s).trip.samples
    assert samples.speed_kmh.min() >= 0
    calm = simulate_trip(np.random.default_rng(seed), vehicle_id=VEHICLE, driver_id=DRIVER, temper=Temper(), hz=hz)
    assert calm.truth == []
    assert np.abs(calm.trip.samples.g_force_long).max() < 0.3
    assert calm.trip.samples.g_force_lat is not None
    assert np.abs(calm.trip.samples.g_force_lat).max() < 0.3


def test_the_same_seed_gives_the_same_trip_and_another_seed_another():
    assert encode_trip(simulate(7).trip) == encode_trip(simulate(7).trip)
    assert encode_trip(simulate(7).trip) != encode_trip(simulate(8).trip)


def test_the_detector_finds_the_truth_and_nothing_else():
    for seed in range(20):
        simulated = simulate(seed, roughness=1.0, duration_s=1800)
        events = [event for event in find_events([simulated.trip.samples])[0] if DEFAULT_PROFILE.is_harsh(event)]
        found = sorted((event.kind, event.peak_s) for event in events if event.kind is not EventKind.SPEEDING)
        put_in = sorted((event.kind, event.peak_s) for event in simulated.truth if event.kind is not EventKind.SPEEDING)
        assert [kind for kind, _ in found] == [kind for kind, _ in put_in]
        np.testing.assert_allclose([at for _, at in found], [at for _, at in put_in], atol=0.3)


@pytest.mark.parametrize("hz", [2, 5, 10, 50])
def test_every_event_put_in_is_found_at_every_rate(hz: float):
    put_in = found = 0
    for seed in range(8):
        simulated = simulate(seed, roughness=1.0, duration_s=1800, hz=hz)
        events = find_events([simulated.trip.samples])[0]
        truth = [event for event in simulated.truth if event.kind is not EventKind.SPEEDING]
        put_in += len(truth)
        found += sum(any(e.kind is t.kind and abs(e.peak_s - t.peak_s) < 1 for e in events) for t in truth)
    assert put_in > 30
    assert found >= 0.95 * put_in


def test_events_come_as_often_as_the_temper_says():
    temper = Temper.of_roughness(1.0)
    drives = [simulate(seed, roughness=1.0, duration_s=3600, hz=1) for seed in range(60)]
    driven_km = sum(float(drive.trip.samples.odometer_km[-1]) for drive in drives)
    kinds = Counter(event.kind for drive in drives for event in drive.truth)
    for kind in EventKind:
        assert kinds[kind] * 100 / driven_km == pytest.approx(getattr(temper, kind.value), rel=0.25), kind


@pytest.mark.parametrize("wrong", [{"hz": 0}, {"duration_s": 0}, {"hz": -1}])
def test_a_trip_without_samples_cannot_be_simulated(wrong):
    with pytest.raises(ValueError, match="no samples"):
        simulate(**wrong)


def test_a_rougher_driver_has_more_harsh_events():
    counts = [sum(len(simulate(seed, roughness=each).truth) for seed in range(30)) for each in (0.0, 0.5, 1.0)]
    assert counts == sorted(counts)
    assert counts[2] > 5 * max(counts[0], 1)


def test_noise_bias_and_bumps_change_the_readings_and_not_the_drive():
    plain, shaken = simulate(3), simulate(3, noise_g=0.05, bias_long_g=0.1, bumps_per_minute=6)
    difference = shaken.trip.samples.g_force_long - plain.trip.samples.g_force_long
    assert np.median(difference) == pytest.approx(0.1, abs=0.01)
    assert np.abs(difference - 0.1).max() > 0.8
    np.testing.assert_array_equal(plain.trip.samples.speed_kmh, shaken.trip.samples.speed_kmh)
    assert plain.truth == shaken.truth


@physics
@given(drives, st.floats(0.01, 0.15))
def test_a_hill_is_felt_where_it_is_and_is_never_steeper_than_the_steepest(drive, steepest):
    seed, hz, _ = drive
    flat, hilly = (simulate(seed, hz=hz, duration_s=1200, steepest_grade=each) for each in (0.0, steepest))
    climb_g = hilly.trip.samples.g_force_long - flat.trip.samples.g_force_long
    assert steepest / 4 < np.abs(climb_g).max() <= steepest
    standing = np.diff(flat.trip.samples.odometer_km) == 0
    np.testing.assert_allclose(np.diff(climb_g)[standing], 0, atol=1e-12)
    np.testing.assert_array_equal(hilly.trip.samples.speed_kmh, flat.trip.samples.speed_kmh)
    assert hilly.truth == flat.truth


def test_gaps_and_frozen_speeds_and_lost_positions_are_there_when_asked_for():
    holed = simulate(4, duration_s=3600, gaps_per_hour=20)
    assert np.diff(clock(holed)).max() > 3
    assert holed.trip.sample_hz is None
    frozen = simulate(4, duration_s=3600, frozen_speeds_per_hour=30).trip.samples
    assert (
        np.abs(np.diff(frozen.speed_kmh)).max()
        > 2 * np.abs(np.diff(simulate(4, duration_s=3600).trip.samples.speed_kmh)).max()
    )
    lost = simulate(4, lost_position_share=0.3).trip.samples
    assert lost.latitude is not None
    assert np.isnan(lost.latitude).mean() == pytest.approx(0.3, abs=0.05)
    assert simulate(4, has_position=False).trip.samples.longitude is None


def test_firm_manoeuvres_lie_between_calm_and_harsh_and_are_seldom_harsh_by_the_usual_threshold():
    temper = Temper(firm=300.0)
    plans = [Planner(np.random.default_rng(seed), temper).plan(3600) for seed in range(10)]
    peaks = np.array([each.peak_g for plan in plans for each in plan if each.peak_g > CALM_G[1] + 0.001])
    assert len(peaks) > 200
    assert peaks.min() >= FIRM_G[0]
    assert peaks.max() <= FIRM_G[1]
    assert 0.04 < np.mean(peaks > 0.4) < 0.15
    assert not any(each.harsh for plan in plans for each in plan), "no truth for detection to find"
