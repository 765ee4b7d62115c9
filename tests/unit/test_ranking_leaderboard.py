"""The table of drivers: who is ranked, who is not and why, and that it holds still."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.safety.ranking.days import UNDATED, DriverDays
from fleetflow.safety.ranking.fit import Method
from fleetflow.safety.ranking.leaderboard import NO_RANK, Certainty, Leaderboard, Status, rank_drivers


def made_up(seed: int, drivers: int, trips: int = 30) -> DriverDays:
    """Drivers with up to so many trips in four weeks, 2 events of 5 points per 100 km on average."""
    rng = np.random.default_rng(seed)
    driver = np.repeat(np.arange(drivers), rng.integers(1, trips + 1, drivers))
    km = rng.lognormal(np.log(16), 0.8, len(driver))
    points = 5.0 * rng.poisson(rng.gamma(2, 1, drivers)[driver] * km / 100)
    return DriverDays(drivers, driver, rng.integers(0, 28, len(driver)), points, km, km / 40)


def board(days: DriverDays, **options) -> Leaderboard:
    return rank_drivers(days, psi0=5, **options)


def row_of(days: DriverDays, **trips) -> DriverDays:
    """One driver more, the last, with these trips."""
    count = len(trips["points"])
    known = {"day": np.arange(count), "hours": np.ones(count), "driver": np.full(count, days.drivers)} | trips
    columns = {name: np.append(getattr(days, name), known[name]) for name in
               ("driver", "day", "points", "distance_km", "hours")}  # fmt: skip
    return DriverDays(days.drivers + 1, **columns)


def test_the_worst_come_first_and_by_their_means():
    found = board(made_up(1, 60))
    assert found.fit.method is Method.FLEET
    assert 10 < len(found.order) < 60
    assert (np.diff(found.mean[found.order]) <= 0).all()
    assert found.rank[found.order].tolist() == sorted(found.rank[found.order].tolist())
    assert found.rank[found.order[0]] == 1


def test_ranked_are_those_whose_own_data_weigh_more():
    found = board(made_up(1, 60))
    ranked = found.status == Status.RANKED
    seen = (found.trips >= 3) & (found.days >= 2)
    np.testing.assert_array_equal(ranked, seen & (found.reliability >= 0.5))
    assert sorted(found.order.tolist()) == np.flatnonzero(ranked).tolist()
    assert (found.rank[~ranked] == NO_RANK).all()
    assert (found.certainty[~ranked] == Certainty.NONE).all()
    good = found.certainty == Certainty.GOOD
    np.testing.assert_array_equal(good, ranked & (found.reliability >= 0.8))
    assert set(found.certainty[ranked]) == {Certainty.GOOD, Certainty.ROUGH}


def test_how_far_a_driver_is_from_a_rank():
    found = board(made_up(1, 60))
    waiting = (found.status == Status.NOT_ENOUGH) & (found.reliability < 0.5)
    assert waiting.any()
    needed = 100 * found.fit.distance_needed_100km - found.distance_km
    np.testing.assert_allclose(found.km_needed[waiting], needed[waiting])
    assert not found.km_needed[found.status == Status.RANKED].any()


def test_whoever_drives_what_is_missing_is_ranked_then():
    """Of one fit the distance is exact; a little more driving moves the fit a little."""
    days = row_of(made_up(1, 60), points=np.array([5.0, 0, 0]), distance_km=np.full(3, 5.0))
    before = board(days)
    assert before.status[-1] is Status.NOT_ENOUGH
    further = days.distance_km.copy()
    further[-3:] += 1.2 * before.km_needed[-1] / 3
    assert board(replace(days, distance_km=further)).status[-1] is Status.RANKED


@pytest.mark.parametrize(
    ("day", "status"),
    [
        pytest.param([3, 3, 3], Status.NOT_ENOUGH, id="one day"),
        pytest.param([3, 3, 4], Status.RANKED, id="two days"),
        pytest.param([3, 4], Status.NOT_ENOUGH, id="two trips"),
        pytest.param([3, UNDATED, UNDATED], Status.RANKED, id="days nobody knows"),
    ],
)
def test_a_rank_needs_three_trips_on_two_days(day: list[int], status: Status):
    days = row_of(made_up(1, 60), points=np.full(len(day), 10.0), distance_km=np.full(len(day), 500.0),
                  day=np.array(day))  # fmt: skip
    found = board(days)
    assert found.status[-1] is status
    assert found.reliability[-1] > 0.8
    assert found.km_needed[-1] == 0


def test_a_driver_who_drove_nothing_is_unknown_and_neither_good_nor_bad():
    found = board(replace(made_up(1, 60), drivers=61))
    assert found.status[-1] is Status.UNKNOWN
    assert np.isnan([found.raw[-1], found.mean[-1], found.worse_half[-1]]).all()
    assert found.km_needed[-1] == pytest.approx(100 * found.fit.distance_needed_100km)


def test_a_ranked_driver_stays_a_little_longer():
    days = made_up(1, 200)
    found = board(days)
    between = (found.reliability < 0.5) & (found.reliability >= 0.4) & (found.trips >= 3) & (found.days >= 2)
    assert between.any()
    kept = board(days, previously_ranked=np.ones(200, dtype=bool))
    assert (kept.status[between] == Status.RANKED).all()
    assert not (kept.status[found.reliability < 0.4] == Status.RANKED).any()
    assert not (board(days, previously_ranked=np.zeros(200, dtype=bool)).status[between] == Status.RANKED).any()


def test_the_fleets_own_minimum_is_kept():
    days = made_up(1, 60)
    found = board(days, minimum_km=400)
    short = found.distance_km < 400
    assert not (found.status[short] == Status.RANKED).any()
    assert (found.km_needed[short] >= 400 - found.distance_km[short]).all()
    np.testing.assert_array_equal(found.mean, board(days).mean)  # the fit is on all


def test_a_wild_start_is_an_early_sign_and_no_rank():
    days = row_of(made_up(1, 200), points=np.full(3, 15.0), distance_km=np.full(3, 12.0))
    found = board(days)
    assert found.reliability[-1] < 0.5
    assert found.worse_half[-1] >= 0.95
    assert found.status[-1] is Status.EARLY_SIGN
    assert found.rank[-1] == NO_RANK
    in_one_day = board(replace(days, day=np.append(days.day[:-3], [1, 1, 1])))
    assert in_one_day.status[-1] is Status.NOT_ENOUGH


def test_mostly_imputed_distance_is_rough_at_best():
    days = row_of(made_up(1, 60), points=np.full(4, 50.0), distance_km=np.array([400, np.nan, np.nan, np.nan]),
                  hours=np.full(4, 10.0))  # fmt: skip
    found = board(days)
    assert found.imputed_share[-1] > 0.5
    assert found.reliability[-1] > 0.8
    assert found.certainty[-1] is Certainty.ROUGH


def test_raw_is_points_over_distance():
    days = row_of(made_up(1, 60), points=np.array([5.0, 10, 0]), distance_km=np.full(3, 50.0))
    assert board(days).raw[-1] == pytest.approx(10)


def test_a_fleet_too_small_has_raw_figures_and_no_ranks():
    found = board(made_up(1, 2))
    assert found.fit.method is Method.FALLBACK
    assert set(found.status) == {Status.NOT_ENOUGH}
    assert np.isfinite(found.raw).all()
    assert np.isnan(found.worse_half).all()
    assert np.isnan(found.km_needed).all()
    assert len(found.order) == 0


def test_nobody_at_all():
    none, nobody = np.zeros(0), np.zeros(0, dtype=np.intp)
    assert len(board(DriverDays(0, nobody, nobody, none, none, none)).order) == 0


def test_the_same_points_on_fewer_days_prove_less():
    days = made_up(1, 60)
    rng = np.random.default_rng(2)
    heavy = np.zeros(len(days.points))
    for driver in range(days.drivers):
        mine = np.flatnonzero(days.driver == driver)
        heavy[rng.choice(mine)] = days.points[mine].sum()
    calm, bunched = board(days), board(replace(days, points=heavy))
    assert bunched.fit.psi > 2 * calm.fit.psi
    assert (bunched.reliability < calm.reliability).all()


def columns(found: Leaderboard):
    return {each.name: getattr(found, each.name) for each in fields(found) if each.name not in {"fit", "order", "psi0"}}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40), st.randoms(use_true_random=False))
def test_renaming_drivers_and_shuffling_trips_changes_nothing(seed: int, drivers: int, shuffled):
    days = made_up(seed, drivers)
    new_number = np.array(shuffled.sample(range(drivers), drivers))
    order = np.array(shuffled.sample(range(len(days.driver)), len(days.driver)))
    names = ("day", "points", "distance_km", "hours")
    other = DriverDays(drivers, new_number[days.driver[order]], *(getattr(days, name)[order] for name in names))
    there, here = columns(board(days)), columns(board(other))
    for name in ("mean", "low", "high", "reliability", "raw", "worse_half", "km_needed"):
        np.testing.assert_allclose(here[name][new_number], there[name], rtol=1e-6, atol=1e-9, err_msg=name)
    for name in ("rank", "tied", "status", "certainty"):
        assert here[name][new_number].tolist() == there[name].tolist(), name


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 5))
def test_dearer_events_scale_the_figures_and_leave_the_ranks(seed: int, factor: float):
    days = made_up(seed, 30)
    plain = board(days)
    dear = rank_drivers(replace(days, points=factor * days.points), psi0=factor * 5)
    np.testing.assert_allclose(dear.mean, factor * plain.mean, rtol=1e-6)
    np.testing.assert_array_equal(dear.rank, plain.rank)
    np.testing.assert_array_equal(dear.status, plain.status)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 40))
def test_intervals_hold_what_they_are_of(seed: int, drivers: int):
    found = board(made_up(seed, drivers))
    at = found.order
    assert (found.low < found.mean).all()
    assert (found.mean < found.high).all()
    assert ((found.rank_low[at] <= found.rank[at]) & (found.rank[at] <= found.rank_high[at])).all()
    assert (found.rank_high[at] <= len(at)).all()


@pytest.mark.parametrize("drivers", [200, 1500])
def test_two_runs_give_identical_bytes(drivers: int):
    days = made_up(7, drivers)
    first, second = (columns(board(days)) for _ in range(2))
    for name, column in first.items():
        if column.dtype == object:
            assert column.tolist() == second[name].tolist()
        else:
            assert column.tobytes() == second[name].tobytes(), name
