"""Movement between periods: worked examples, the rule for badges, and fleets in which nothing changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.safety.ranking.movement import CHANGES, Badge, Movement, Pairs, _weights, movement


def pair(events_1: float, exposure_1: float, events_2: float, exposure_2: float) -> Pairs:
    return Pairs(*(np.array([value]) for value in (events_1, exposure_1, events_2, exposure_2)))


def fleet(seed: int, drivers: int, change: float = 1.0, km: float = 600) -> Movement:
    """2 events of 5 points per 100 km; every driver's rate changes by the factor, and nobody more than another."""
    rng = np.random.default_rng(seed)
    exposure = rng.lognormal(np.log(km / 100), 0.8, (2, drivers))
    rate = rng.gamma(2, 1, drivers)
    points = 5.0 * rng.poisson(rate * exposure * np.array([[1], [change]]))
    return movement(points[0], exposure[0], points[1], exposure[1], psi=5)


def test_twelve_events_in_400_km_then_four():
    driver = pair(12, 4, 4, 4)
    assert driver.share()[0] == 0.5
    assert np.sum(driver.prior(0.3)) == pytest.approx(43.44, rel=1e-3)
    assert driver.below(0.3)[0] == pytest.approx(0.8523, rel=1e-3)
    assert driver.below(0.3, 0.9)[0] == pytest.approx(0.7399, rel=1e-3)


def test_events_that_come_in_twos_prove_less_and_more_of_them_more():
    assert pair(6, 4, 2, 4).below(0.3)[0] == pytest.approx(0.7131, rel=1e-3)
    assert pair(30, 10, 10, 10).below(0.3)[0] == pytest.approx(0.9865, rel=1e-3)


def test_a_wild_change_leaves_no_less_than_no_prior():
    assert np.sum(pair(1, 1, 1, 1).prior(5.0)) == pytest.approx(0.05)


def test_before_any_proof_changes_are_of_the_usual_size():
    weight = _weights(pair(0.1, 1, 0.1, 1))
    assert np.exp(weight @ np.log(CHANGES)) == pytest.approx(0.3, rel=0.15)


def test_where_everybody_halved_nobody_improved_beyond_the_fleet():
    halved = fleet(1, 200, change=0.5)
    assert halved.fleet_ratio == pytest.approx(0.5, rel=0.1)
    assert np.mean(halved.badge != Badge.UNPROVEN) < 0.02


def test_where_nothing_changed_hardly_anybody_has_a_badge():
    badges = np.concatenate([fleet(seed, 200).badge for seed in range(10)])
    assert np.mean(badges != Badge.UNPROVEN) < 0.01


def test_real_changes_are_found_where_there_is_much_driving():
    rng = np.random.default_rng(3)
    exposure, factor = np.full((2, 100), 60.0), np.ones(100)
    factor[:10], factor[10:20] = 0.4, 2.2
    points = 5.0 * rng.poisson(rng.gamma(8, 0.25, 100) * exposure * np.array([np.ones(100), factor]))
    found = movement(points[0], exposure[0], points[1], exposure[1], psi=5)
    assert np.count_nonzero(found.badge[:10] == Badge.IMPROVED) >= 9
    assert np.count_nonzero(found.badge[10:20] == Badge.WORSE) >= 9
    assert np.count_nonzero(found.badge[20:] != Badge.UNPROVEN) <= 4


def changed(others: int, events_2: float) -> Movement:
    """One driver with 40 events and then fewer, among others of whom every other one has more and the rest less."""
    first = np.full(others + 1, 40.0)
    second = np.append(events_2, np.resize([24.0, 60.0], others))
    return movement(first, np.full(others + 1, 20.0), second, np.full(others + 1, 20.0), psi=1)


def test_a_small_fleet_needs_more_proof():
    small, large = changed(others=38, events_2=22), changed(others=39, events_2=22)
    for found in (small, large):
        assert found.fell_clearly[0] >= 0.9
        assert found.fell[0] < 0.99
    assert (small.badge[0], large.badge[0]) == (Badge.UNPROVEN, Badge.IMPROVED)
    assert changed(others=38, events_2=15).badge[0] is Badge.IMPROVED


def test_who_drove_in_one_period_only_cannot_have_moved():
    found = movement(
        np.array([10.0, 5, 5]), np.array([1.0, 0, 2]), np.array([5.0, 10, 5]), np.array([1.0, 1, 0]), psi=5
    )  # fmt: skip
    assert np.isfinite(found.fell).tolist() == [True, False, False]
    assert found.badge.tolist() == [Badge.UNPROVEN] * 3


@pytest.mark.parametrize("points", [([0.0, 0], [5.0, 5]), ([5.0, 5], [0.0, 0]), ([], [])])
def test_a_period_without_events_tells_nothing(points):
    first, second = (np.array(each) for each in points)
    found = movement(first, np.ones(len(first)), second, np.ones(len(first)), psi=5)
    assert np.isnan(found.fleet_ratio)
    assert np.isnan(found.fell).all()
    assert set(found.badge) <= {Badge.UNPROVEN}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60))
def test_chances_are_chances_and_a_clear_change_is_a_change(seed: int, drivers: int):
    rng = np.random.default_rng(seed)
    exposure = rng.lognormal(0, 1, (2, drivers))
    points = 5.0 * (1 + rng.poisson(2 * exposure))
    found = movement(points[0], exposure[0], points[1], exposure[1], psi=5)
    np.testing.assert_allclose(found.fell + found.rose, 1)
    for clearly, at_all in ((found.fell_clearly, found.fell), (found.rose_clearly, found.rose)):
        assert ((clearly >= 0) & (clearly <= at_all) & (at_all <= 1)).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60))
def test_the_periods_the_other_way_round_give_the_opposite(seed: int, drivers: int):
    rng = np.random.default_rng(seed)
    exposure = rng.lognormal(0, 1, (2, drivers))
    points = 5.0 * (1 + rng.poisson(2 * exposure))
    there = movement(points[0], exposure[0], points[1], exposure[1], psi=5)
    back = movement(points[1], exposure[1], points[0], exposure[0], psi=5)
    np.testing.assert_allclose(back.rose, there.fell, atol=1e-6)
    assert back.fleet_ratio * there.fleet_ratio == pytest.approx(1)
