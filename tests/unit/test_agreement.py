"""Acceleration against speed: trips that agree, that do not, and whose unit or sign is wrong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.trips.agreement import G_MS2, Agreement, agreement, is_evidence
from fleetflow.trips.samples import Samples
from tests.support.drives import MPH_PER_S_IN_G, RealTrip, brazil_trips, chicago_trips, needs_real_drives
from tests.support.pulses import ordinary_drive


def felt_as(factor: float, samples: Samples) -> Samples:
    return replace(samples, g_force_long=samples.g_force_long * factor)


@pytest.mark.parametrize(("speed_knows_the_brake", "r", "ratio"), [(True, 1.00, 1.00), (False, 0.86, 1.16)])
def test_a_drive_whose_speed_follows_is_trusted(speed_knows_the_brake: bool, r: float, ratio: float):  # noqa: FBT001
    found = agreement(ordinary_drive(0.35, speed_knows_the_brake=speed_knows_the_brake))
    assert found.trusted
    assert (found.r, found.ratio) == (pytest.approx(r, abs=0.005), pytest.approx(ratio, abs=0.005))


def test_an_offset_changes_nothing():
    samples = ordinary_drive(0.40)
    shifted = replace(samples, g_force_long=samples.g_force_long + 0.06)
    assert agreement(shifted).r == pytest.approx(agreement(samples).r)
    assert agreement(shifted).ratio == pytest.approx(agreement(samples).ratio)


@pytest.mark.parametrize(("factor", "ratio", "r"), [(9.80665, 9.8, 1), (21.94, 21.9, 1), (1000, 1000, 1), (-1, 1, -1)])
def test_a_wrong_unit_or_sign_is_not_trusted(factor: float, ratio: float, r: float):
    found = agreement(felt_as(factor, ordinary_drive(0.40)))
    assert found.judged
    assert not found.trusted
    assert (found.r, found.ratio) == (pytest.approx(r, abs=0.005), pytest.approx(ratio, rel=0.005))


@pytest.mark.parametrize("late_s", [-2, -1, 0, 1, 2])
def test_a_speed_that_comes_late_is_trusted_and_the_delay_is_known(late_s: int):
    samples = ordinary_drive(0.40)
    found = agreement(replace(samples, speed_kmh=np.roll(samples.speed_kmh, late_s * 10)))
    assert found.trusted
    assert found.lag_s == late_s


def test_whole_kilometres_an_hour_once_a_second_are_enough():
    samples = ordinary_drive(0.40)
    sparse = np.where(np.arange(1800) % 10 == 0, np.round(samples.speed_kmh), math.nan)
    assert agreement(replace(samples, speed_kmh=sparse)).trusted


def test_windows_across_a_gap_do_not_count():
    samples = ordinary_drive(0.40)
    assert samples.t_s is not None
    rows = (samples.t_s < 80) | (samples.t_s > 90)
    cut = Samples(samples.speed_kmh[rows] + np.where(samples.t_s[rows] > 85, 40, 0), samples.g_force_long[rows],
                  t_s=samples.t_s[rows])  # fmt: skip
    assert agreement(samples).windows - agreement(cut).windows >= 10
    assert agreement(cut).r == pytest.approx(1.0, abs=0.01)


def test_standing_still_says_nothing():
    samples = ordinary_drive(0.40)
    parked = np.concatenate([np.full(3000, samples.speed_kmh[0]), samples.speed_kmh])
    parked[:2900] = 0.0
    long_g = np.concatenate([np.full(3000, 0.02), samples.g_force_long])
    found = agreement(Samples(parked, long_g, t_s=np.arange(4800) / 10))
    assert found.windows < agreement(samples).windows + 20


def test_too_little_driving_is_not_judged():
    short = ordinary_drive(0.40, duration_s=60)
    constant = replace(ordinary_drive(0.40), speed_kmh=np.full(1800, 50.0))
    unclocked = replace(short, t_s=None)
    empty = Samples(np.array([math.nan]), np.array([0.1]), t_s=np.array([0.0]))
    for samples in (short, constant, unclocked, empty):
        assert not agreement(samples).judged
        assert not agreement(samples).trusted
    assert agreement(unclocked) == Agreement()


def test_order_and_repeated_rows_do_not_matter():
    samples = ordinary_drive(0.40)
    rows = np.random.default_rng(1).permutation(np.concatenate([np.arange(1800), np.arange(0, 1800, 3)]))
    assert samples.t_s is not None
    shuffled = Samples(samples.speed_kmh[rows], samples.g_force_long[rows], t_s=samples.t_s[rows])
    assert agreement(shuffled) == agreement(samples)


def test_a_filler_value_is_no_evidence():
    assert not is_evidence(np.array([50.0, 50.4, math.nan]))
    assert not is_evidence(np.full(3, math.nan))
    assert is_evidence(np.array([50.0, 53.0]))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([1.0, 2.0, 10.0, 25.0]))
def test_turning_the_sensor_around_turns_the_sign_and_nothing_else(seed: int, hz: float):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 200 * hz))
    samples = Samples(rng.uniform(0, 50, size), rng.normal(0, 0.2, size), t_s=np.arange(size) / hz)
    one, turned = agreement(samples), agreement(felt_as(-1.0, samples))
    assert (turned.windows, turned.ratio, turned.r) == (one.windows, one.ratio, None if one.r is None else -one.r)


@needs_real_drives
def test_real_drives_agree_in_their_unit_and_show_the_factor_in_another():
    ratios = {name: [] for name in ("chicago", "brazil")}
    for name, trips, factor in (("chicago", chicago_trips(), MPH_PER_S_IN_G), ("brazil", brazil_trips(), G_MS2)):
        for real in trips:
            found, raw = _both(real, factor)
            if raw.judged:
                ratios[name].append(raw.ratio)
                assert found.trusted, real.name
    assert [len(each) for each in ratios.values()] == [104, 8]
    assert 21.0 < min(ratios["chicago"]) <= max(ratios["chicago"]) < 22.0
    assert 9.4 < min(ratios["brazil"]) <= max(ratios["brazil"]) < 9.8


def _both(real: RealTrip, factor: float) -> tuple[Agreement, Agreement]:
    return agreement(real.trip.samples), agreement(felt_as(factor, real.trip.samples))
