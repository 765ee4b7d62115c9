"""How stable the order of drivers is: the measure, and the two lines without which it says nothing."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.safety.ranking.fit import Fit, fit
from fleetflow.safety.whatif.order import (
    Shrinkage,
    agreement,
    equal_mix_band,
    plateau,
    repeat_line,
    worst_staying,
)

PENALTY = 5.0
SHARE = 0.4  # kept beyond the stricter threshold


def fleet(seed: int, drivers: int) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    """A fleet's exposure in 100 km and its events beyond the milder threshold."""
    random = np.random.default_rng(seed)
    exposure = np.exp(random.uniform(0, np.log(30), drivers))
    return random, exposure, random.poisson(random.gamma(1 / 0.7**2, 5 * 0.7**2, drivers) * exposure)


def key_of_events(shrinkage: Shrinkage, share: float, events: np.ndarray) -> np.ndarray:
    return shrinkage.key(PENALTY * events, share)


def order_and_band(exposure: np.ndarray, mild: np.ndarray, strict: np.ndarray) -> tuple[float, np.ndarray]:
    """The agreement between the two orders and the band of equal mixes around it."""
    milder, stricter = (fit(PENALTY * events, exposure, PENALTY) for events in (mild, strict))
    share = strict.sum() / mild.sum()
    shrinkage = Shrinkage.like(milder, exposure)
    band = equal_mix_band(mild, share, milder.mean, partial(key_of_events, shrinkage, share))
    return agreement(milder.mean, stricter.mean), band


def test_the_published_agreement():
    one = np.arange(10.0)[::-1]
    assert agreement(one, np.array([8, 9, 7, 5, 6, 4, 4, 2, 1, 0.0])) == pytest.approx(0.8989, abs=5e-5)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30).filter(lambda each: len(set(each)) > 1))
def test_an_order_agrees_with_itself_and_disagrees_with_its_reverse(figures: list[int]):
    key = np.array(figures, dtype=np.float64)
    assert agreement(key, 3 * key + 1) == pytest.approx(1)
    assert agreement(key, -key) == pytest.approx(-1)


def test_rounding_is_no_difference():
    key = np.array([1.0, 2.0, 2.0, 3.0])
    assert agreement(key, key * np.array([1, 1 - 1e-12, 1, 1])) == pytest.approx(1)


@pytest.mark.parametrize("key", [np.zeros(0), np.ones(1), np.full(5, 2.0)], ids=["nobody", "one driver", "all alike"])
def test_where_nobody_differs_there_is_no_order(key: np.ndarray):
    assert np.isnan(agreement(key, key))


def test_drivers_of_equal_mix_lie_in_the_band_and_others_below_it():
    inside = 0
    for seed in range(10):
        random, exposure, mild = fleet(seed, 120)
        tau, band = order_and_band(exposure, mild, random.binomial(mild, SHARE))
        inside += band[0] <= tau <= band[1]
        apart, band = order_and_band(exposure, mild, random.binomial(mild, random.beta(0.8, 1.2, 120)))
        assert apart < band[0]
    assert inside >= 6  # nine of ten are expected; five or fewer would be one case in 500


def test_the_band_lies_lower_the_more_events_a_threshold_drops():
    _, exposure, mild = fleet(1, 120)
    before = fit(PENALTY * mild, exposure, PENALTY)
    shrinkage = Shrinkage.like(before, exposure)
    bands = [
        equal_mix_band(mild, share, before.mean, partial(key_of_events, shrinkage, share)) for share in (1.0, 0.5, 0.1)
    ]
    assert bands[0] == pytest.approx([1, 1], abs=0.02)
    assert bands[0][0] > bands[1][1]
    assert bands[1][0] > bands[2][1]


def test_a_repeat_of_the_same_driving_agrees_as_a_second_month_of_the_same_drivers_does():
    found, expected = [], []
    for seed in range(8):
        random = np.random.default_rng(seed)
        exposure = np.exp(random.uniform(0, np.log(30), 120))
        rates = random.gamma(1 / 0.7**2, 5 * 0.7**2, 120)
        first, second = (fit(PENALTY * random.poisson(rates * exposure), exposure, PENALTY) for _ in range(2))
        found.append(repeat_line(first.alpha, first.beta, first.mean, Shrinkage.like(first, exposure)))
        expected.append(agreement(first.mean, second.mean))
    assert np.mean(found) == pytest.approx(np.mean(expected), abs=0.03)


def one_prior(points: np.ndarray, exposure: np.ndarray, fitted: Fit) -> np.ndarray:
    """Posterior means under one prior, driver by driver: prior events and prior distance, and his own."""
    prior_events = 1 / fitted.cv**2
    prior_100km = prior_events * fitted.psi / fitted.rate
    return np.array(
        [
            fitted.psi * (prior_events + own / fitted.psi) / (prior_100km + driven)
            for own, driven in zip(points, exposure, strict=True)
        ]
    )


def test_the_short_way_orders_drivers_as_the_full_fit_does():
    _, exposure, mild = fleet(4, 200)
    full = fit(PENALTY * mild, exposure, 1.5 * PENALTY)
    short = Shrinkage.like(full, exposure).key(PENALTY * mild)
    assert short == pytest.approx(one_prior(PENALTY * mild, exposure, full))
    assert agreement(full.mean, short) > 0.98


def test_a_fleet_too_small_to_learn_from_is_ordered_by_what_each_driver_did():
    alone = fit(np.array([5.0, 0.0]), np.array([2.0, 1.0]), PENALTY)
    assert Shrinkage.like(alone, np.array([2.0, 1.0])).key(np.array([5.0, 0.0])) == pytest.approx(alone.mean)


@pytest.mark.parametrize(
    ("agreements", "expected"),
    [
        ([0.5, 0.7, 0.9, 1.0, 0.8, 0.6, 0.9], (1, 4)),
        ([0.9, 0.9, 0.9, 1.0, 0.8, 0.8, 0.7], (0, 6)),
        ([0.9, 0.9, 0.6, 1.0, np.nan, 0.8, 0.7], (3, 3)),
    ],
)
def test_the_plateau_reaches_as_far_as_no_threshold_falls_below_the_line(agreements, expected):
    assert plateau(np.array(agreements), active=3, line=0.7) == expected


def test_the_worst_tenth_is_counted_where_it_stays():
    before = np.arange(20.0)
    after = before.copy()
    after[[19, 0]] = after[[0, 19]]
    assert worst_staying(before, after) == (1, 2)
    assert worst_staying(np.arange(3.0), np.arange(3.0)) == (1, 1)


def test_a_narrower_posterior_repeats_better():
    _, exposure, mild = fleet(5, 100)
    known = fit(PENALTY * mild, exposure, PENALTY)
    shrinkage = Shrinkage.like(known, exposure)
    sure = repeat_line(known.alpha, known.beta, known.mean, shrinkage)
    unsure = repeat_line(known.alpha / 9, known.beta / 9, known.mean, shrinkage)
    assert sure > unsure
