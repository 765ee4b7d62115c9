"""Signals that are as they should be, and each way in which they are not."""

from __future__ import annotations

import math
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from fleetflow.simulator import Sensors, Temper, simulate_trip
from fleetflow.trips.agreement import G_MS2
from fleetflow.trips.quality import Finding, Quality, Verdict, judge
from fleetflow.trips.samples import Samples
from tests.support.drives import MPH_PER_S_IN_G, brazil_trips, chicago_trips
from tests.support.pulses import ordinary_drive

GOOD, DOUBTFUL, UNUSABLE = Verdict


def simulated(hz: float = 10, **sensors: float) -> Samples:
    return simulate_trip(
        np.random.default_rng(1), vehicle_id=uuid.uuid4(), driver_id=uuid.uuid4(), temper=Temper.of_roughness(0.8),
        duration_s=900, hz=hz, sensors=Sensors(**sensors), started_at=datetime(2026, 1, 1, tzinfo=UTC),
    ).trip.samples  # fmt: skip


def times(factor: float, samples: Samples) -> Samples:
    return replace(samples, g_force_long=samples.g_force_long * factor)


def found(quality: Quality) -> list[tuple[Finding, Verdict]]:
    return [(reason.finding, reason.verdict) for reason in quality.reasons]


@pytest.mark.parametrize("hz", [5, 10, 25, 50])
def test_a_simulated_drive_is_good(hz: float):
    assert judge(simulated(hz, noise_g=0.03)) == Quality(())
    assert judge(simulated(hz)).verdict is GOOD


@pytest.mark.parametrize(
    ("factor", "unit"), [(G_MS2, "m/s2"), (MPH_PER_S_IN_G, "mph/s"), (G_MS2 * 3.6, "km/h/s"), (1000, "milli-g")]
)
def test_a_wrong_unit_is_named(factor: float, unit: str):
    quality = judge(times(factor, ordinary_drive(0.4)))
    assert quality.verdict is UNUSABLE
    assert quality.reasons[0].finding is Finding.WRONG_UNIT
    assert f"in {unit}," in quality.reasons[0].text


@pytest.mark.parametrize(
    ("factor", "why"),
    [
        (MPH_PER_S_IN_G / G_MS2, "it was in mph/s and was taken for m/s2"),
        (3.6, "it was in km/h/s and was taken for m/s2"),
        (5, "its scale is wrong"),
        (1 / G_MS2, "its scale is wrong"),
    ],
)
def test_a_wrong_scale_is_told_with_what_made_it_where_that_is_known(factor: float, why: str):
    quality = judge(times(factor, ordinary_drive(0.4)))
    assert found(quality) == [(Finding.WRONG_SCALE, UNUSABLE)]
    assert quality.reasons[0].text == f"The acceleration is {factor:.1f} times what the speed shows: {why}."


def test_a_sensor_that_gives_nothing_is_unusable():
    assert found(judge(times(0, simulated())))[0] == (Finding.FLAT, UNUSABLE)
    parked = replace(times(0, ordinary_drive(0.4)), speed_kmh=np.zeros(1800))
    assert found(judge(parked)) == [(Finding.NOT_CHECKABLE, DOUBTFUL)]


@pytest.mark.parametrize(
    ("off_g", "way", "expected"),
    [
        (0.04, "along", []),
        (0.08, "along", [(Finding.BIAS, GOOD)]),
        (-0.2, "along", [(Finding.BIAS, DOUBTFUL)]),
        (0.08, "across", [(Finding.BIAS, GOOD)]),
        (-0.2, "across", [(Finding.BIAS, DOUBTFUL)]),
    ],
)
def test_a_tilt_is_told_with_its_size_and_doubted_where_it_is_more_than_comes_off(
    off_g: float, way: str, expected: list[tuple[Finding, Verdict]]
):
    samples = ordinary_drive(0.4)
    if way == "along":
        quality = judge(replace(samples, g_force_long=samples.g_force_long + off_g))
    else:
        quality = judge(replace(samples, g_force_lat=np.full(1800, off_g)))
    assert found(quality) == expected
    assert all(f"{way} the vehicle is off by {off_g:+.2f} g" in reason.text for reason in quality.reasons)


def held(samples: Samples, seconds: float) -> Samples:
    """With a speed that is renewed only so often; at 10 Hz."""
    rows = np.arange(len(samples)) // round(10 * seconds) * round(10 * seconds)
    return replace(samples, speed_kmh=samples.speed_kmh[rows])


def test_a_stale_speed_is_told_with_how_often_it_is_renewed():
    assert found(judge(simulated())) == []
    quality = judge(held(simulated(), 2.0))
    assert found(quality) == [(Finding.STALE_SPEED, GOOD)]
    assert quality.reasons[0].text.startswith("The speed is renewed every 2 s, samples come every 0.1 s")


@pytest.mark.parametrize(("seconds", "verdict"), [(0.1, None), (2.0, GOOD), (4.0, UNUSABLE)])
def test_a_speed_too_stale_to_find_events_in_is_unusable_where_there_is_nothing_else(
    seconds: float, verdict: Verdict | None
):
    quality = judge(replace(held(simulated(), seconds), g_force_long=np.full(9000, math.nan)))
    expected = [(Finding.ESTIMATED, GOOD)] + ([] if verdict is None else [(Finding.STALE_SPEED, verdict)])
    assert sorted(found(quality)) == sorted(expected)


def test_a_speed_that_no_vehicle_has_is_doubtful_and_unusable_where_the_acceleration_was_made_of_it():
    samples = simulated(1)
    jumped = samples.speed_kmh.copy()
    jumped[400] = 390.0
    made_of_it = np.gradient(jumped / 3.6) / G_MS2
    assert found(judge(replace(samples, speed_kmh=jumped)))[0] == (Finding.SPEED_JUMP, DOUBTFUL)
    assert found(judge(replace(samples, speed_kmh=jumped, g_force_long=made_of_it)))[0][1] is UNUSABLE
    no_sensor = replace(samples, speed_kmh=jumped, g_force_long=np.full(900, math.nan))
    assert found(judge(no_sensor))[0] == (Finding.SPEED_JUMP, UNUSABLE)


def test_real_drives_are_in_g_and_their_raw_columns_are_named():
    for trips, factor, unit in ((chicago_trips(), MPH_PER_S_IN_G, "mph/s"), (brazil_trips(), G_MS2, "m/s2")):
        raw = [judge(times(factor, real.trip.samples)) for real in trips]
        named = [quality for quality in raw if quality.reasons[0].finding is Finding.WRONG_UNIT]
        assert all(f"in {unit}," in quality.reasons[0].text for quality in named)
        assert all(quality.reasons[0].finding is Finding.UNIT_SUSPECTED for quality in raw if quality not in named)
        assert len(named) >= 0.95 * len(raw)
        findings = {reason.finding for real in trips for reason in judge(real.trip.samples).reasons}
        assert findings <= {Finding.COARSE, Finding.GAPS}
        assert all(judge(real.trip.samples).verdict is not UNUSABLE for real in trips)


@pytest.mark.parametrize(("factor", "verdict"), [(1, None), (G_MS2, DOUBTFUL), (1000, UNUSABLE)])
def test_a_unit_that_no_speed_can_check_is_suspected(factor: float, verdict: Verdict | None):
    samples = replace(times(factor, ordinary_drive(0.4)), speed_kmh=np.full(1800, 50.0))
    expected = [(Finding.NOT_CHECKABLE, DOUBTFUL)]
    if verdict is not None:
        expected.append((Finding.UNIT_SUSPECTED, verdict))
    assert sorted(found(judge(samples))) == sorted(expected)


def test_a_reversed_sign_is_unusable():
    assert found(judge(times(-1, simulated())))[0] == (Finding.REVERSED, UNUSABLE)


def test_another_axis_is_doubtful():
    samples = simulated()
    assert samples.g_force_lat is not None
    assert (Finding.WRONG_AXIS, DOUBTFUL) in found(judge(replace(samples, g_force_long=samples.g_force_lat)))


@pytest.mark.parametrize("speed", [np.full(1800, math.nan), np.full(1800, 50.0), np.zeros(1800)])
def test_a_filler_speed_cannot_check_anything(speed: np.ndarray):
    assert found(judge(replace(ordinary_drive(0.4), speed_kmh=speed))) == [(Finding.NOT_CHECKABLE, DOUBTFUL)]


@pytest.mark.parametrize(("lost", "verdict"), [(0.05, None), (0.2, DOUBTFUL), (0.6, UNUSABLE)])
def test_gaps_are_the_share_of_the_trip_that_nobody_saw(lost: float, verdict: Verdict | None):
    samples = ordinary_drive(0.4)
    long_g = samples.g_force_long.copy()
    long_g[100 : 100 + round(lost * 1800)] = math.nan
    gaps = [each for each in found(judge(replace(samples, g_force_long=long_g))) if each[0] is Finding.GAPS]
    assert gaps == ([] if verdict is None else [(Finding.GAPS, verdict)])


def test_a_sensor_that_stops_at_its_limit_is_noted():
    samples = ordinary_drive(0.4)
    clipped = samples.g_force_long.copy()
    clipped[300:303] = clipped[900:903] = 0.7
    assert found(judge(replace(samples, g_force_long=clipped))) == [(Finding.CLIPPED, GOOD)]
    clipped[900:903] = 0.6
    assert found(judge(replace(samples, g_force_long=clipped))) == []


def test_a_loose_mount_shakes():
    samples = ordinary_drive(0.4)
    noise = np.random.default_rng(1).normal(size=1800)
    assert found(judge(replace(samples, g_force_long=samples.g_force_long + 0.05 * noise))) == []
    shaken = judge(replace(samples, g_force_long=samples.g_force_long + 0.3 * noise))
    assert (Finding.SHAKEN, DOUBTFUL) in found(shaken)


def test_a_trip_without_a_clock_is_doubtful():
    assert found(judge(replace(ordinary_drive(0.4), t_s=None))) == [(Finding.NO_CLOCK, DOUBTFUL)]
    assert judge(Samples(np.array([50.0]), np.array([math.nan]), t_s=np.array([0.0]))).verdict is DOUBTFUL


@pytest.mark.parametrize(
    ("hz", "expected"), [(5, []), (1, [(Finding.COARSE, GOOD)]), (0.25, [(Finding.COARSE, UNUSABLE)])]
)
def test_too_few_samples_a_second_hide_events(hz: float, expected: list[tuple[Finding, Verdict]]):
    rows = np.arange(0, 1800, round(10 / hz))
    samples = ordinary_drive(0.4)
    assert samples.t_s is not None
    few = Samples(samples.speed_kmh[rows], samples.g_force_long[rows], t_s=samples.t_s[rows])
    assert [each for each in found(judge(few)) if each[0] is Finding.COARSE] == expected


def test_the_gravest_reason_comes_first():
    quality = judge(times(-1, replace(simulated(), g_force_lat=None)))
    ranks = [list(Verdict).index(reason.verdict) for reason in quality.reasons]
    assert ranks == sorted(ranks, reverse=True)
    assert quality.verdict is quality.reasons[0].verdict
