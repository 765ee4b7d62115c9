"""The fit of a fleet: figures worked out independently, fleets too small to learn from, and laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma

from fleetflow.safety.ranking.fit import Fit, Method, _matched, _own_share, fit
from fleetflow.safety.ranking.hyperprior import Priors

EVENTS = np.array([3.0, 6, 0, 12, 9])
EXPOSURE = np.array([1, 4, 0.5, 8, 2])
WITHIN = 0.01


def made_up(rng: np.random.Generator, drivers: int):
    exposure = np.exp(rng.uniform(np.log(0.05), np.log(30), drivers))
    points = 5.0 * rng.poisson(rng.gamma(2, 1, drivers) * exposure)
    points[0] += 15
    return points, exposure


fleets = st.builds(made_up, st.integers(0, 10**6).map(np.random.default_rng), st.integers(3, 40))


def test_five_drivers():
    found = fit(EVENTS, EXPOSURE, psi=1)
    assert found.method is Method.FLEET
    assert (found.cv, found.rate, found.distance_needed_100km) == pytest.approx((0.696, 2.376, 1.206), rel=WITHIN)
    np.testing.assert_allclose(found.mean, [2.552, 1.664, 1.482, 1.600, 3.556], rtol=WITHIN)
    np.testing.assert_allclose(found.low, [0.927, 0.836, 0.243, 0.970, 1.785], rtol=WITHIN)
    np.testing.assert_allclose(found.high, [4.829, 2.720, 3.584, 2.358, 5.819], rtol=WITHIN)
    np.testing.assert_allclose(found.reliability, [0.462, 0.728, 0.328, 0.828, 0.602], rtol=WITHIN)
    np.testing.assert_allclose(found.alpha, [4.384, 8.202, 1.882, 14.14, 8.168], rtol=WITHIN)
    np.testing.assert_allclose(found.beta, [1.718, 4.929, 1.270, 8.840, 2.297], rtol=WITHIN)


def test_five_drivers_in_points_that_come_in_bunches():
    found = fit(5 * EVENTS, EXPOSURE, psi=10)
    assert (found.rate, found.distance_needed_100km) == pytest.approx((11.87, 2.82), rel=WITHIN)
    np.testing.assert_allclose(found.mean, [12.15, 8.77, 8.92, 8.33, 15.79], rtol=WITHIN)
    np.testing.assert_allclose(found.low, [3.12, 3.49, 1.33, 4.17, 5.85], rtol=WITHIN)
    np.testing.assert_allclose(found.high, [26.0, 16.0, 22.1, 13.7, 29.6], rtol=WITHIN)
    np.testing.assert_allclose(found.reliability, [0.304, 0.569, 0.199, 0.697, 0.432], rtol=WITHIN)


def test_drivers_who_do_not_differ_are_all_near_the_fleets_rate():
    found = fit(np.array([2.0, 8, 1, 16, 4]), EXPOSURE, psi=1)
    assert (found.rate, found.distance_needed_100km) == pytest.approx((2.108, 2.95), rel=WITHIN)
    np.testing.assert_allclose(found.mean, [2.02, 2.00, 2.04, 1.99, 2.01], rtol=WITHIN)
    assert (found.low[-1], found.high[-1]) == pytest.approx((0.97, 3.34), rel=WITHIN)


@pytest.mark.parametrize(
    ("events", "exposure", "mean", "low", "high"),
    [(0, 0.5, 1.333, 0.237, 3.163), (0, 5, 0.333, 0.059, 0.791), (20, 10, 2.000, 1.354, 2.749),
     (3, 1, 2.500, 0.985, 4.577), (6, 4, 1.600, 0.796, 2.630)],
)  # fmt: skip
def test_a_prior_known_exactly_is_updated_exactly(events, exposure, mean, low, high):
    """Two events in 100 km beforehand."""
    prior = Priors(weight=np.ones(1), cv=np.array([0.5**0.5]), rate=np.array([2.0]))
    (shape,), (rate,) = _matched(prior, np.array([events]), np.array([exposure]))
    known = gamma(shape, scale=1 / rate)
    assert (known.mean(), *known.ppf([0.05, 0.95])) == pytest.approx((mean, low, high), rel=WITHIN)
    assert _own_share(prior, np.array([exposure]))[0] == pytest.approx(exposure / (1 + exposure))


def test_a_large_fleets_spread_and_rate_are_found():
    """With 3,000 drivers the grid is refined; the spread was 0.5 and the rate 10 points."""
    rng = np.random.default_rng(8)
    exposure = rng.uniform(1, 20, 3000)
    points = 5.0 * rng.poisson(rng.gamma(4, 0.5, 3000) * exposure)
    found = fit(points, exposure, psi=5)
    assert (found.cv, found.rate) == pytest.approx((0.5, 10), rel=0.05)


@pytest.mark.parametrize(
    ("points", "exposure"),
    [
        pytest.param([10.0, 4.9, 0], [1.0, 2, 3], id="fewer than three events"),
        pytest.param([50.0, 40, 30], [1.0, 2, 0], id="two drivers"),
    ],
)
def test_a_fleet_too_small_to_learn_from_leaves_each_driver_alone(points: list[float], exposure: list[float]):
    found = fit(np.array(points), np.array(exposure), psi=5)
    assert found.method is Method.FALLBACK
    assert not found.reliability.any()
    assert np.isnan([found.cv, found.distance_needed_100km]).all()
    own = gamma(0.5 + points[0] / 5, scale=5 / exposure[0])
    assert (found.low[0], found.high[0]) == pytest.approx(own.ppf([0.05, 0.95]))
    assert found.rate == pytest.approx(sum(p for p, e in zip(points, exposure, strict=True) if e) / sum(exposure))


@pytest.mark.parametrize("factor", [1, 1.5581516183887398])
def test_three_events_of_three_drivers_are_a_fleet_whatever_their_rounding(factor: float):
    assert fit(np.array([factor * 15, 0, 0]), np.ones(3), psi=factor * 5).method is Method.FLEET


def test_nobody_is_no_fleet():
    found = fit(np.array([]), np.array([]), psi=5)
    assert found.method is Method.FALLBACK
    assert np.isnan(found.rate)
    assert len(found.mean) == 0


def test_a_driver_who_did_not_drive_changes_nothing_and_is_unknown():
    with_him = fit(np.append(EVENTS, 7.0), np.append(EXPOSURE, 0), psi=1)
    np.testing.assert_array_equal(with_him.mean[:-1], fit(EVENTS, EXPOSURE, psi=1).mean)
    assert np.isnan([with_him.mean[-1], with_him.low[-1], with_him.high[-1], with_him.alpha[-1]]).all()
    assert with_him.reliability[-1] == 0


@pytest.mark.parametrize(
    ("points", "exposure", "psi"),
    [
        ([1.0, 2], [1.0], 5),
        ([1.0, -2], [1.0, 1], 5),
        ([1.0, 2], [1.0, np.nan], 5),
        ([1.0, 2], [1.0, 1], 0),
        ([1.0, 2], [1.0, 1], np.inf),
    ],
)
def test_what_cannot_be_a_fleet_is_refused(points: list[float], exposure: list[float], psi: float):
    with pytest.raises(ValueError, match=r"\.$"):
        fit(np.array(points), np.array(exposure), psi)


def columns(found: Fit):
    return {name: getattr(found, name) for name in ("alpha", "beta", "mean", "low", "high", "reliability")}


@settings(max_examples=40, deadline=None)
@given(fleets, st.randoms(use_true_random=False))
def test_the_order_of_drivers_does_not_matter(fleet, shuffled):
    points, exposure = fleet
    order = np.array(shuffled.sample(range(len(points)), len(points)))
    there, here = columns(fit(points, exposure, 5)), columns(fit(points[order], exposure[order], 5))
    for name, column in there.items():
        np.testing.assert_allclose(here[name], column[order], rtol=1e-7, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(fleets, st.floats(0.1, 10))
def test_dearer_events_are_dearer_drivers_in_the_same_order(fleet, factor: float):
    points, exposure = fleet
    plain, dear = fit(points, exposure, 5), fit(factor * points, exposure, factor * 5)
    for name in ("mean", "low", "high"):
        np.testing.assert_allclose(getattr(dear, name), factor * getattr(plain, name), rtol=1e-7)
    np.testing.assert_allclose(dear.reliability, plain.reliability, rtol=1e-7)


@settings(max_examples=40, deadline=None)
@given(fleets)
def test_the_mean_lies_within_its_interval_and_between_the_raw_rate_and_the_fleet(fleet):
    points, exposure = fleet
    found = fit(points, exposure, 5)
    assert (found.low < found.mean).all()
    assert (found.mean < found.high).all()
    assert ((found.reliability > 0) & (found.reliability < 1)).all()
    clearly_worse = points / exposure > 3 * found.rate
    assert (found.mean < points / exposure)[clearly_worse].all()


@settings(max_examples=20, deadline=None)
@given(fleets, st.floats(0, 200))
def test_more_points_never_make_a_driver_look_better(fleet, more: float):
    points, exposure = fleet
    worse = points.copy()
    worse[-1] += more
    assert fit(worse, exposure, 5).mean[-1] >= fit(points, exposure, 5).mean[-1] * (1 - 1e-9)


def test_two_runs_give_identical_bytes():
    points, exposure = made_up(np.random.default_rng(3), 500)
    first, second = (columns(fit(points, exposure, 6.1)) for _ in range(2))
    assert {name: column.tobytes() for name, column in first.items()} == {
        name: column.tobytes() for name, column in second.items()
    }
