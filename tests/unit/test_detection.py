"""Event detection against signals whose events are known."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.safety.detection import _nearest, find_events
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule
from fleetflow.trips.samples import FloatArray, Samples
from tests.support.pulses import drive, g_events, half_sine, peaks, times

T10 = times(10)
T50 = times(50)


def expect(samples: Samples, *expected: tuple[str, float, float], at: float = 0.15) -> None:
    found = peaks(samples)
    assert [kind for kind, _, _ in found] == [kind for kind, _, _ in expected], found
    np.testing.assert_allclose([time_s for _, time_s, _ in found], [time_s for _, time_s, _ in expected], atol=at)
    np.testing.assert_allclose([g for _, _, g in found], [g for _, _, g in expected], atol=0.005)


def test_a_trip_without_a_clock_has_one_braking():
    expect(drive(None, np.array([0.1, -0.5])), ("braking", 1.0, 0.5))


@pytest.mark.parametrize(("hz", "peak_g"), [(50, 0.495), (10, 0.490), (5, 0.488), (1, 0.500)])
def test_a_brake_is_one_event_at_any_rate(hz: float, peak_g: float):
    t_s = times(hz)
    samples = drive(t_s, -0.5 * half_sine(t_s, 20, 2))
    expect(samples, ("braking", 21.0, peak_g))
    (event,) = g_events(samples)
    assert event.start_s == pytest.approx(20.4, abs=0.11)
    assert event.end_s == pytest.approx(21.6, abs=0.11)


def test_vibration_makes_no_events_of_its_own():
    shaken = -0.5 * half_sine(T50, 20, 2) + 0.25 * np.sin(2 * np.pi * 11 * T50) + 0.1 * np.sin(2 * np.pi * 17.3 * T50)
    assert np.count_nonzero(shaken <= -0.4) == 37
    expect(drive(T50, shaken), ("braking", 20.98, 0.501))
    coarse = -0.5 * half_sine(T10, 20, 2) + 0.15 * np.sin(2 * np.pi * 13.7 * T10)
    expect(drive(T10, coarse), ("braking", 20.8, 0.499))


def test_a_plateau_keeps_its_exact_height():
    (event,) = g_events(drive(T10, np.where((T10 >= 20) & (T10 < 23), -0.4, 0.0)))
    assert event.peak_g == pytest.approx(0.4, abs=1e-12)
    strict = {**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.39, 5)}
    assert not DEFAULT_PROFILE.is_harsh(event)
    assert replace(DEFAULT_PROFILE, rules=strict).is_harsh(event)


def test_humps_of_one_pedal_action_are_one_event_and_later_ones_are_another():
    first = -0.5 * half_sine(T10, 20, 1)
    expect(drive(T10, first - 0.45 * half_sine(T10, 21.2, 1)), ("braking", 20.5, 0.460))
    expect(drive(T10, first - 0.45 * half_sine(T10, 23.5, 1)), ("braking", 20.5, 0.460), ("braking", 24.0, 0.414))


def test_an_event_on_the_first_or_the_last_sample_counts():
    t_s = times(1)
    long_g = np.zeros(60)
    long_g[[0, -1]] = -0.5
    samples = drive(t_s, long_g)
    expect(samples, ("braking", 0.0, 0.5), ("braking", 59.0, 0.5))
    first, last = g_events(samples)
    assert (first.start_s, last.end_s) == (0.0, 59.0)


@pytest.mark.parametrize("hz", [10, 50])
def test_a_spike_of_one_sample_is_no_event(hz: float):
    t_s = times(hz)
    spike = np.zeros(len(t_s))
    for at in (0, len(t_s) // 2, len(t_s) - 1):
        spike[at] = -2.0
    expect(drive(t_s, spike))


def test_a_knock_of_three_samples_is_seen():
    knock = np.zeros(len(T50))
    knock[1499:1502] = -2.0
    expect(drive(T50, knock), ("braking", 30.0, 0.512))


def test_cornering_has_no_side():
    lat_g = np.where((T10 >= 20) & (T10 < 23), 0.4 * np.sin(2 * np.pi * (T10 - 20) / 3), 0.0)
    expect(drive(T10, 0 * T10, lat_g), ("cornering", 20.75, 0.386))
    expect(drive(T10, 0 * T10, -lat_g), ("cornering", 20.75, 0.386))


def test_kinds_are_found_beside_each_other():
    long_g = -0.5 * half_sine(T10, 20, 2) + 0.4 * half_sine(T10, 27, 1.6)
    lat_g = 0.45 * half_sine(T10, 40, 4)
    expect(
        drive(T10, long_g, lat_g), ("braking", 21.0, 0.490), ("acceleration", 27.8, 0.387), ("cornering", 42.0, 0.448)
    )


def test_order_and_repeated_rows_do_not_matter():
    long_g = -0.5 * half_sine(T10, 20, 2)
    rows = np.random.default_rng(1).permutation(np.concatenate([np.arange(600), np.arange(0, 600, 3)]))
    expect(drive(T10[rows], long_g[rows]), ("braking", 21.0, 0.490))


def test_stamps_of_whole_seconds_at_ten_rows_a_second_are_a_clock_of_one_hertz():
    samples = drive(np.floor(T10), -0.5 * half_sine(T10, 20, 2))
    (event,) = g_events(samples)
    assert (event.kind, event.peak_s) == (EventKind.BRAKING, 21.0)


def test_uneven_steps_are_made_even():
    t_s: FloatArray = np.sort(np.concatenate([T10, T10[::7] + 0.03]))
    expect(drive(t_s, -0.5 * half_sine(t_s, 20, 2)), ("braking", 21.0, 0.490))


def test_nothing_is_carried_across_a_gap():
    gap = (T10 < 21.0) | (T10 > 40.0)
    expect(drive(T10[gap], -0.5 * half_sine(T10[gap], 20, 2)), ("braking", 20.9, 0.4705))
    quiet = np.where(T10 < 30, -0.3, 0.3)[gap]
    assert [event.end_s < 21 or event.start_s > 40 for event in g_events(drive(T10[gap], quiet))] == [True, True]


def test_a_trip_under_half_a_minute_is_judged_by_its_samples_as_they_are():
    samples = drive(times(1, 4), np.array([0.1, -0.5, 0.1, 0.6]))
    expect(samples, ("braking", 1.0, 0.5), ("acceleration", 3.0, 0.6))
    t_s = times(10, 6)
    expect(drive(t_s, np.where(np.arange(60) == 30, -0.5, 0.0)), ("braking", 3.0, 0.5))


def test_missing_values_are_left_out():
    long_g, lat_g = -0.5 * half_sine(T10, 20, 2), 0.45 * half_sine(T10, 40, 4)
    long_g[100:105], lat_g[::2] = math.nan, math.nan
    expect(drive(T10, long_g, lat_g), ("braking", 21.0, 0.490), ("cornering", 42.0, 0.448))
    expect(drive(T10, -0.5 * half_sine(T10, 20, 2), np.full(600, math.nan)), ("braking", 21.0, 0.490))
    assert find_events([drive(T10, np.full(600, math.nan))]) == [[]]


def test_speeding_is_a_peak_of_speed_with_its_extent():
    speed = np.interp(T10, [0, 15, 25, 35, 45, 60], [90, 90, 140, 140, 90, 90])
    samples = Samples(speed, np.zeros(600), t_s=T10)
    (event,) = find_events([samples])[0]
    assert (event.kind, event.speed_kmh, event.peak_g) == (EventKind.SPEEDING, 140.0, None)
    assert (event.start_s, event.end_s) == (pytest.approx(23.0, abs=0.1), pytest.approx(37.0, abs=0.1))


@pytest.mark.parametrize("ripple_kmh", [0.0, 1.0, 4.0])
def test_hours_of_speeding_are_one_event(ripple_kmh: float):
    t_s = times(1, 10_000)
    cruise = np.round(140 + ripple_kmh * np.sin(t_s / 20))
    speed = np.interp(t_s, [0, 300, 600, 9000, 9300, 9600], [0, 90, 140, 140, 90, 0]) + (cruise - 140)
    (event,) = find_events([Samples(np.maximum(speed, 0), np.zeros(10_000), t_s=t_s)])[0]
    assert event.speed_kmh == 140 + ripple_kmh
    assert (event.start_s, event.end_s) == (pytest.approx(540, abs=60), pytest.approx(9060, abs=60))


@pytest.mark.parametrize(("dip_g", "events"), [(0.45, 1), (0.41, 1), (0.39, 2), (0.0, 2)])
def test_equal_humps_are_two_events_only_if_the_pedal_was_let_go_between(dip_g: float, events: int):
    long_g = -np.interp(T10, [20, 21, 22, 24, 26, 27, 28], [0, 0.5, 0.5, dip_g, 0.5, 0.5, 0])
    assert len(g_events(drive(T10, long_g))) == events


@pytest.mark.parametrize(("apart_s", "brakes", "corners"), [(1.8, 1, 1), (2.2, 2, 1), (2.8, 2, 1), (3.2, 2, 2)])
def test_two_actions_of_a_driver_are_two_seconds_apart_and_two_pulls_three(apart_s: float, brakes: int, corners: int):
    pulses = 0.5 * half_sine(T10, 20, 1) + 0.4 * half_sine(T10, 20 + apart_s, 1)
    kinds = [kind for kind, _, _ in peaks(drive(T10, -pulses, pulses))]
    assert (kinds.count("braking"), kinds.count("cornering")) == (brakes, corners)


def test_what_stays_under_the_lowest_threshold_in_use_is_road_noise():
    expect(drive(T10, -0.17 * half_sine(T10, 20, 2)), ("braking", 21.0, 0.166))
    expect(drive(T10, -0.14 * half_sine(T10, 20, 2)))


def test_a_constant_acceleration_for_minutes_is_a_fault_and_no_event():
    t_s = times(10, 300)
    assert g_events(drive(t_s, np.full(3000, -0.5), np.full(3000, 0.5))) == []


@pytest.mark.parametrize("t_s", [None, np.array([0.0])])
def test_a_single_sample_is_an_event_if_it_is_large(t_s: FloatArray | None):
    expect(drive(t_s, np.array([-0.5]), np.array([0.6])), ("braking", 0.0, 0.5), ("cornering", 0.0, 0.6))
    expect(drive(t_s, np.array([0.1])))


def test_an_event_knows_speed_and_place():
    latitude = 50 + T10 / 1000
    latitude[205:215] = math.nan
    samples = replace(drive(T10, -0.5 * half_sine(T10, 20, 2), kmh=72.0), latitude=latitude, longitude=-T10 / 1000)
    (event,) = g_events(samples)
    assert event.speed_kmh == 72.0
    assert event.latitude == pytest.approx(50.021, abs=0.0011)
    assert event.longitude == pytest.approx(-0.021, abs=0.0011)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20), st.lists(st.integers(-10, 60), max_size=10))
def test_the_nearest_time_is_the_one_a_look_at_all_of_them_finds(known: list[int], wanted: list[int]):
    times_s, wanted_s = np.sort(np.array(known, dtype=np.float64)), np.array(wanted, dtype=np.float64) / 2
    for found, second in zip(_nearest(times_s, wanted_s), wanted_s, strict=True):
        assert abs(times_s[found] - second) == np.abs(times_s - second).min()


def test_each_event_has_its_own_place():
    long_g = -0.5 * half_sine(T10, 20, 2) + 0.5 * half_sine(T10, 40, 2)
    samples = replace(drive(T10, long_g), latitude=50 + T10 / 1000, longitude=T10 / 500)
    places = [(event.latitude, event.longitude) for event in g_events(samples)]
    assert places == [pytest.approx((50.021, 0.042)), pytest.approx((50.041, 0.082))]


def test_no_trips_have_no_events():
    assert find_events([]) == []


@pytest.mark.parametrize("with_clock", [True, False])
def test_the_worst_signal_takes_no_quadratic_time(with_clock: bool):  # noqa: FBT001
    count = 200_000
    long_g = np.where(np.arange(count) % 2, 0.5, -0.5)
    t_s = np.arange(count) / 10 if with_clock else None
    started = time.process_time()  # a busy machine is no fault
    find_events([drive(t_s, long_g, long_g)])
    assert time.process_time() - started < 20  # linear: a second; quadratic: minutes
