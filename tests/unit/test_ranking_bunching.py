"""How points bunch: the recipe's example, what must not count, and fleets whose bunching is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.safety.ranking.bunching import Blocks, measure_bunching, points_per_event, weighed_costs
from fleetflow.safety.ranking.kinds import fit_kind

EXAMPLE = Blocks(
    driver=np.array([0, 0, 0, 0, 1, 1, 1, 2, 2]),
    points=np.array([0.0, 15, 5, 0, 5, 5, 0, 0, 0]),
    exposure=np.array([0.2, 0.2, 0.4, 0.2, 0.5, 0.25, 0.25, 0.3, 0.3]),
)


def days(rng: np.random.Generator, drivers: int, each: int, mood: float) -> Blocks:
    """Days of 100 km with 4 events of 5 points on average, under moods of a gamma with that variance."""
    moods = rng.gamma(1 / mood, mood, drivers * each) if mood else 1.0
    points = 5.0 * rng.poisson(4 * moods, drivers * each)
    return Blocks(np.repeat(np.arange(drivers), each), points, np.ones(drivers * each))


def test_the_example_of_three_drivers():
    assert measure_bunching(EXAMPLE, drivers=3, psi0=5) == pytest.approx((174.5 + 100 * 7.5) / (20.65 + 100), rel=1e-12)


def test_without_any_points_there_is_only_the_prior():
    none = Blocks(EXAMPLE.driver, np.zeros(9), EXAMPLE.exposure)
    assert measure_bunching(none, drivers=3, psi0=5) == pytest.approx(7.5)
    nobody = Blocks(np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0))
    assert measure_bunching(nobody, drivers=0, psi0=5) == pytest.approx(7.5)


def test_points_never_come_in_less_than_an_event():
    even = Blocks(np.repeat(np.arange(50), 20), np.full(1000, 5.0), np.ones(1000))
    assert measure_bunching(even, drivers=50, psi0=5) == 5


@pytest.mark.parametrize(("mood", "bunching"), [(0, 5), (0.5, 15), (1, 25)])
def test_moods_of_days_are_found(mood: float, bunching: float):
    """A day's points vary by 5 * (1 + 4 * mood) per point."""
    blocks = days(np.random.default_rng(4), drivers=200, each=30, mood=mood)
    assert measure_bunching(blocks, drivers=200, psi0=5) == pytest.approx(bunching, rel=0.1)


def test_differences_between_drivers_are_no_bunching():
    rng = np.random.default_rng(5)
    driver = np.repeat(np.arange(200), 30)
    points = 5.0 * rng.poisson(rng.gamma(1, 4, 200)[driver])
    assert measure_bunching(Blocks(driver, points, np.ones(6000)), 200, psi0=5) == pytest.approx(5, rel=0.1)


def test_a_driver_who_drove_nothing_is_left_out():
    blocks = Blocks(np.append(EXAMPLE.driver, 3), np.append(EXAMPLE.points, 50), np.append(EXAMPLE.exposure, 0))
    assert measure_bunching(blocks, drivers=4, psi0=5) == measure_bunching(EXAMPLE, drivers=3, psi0=5)


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(9)), st.floats(0.1, 10))
def test_the_order_of_blocks_does_not_matter_and_dearer_points_bunch_dearer(order: list[int], factor: float):
    blocks = Blocks(EXAMPLE.driver[order], factor * EXAMPLE.points[order], EXAMPLE.exposure[order])
    expected = factor * measure_bunching(EXAMPLE, drivers=3, psi0=5)
    assert measure_bunching(blocks, drivers=3, psi0=factor * 5) == pytest.approx(expected)


def cost_of_an_event(penalties: list[float], counts: list[float]) -> float:
    points = np.array(penalties) * np.array(counts)
    return points_per_event(weighed_costs(points, np.array(counts)).sum(), points.sum(), np.array(penalties))


def test_what_an_event_costs_is_weighed_by_points():
    assert cost_of_an_event([5, 5, 0, 0], [7, 2, 90, 4]) == 5
    assert cost_of_an_event([5, 10], [4, 1]) == pytest.approx((4 * 25 + 100) / 30)


def test_what_an_event_costs_where_there_were_none_and_where_nothing_costs():
    assert cost_of_an_event([5, 10, 0], [0, 0, 0]) == pytest.approx(125 / 15)
    assert cost_of_an_event([0, 0], [3, 4]) == 1


def test_events_that_a_cap_made_cheaper_count_for_what_they_cost():
    points, events = np.array([10.0, 12.0]), np.array([2.0, 6.0])  # 5 each, and 5 each up to 12
    weighed = weighed_costs(points, events)
    assert weighed.tolist() == [50, 24]
    assert points_per_event(weighed.sum(), points.sum(), np.array([5.0])) == pytest.approx(74 / 22)


def test_a_kinds_rate_is_in_events_and_knows_of_its_bunching():
    rng = np.random.default_rng(6)
    calm, moody = (days(rng, drivers=100, each=10, mood=mood) for mood in (0, 1))
    of_calm, of_moody = (fit_kind(each.driver, each.points / 5, each.exposure, 100) for each in (calm, moody))
    assert of_calm.rate == pytest.approx(4, rel=0.05)
    assert of_calm.psi == pytest.approx(1, rel=0.15)
    assert of_moody.psi == pytest.approx(5, rel=0.25)
    widths = [np.mean((each.high - each.low) / each.mean) for each in (of_calm, of_moody)]
    assert widths[1] > 1.3 * widths[0]
