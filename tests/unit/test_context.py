"""Doubts about events whose truth is known, and the offset's effect on events."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fleetflow.safety.context import CONFIRMING_SUPPORT, Scene, SpeedWorth, context_at, speed_support
from fleetflow.safety.detection import find_events
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.flat import flatten
from fleetflow.safety.peaks import find
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.smoothing import smooth
from fleetflow.safety.tuning import tuning_at
from fleetflow.trips.agreement import G_MS2
from fleetflow.trips.tracks import make_even
from tests.support.pulses import drive, g_events, half_sine, ordinary_drive, times

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray, Samples

T10 = times(10)
T50 = times(50)
TURN_G = 0.45 * half_sine(T10, 20, 4)


def expect(samples: Samples, *expected: tuple[str, float, tuple[str, ...]]) -> None:
    found = [(event.kind.value, event.doubts) for event in g_events(samples)]
    assert found == [(kind, doubts) for kind, _, doubts in expected]
    np.testing.assert_allclose([e.peak_g or 0 for e in g_events(samples)], [g for _, g, _ in expected], atol=0.005)


def the(kind: EventKind, samples: Samples) -> HarshEvent:
    (event,) = (event for event in g_events(samples) if event.kind is kind)
    return event


def turning(samples: Samples, lat_g: FloatArray) -> Samples:
    return replace(samples, g_force_lat=np.pad(lat_g, (0, len(samples) - len(lat_g))))


@pytest.mark.parametrize("side", [1, -1])
def test_braking_at_the_end_of_a_turn_is_the_turn(side: int):
    samples = drive(T10, -0.35 * half_sine(T10, 22.5, 2), side * TURN_G)
    expect(samples, ("cornering", 0.448, ()), ("braking", 0.343, ("turn",)))


def test_braking_before_a_turn_is_braking():
    expect(drive(T10, -0.35 * half_sine(T10, 16, 2), TURN_G), ("braking", 0.343, ()), ("cornering", 0.448, ()))


def test_a_camber_is_no_turn():
    long_g = -0.35 * half_sine(T10, 22.5, 2)
    expect(drive(T10, long_g, 0.2 * TURN_G), ("braking", 0.343, ()))


@pytest.mark.parametrize("askew", [0.3, -0.5])
def test_what_a_device_mounted_askew_feels_sideways_of_a_brake_is_no_turn(askew: float):
    long_g = -sum((0.4 * half_sine(T10, at, 2.5) for at in range(5, 55, 5)), 0 * T10)
    assert {event.doubts for event in g_events(drive(T10, long_g, askew * long_g))} == {()}


@pytest.mark.parametrize("hz", [1, 1.5])
def test_a_turn_at_one_hertz_needs_two_samples_of_one_side(hz: float):
    t_s = times(hz)
    long_g = np.where(np.arange(len(t_s)) == round(22 * hz), -0.35, 0.0)
    lasting, once = np.zeros(len(t_s)), np.zeros(len(t_s))
    lasting[[round(22 * hz) - 2, round(22 * hz) - 1]] = 0.2
    once[round(22 * hz) - 1] = 0.2
    assert the(EventKind.BRAKING, drive(t_s, long_g, lasting)).doubts == ("turn",)
    assert the(EventKind.BRAKING, drive(t_s, long_g, once)).doubts == ()


def test_a_speed_that_follows_confirms_a_brake_in_a_turn():
    event = the(EventKind.BRAKING, turning(ordinary_drive(0.35), TURN_G))
    assert (event.peak_g, event.doubts) == (pytest.approx(0.343, abs=0.005), ())


def test_a_speed_that_does_not_follow_speaks_against_the_brake():
    samples = turning(ordinary_drive(0.35, speed_knows_the_brake=False), TURN_G)
    assert the(EventKind.BRAKING, samples).doubts == ("turn", "unsupported")
    assert the(EventKind.BRAKING, replace(samples, g_force_lat=None)).doubts == ("unsupported",)


@pytest.mark.parametrize(("knows", "support"), [(True, 1.19), (False, 0.00)])
def test_support_is_the_share_of_the_brake_that_the_speed_shows(knows: bool, support: float):  # noqa: FBT001
    tuning, (track,) = tuning_at(10, smoothed=True), make_even(ordinary_drive(0.35, speed_knows_the_brake=knows)).tracks
    flat = flatten([track], tuning.padding)
    flat = replace(flat, long_g=smooth(flat.long_g, flat.inside, tuning.kernel, median=True))
    peaks = find(np.maximum(-flat.long_g, 0), flat, tuning.rule(EventKind.BRAKING))
    for worth in SpeedWorth:
        scene = Scene(flat, np.array([0]), np.zeros(1), np.array([track.step_s]), np.array([worth]))
        found = speed_support(scene, peaks, context_at(10), -1)
        expected = support if worth is SpeedWorth.TRUSTED else np.nan
        np.testing.assert_allclose(found, [expected], atol=0.01)
    assert (support >= CONFIRMING_SUPPORT) is knows


@pytest.mark.parametrize("late_s", [-1, 0, 1, 2])
def test_a_late_speed_supports_as_well(late_s: int):
    samples = turning(ordinary_drive(0.35), TURN_G)
    assert the(EventKind.BRAKING, replace(samples, speed_kmh=np.roll(samples.speed_kmh, 10 * late_s))).doubts == ()


def test_the_sensor_swings_back_after_a_brake():
    brake, push = -0.5 * half_sine(T10, 20, 2), 0.4 * half_sine(T10, 22.3, 1.6)
    expect(drive(T10, brake + push), ("braking", 0.490, ()), ("acceleration", 0.387, ("rebound",)))
    expect(drive(T10, brake + np.roll(push, 47)), ("braking", 0.490, ()), ("acceleration", 0.387, ()))
    expect(drive(T10, 0.4 * brake + push), ("braking", 0.196, ()), ("acceleration", 0.387, ()))
    expect(drive(T10, -brake), ("acceleration", 0.490, ()))


def test_a_knock_of_three_samples_is_a_spike():
    knock = np.zeros(len(T50))
    knock[1499:1502] = -2.0
    expect(drive(T50, knock), ("braking", 0.512, ("spike",)))
    expect(drive(T50, 0 * knock, knock), ("cornering", 0.512, ("spike",)))
    slow_rate = drive(times(5), np.where(np.arange(300) == 150, -0.8, 0.0))
    assert [event.doubts for event in g_events(slow_rate)] == [()]


def test_manoeuvring_is_no_driving():
    samples = drive(T10, -0.4 * half_sine(T10, 10, 1.5), 0.3 * half_sine(T10, 40, 3))
    expect(replace(samples, speed_kmh=np.where(T10 < 30, 6.0, 50.0)), ("braking", 0.386, ("slow",)),
           ("cornering", 0.297, ()))  # fmt: skip


def test_a_stop_is_no_manoeuvring():
    speed_ms = np.maximum(40 / 3.6 - 0.5 * G_MS2 * np.maximum(T10 - 20, 0), 0)
    braking = (T10 >= 20) & (speed_ms > 0)
    expect(replace(drive(T10, np.where(braking, -0.5, 0.0)), speed_kmh=3.6 * speed_ms), ("braking", 0.500, ()))


@pytest.mark.parametrize("kmh", [0.0, 5.0, 50.0])
def test_a_speed_that_never_changes_proves_nothing(kmh: float):
    samples = drive(T10, -0.5 * half_sine(T10, 20, 2), kmh=kmh)
    expect(samples, ("braking", 0.490, ()))
    unknown = replace(samples, speed_kmh=np.full(600, np.nan))
    assert [event.peak_g for event in g_events(unknown)] == [event.peak_g for event in g_events(samples)]


def test_mounting_comes_off_where_the_speed_shows_it():
    samples = ordinary_drive(0.40)
    tilted = replace(samples, g_force_long=samples.g_force_long + 0.06, g_force_lat=np.full(1800, -0.05))
    expect(tilted, ("braking", 0.392, ()))
    constant = replace(tilted, speed_kmh=np.full(1800, 14 * 3.6))
    expect(constant, ("braking", 0.332, ()), ("acceleration", 0.180, ()), ("acceleration", 0.180, ()))


def test_a_trip_too_short_for_context_has_its_peaks_only():
    t_s = times(50, 20)
    knock = np.where((np.arange(1000) >= 500) & (np.arange(1000) < 503), -2.0, 0.0)
    expect(drive(t_s, knock, kmh=3.0), ("braking", 2.0, ()))
    expect(drive(None, knock, kmh=3.0), ("braking", 2.0, ()))


def test_a_doubtful_event_is_kept_and_does_not_count():
    (events,) = find_events([drive(T10, -0.6 * half_sine(T10, 22.5, 2), 2 * TURN_G)])
    (brake,) = (event for event in events if event.kind is EventKind.BRAKING)
    assert brake.doubts == ("turn",)
    assert not DEFAULT_PROFILE.is_harsh(brake)
    assert DEFAULT_PROFILE.is_harsh(replace(brake, doubts=()))
