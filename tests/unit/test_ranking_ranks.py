"""Ranks and how surely: the example of five, draws as a witness, ties, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.safety.ranking import uncertainty
from fleetflow.safety.ranking.fit import Fit, fit
from fleetflow.safety.ranking.ranks import rank, worse_than
from fleetflow.safety.ranking.uncertainty import expected_rank, rank_uncertainty


def fleet(seed: int, drivers: int) -> Fit:
    rng = np.random.default_rng(seed)
    exposure = np.exp(rng.uniform(np.log(0.5), np.log(30), drivers))
    points = 5.0 * rng.poisson(rng.gamma(2, 1, drivers) * exposure)
    points[0] += 15
    return fit(points, exposure, psi=5)


fleets = st.builds(fleet, st.integers(0, 10**6), st.integers(3, 40))


def one(value: float):
    return np.array([value])


@pytest.mark.parametrize(
    ("first", "second", "chance"),
    [
        pytest.param((4, 1), (7, 4), 0.8791, id="flat"),
        pytest.param((3.5, 1), (6.5, 4), 0.8435, id="Jeffreys"),
        pytest.param((5, 2), (8, 5), 0.7604, id="a fleet's prior"),
        pytest.param((3.5, 1.5), (5, 3), 0.6633, id="a fleet's prior, events in twos"),
    ],
)
def test_three_events_in_100_km_against_six_in_400(first, second, chance: float):
    found = worse_than(one(first[0]), one(first[1]), one(second[0]), one(second[1]))
    assert found[0] == pytest.approx(chance, rel=0.01)
    other_way = worse_than(one(second[0]), one(second[1]), one(first[0]), one(first[1]))
    assert found + other_way == pytest.approx(1)


def test_five_drivers():
    found = fit(np.array([3.0, 6, 0, 12, 9]), np.array([1, 4, 0.5, 8, 2]), psi=1)
    ranks = rank(found.alpha, found.beta)
    np.testing.assert_allclose(expected_rank(found.alpha, found.beta), [2.47, 3.53, 3.91, 3.62, 1.48], rtol=0.01)
    assert ranks.order.tolist() == [4, 0, 1, 3, 2]
    assert ranks.rank.tolist() == [2, 3, 5, 4, 1]
    assert (ranks.low.tolist(), ranks.high.tolist()) == ([1, 2, 1, 2, 1], [5, 5, 5, 5, 3])
    np.testing.assert_allclose(ranks.worse_half, [0.58, 0.18, 0.19, 0.13, 0.90], atol=0.02)
    assert ranks.worse_than_next[0] == pytest.approx(0.736, rel=0.01)
    assert not ranks.tied.any()


def test_neighbours_without_a_clear_difference_are_named():
    alpha, beta = np.array([100.0, 50, 49, 4]), np.array([10.0, 10, 10, 10])
    assert rank(alpha, beta).no_clear_difference.tolist() == [False, True, False, False]


@pytest.mark.parametrize("drivers", [12, 40, 300])
def test_the_deterministic_form_agrees_with_draws(drivers: int):
    found = fleet(1, drivers)
    random = np.random.default_rng(2).gamma(found.alpha, 1 / found.beta, (4000, drivers))
    drawn = drivers - np.argsort(np.argsort(random, axis=1), axis=1)
    own = rank_uncertainty(found.alpha, found.beta)
    np.testing.assert_allclose(expected_rank(found.alpha, found.beta), drawn.mean(axis=0), atol=0.02 * drivers)
    np.testing.assert_allclose(own.worse_half, np.mean(drawn <= drivers // 2, axis=0), atol=0.04)
    inside = np.mean((drawn >= own.low) & (drawn <= own.high), axis=0)
    assert ((inside > 0.87) & (inside <= 1)).all()


def test_the_quick_form_for_many_agrees_with_the_full_one(monkeypatch: pytest.MonkeyPatch):
    found = fleet(3, 1000)
    full = rank_uncertainty(found.alpha, found.beta)
    monkeypatch.setattr(uncertainty, "FULL_UP_TO", 999)
    quick = rank_uncertainty(found.alpha, found.beta)
    assert 0 < np.abs(full.low - quick.low).max() <= 6
    assert np.abs(full.high - quick.high).max() <= 6
    np.testing.assert_allclose(full.worse_half, quick.worse_half, atol=0.011)


def test_equals_share_a_rank_whatever_their_rounding():
    alpha, beta = np.array([6.0, 3, 3, 3, 1]), np.ones(5)
    beta[1] += 4e-16
    found = rank(alpha, beta)
    assert found.order.tolist() == [0, 1, 2, 3, 4]
    assert found.rank.tolist() == [1, 2, 2, 2, 5]
    assert found.tied.tolist() == [False, True, True, True, False]


def test_equal_drivers_have_equal_keys_and_keep_the_order_of_their_rows():
    found = fit(np.array([20.0, 35, 20, 5, 20]), np.array([2.0, 2, 2, 2, 2]), psi=5)
    ranks = rank(found.alpha, found.beta)
    assert ranks.rank.tolist() == [2, 1, 2, 5, 2]
    assert ranks.order.tolist() == [1, 0, 2, 4, 3]


def test_many_equals_keep_the_order_of_their_rows():
    found = rank(np.full(300, 4.0), np.full(300, 2.0))
    assert found.order.tolist() == list(range(300))
    assert set(found.rank) == {1}


def test_a_rank_that_chance_alone_gave_widens_its_interval():
    """Of drivers who hardly differ the first and the last by their means are unlikely to be so in truth."""
    alpha, beta = 10 + 1e-4 * np.arange(200), np.full(200, 10.0)
    own, found = rank_uncertainty(alpha, beta), rank(alpha, beta)
    assert own.low[-1] > found.rank[-1] == found.low[-1] == 1
    assert own.high[0] < found.rank[0] == found.high[0] == 200


def test_no_interval_begins_above_the_first_rank():
    """One driver well known, and ten of whom each has a chance of 4 % to be worse."""
    alpha, beta = np.append(1e4, np.ones(10)), np.append(1e4, np.full(10, -np.log(0.04)))
    assert rank_uncertainty(alpha, beta).low[0] == 1


def test_one_driver_is_first_and_nobody_is_nobody():
    alone = rank(one(4), one(2))
    assert (alone.rank.tolist(), alone.low.tolist(), alone.high.tolist()) == ([1], [1], [1])
    assert alone.worse_half.tolist() == [0]
    assert np.isnan(alone.worse_than_next).all()
    nobody = rank(np.zeros(0), np.zeros(0))
    assert {len(nobody.order), len(nobody.rank), len(nobody.low), len(nobody.worse_half)} == {0}


def test_drivers_known_well_have_exactly_their_ranks():
    rates = np.arange(1.0, 31)
    found = rank(1000 * rates, np.full(30, 1000.0))
    assert found.rank.tolist() == list(range(30, 0, -1))
    assert (found.high - found.low <= 1).all()
    assert found.worse_half.round(2).tolist() == [0] * 15 + [1] * 15


@settings(max_examples=30, deadline=None)
@given(fleets)
def test_a_rank_lies_in_its_interval_and_chances_are_chances(found: Fit):
    ranks = rank(found.alpha, found.beta)
    size = len(ranks.rank)
    assert (ranks.low >= 1).all()
    assert (ranks.low <= ranks.rank).all()
    assert (ranks.rank <= ranks.high).all()
    assert (ranks.high <= size).all()
    assert ((ranks.worse_half >= 0) & (ranks.worse_half <= 1)).all()
    assert ranks.worse_half.sum() == pytest.approx(size // 2, abs=0.05 * size)
    assert expected_rank(found.alpha, found.beta).sum() == pytest.approx(size * (size + 1) / 2, rel=0.02)


@settings(max_examples=30, deadline=None)
@given(fleets, st.randoms(use_true_random=False))
def test_the_order_of_drivers_does_not_matter(found: Fit, shuffled):
    order = np.array(shuffled.sample(range(len(found.mean)), len(found.mean)))
    there, here = rank(found.alpha, found.beta), rank(found.alpha[order], found.beta[order])
    np.testing.assert_array_equal(here.rank, there.rank[order])
    np.testing.assert_array_equal(here.tied, there.tied[order])
    np.testing.assert_allclose(here.worse_half, there.worse_half[order], rtol=1e-7, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(fleets, st.floats(0.1, 10))
def test_dearer_events_change_no_rank(found: Fit, factor: float):
    plain, dear = rank(found.alpha, found.beta), rank(found.alpha, found.beta / factor)
    np.testing.assert_array_equal(dear.rank, plain.rank)
    np.testing.assert_allclose(dear.worse_half, plain.worse_half, atol=1e-6)


@pytest.mark.parametrize("drivers", [300, 1200])
def test_two_runs_give_identical_bytes(drivers: int):
    found = fleet(9, drivers)
    first, second = (rank_uncertainty(found.alpha, found.beta) for _ in range(2))
    assert first.low.tobytes() + first.high.tobytes() == second.low.tobytes() + second.high.tobytes()
    assert first.worse_half.tobytes() == second.worse_half.tobytes()
