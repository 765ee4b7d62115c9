"""Why a figure changed: parts that add up, exactly and as shown."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fleetflow.safety.change import Part, explain_change, factor_effects, merge_thin_bands, round_to_sum

# The published example: 5 points an event under the old profile and 6 under the new; city and open road.
EVENTS = [
    [[(8, 3), (7, 3)], [(5, 2), (4, 2)]],  # period 1: old profile before and after reviews, then the new one
    [[(12, 1), (9, 1)], [(8, 1), (6, 1)]],
]
KM = np.array([[[200.0, 300.0], [400.0, 100.0]]])
POINTS = np.array([EVENTS]) * np.array([5.0, 6.0])[:, None, None]
FIGURES = np.array([[11.0, 8.4]])


def raw(points: np.ndarray, km: np.ndarray, corner: tuple[int, int, int, int]) -> float:
    """One driver's points per 100 km with each factor as in report 0 or 1, every band driven in both."""
    driving, mix, profile, reviews = corner
    rates = points[driving, profile, reviews] / (km[driving] / 100)
    return float(rates @ km[mix] / km[mix].sum())


def test_the_published_example():
    parts = explain_change(POINTS, KM, FIGURES).parts[0]
    assert parts == pytest.approx([-2.125, 3.592, -2.275, -1.792, 0], abs=5e-4)


@pytest.mark.parametrize(
    ("corner", "expected"),
    [((1, 0, 0, 0), 9), ((0, 1, 0, 0), 17), ((0, 0, 1, 0), 8.4), ((0, 0, 0, 1), 10), ((1, 1, 0, 0), 13)],
)
def test_the_effects_are_means_over_the_orders_of_switching_between_known_corners(corner, expected):
    assert raw(POINTS[0], KM[0], corner) == pytest.approx(expected)
    orders = list(permutations(range(4)))
    for factor in range(4):
        steps = []
        for order in orders:
            before = tuple(int(order.index(each) < order.index(factor)) for each in range(4))
            after = tuple(1 if each == factor else on for each, on in enumerate(before))
            steps.append(raw(POINTS[0], KM[0], after) - raw(POINTS[0], KM[0], before))
        assert factor_effects(POINTS, KM)[0, factor] == pytest.approx(np.mean(steps))
        if factor == Part.DRIVING:
            assert (min(steps), max(steps)) == pytest.approx((-5, 0), abs=0.05)


def points_and_km():
    points = arrays(np.float64, (3, 2, 2, 2, 3), elements=st.integers(0, 40).map(lambda count: 5.0 * count))
    km = arrays(np.float64, (3, 2, 3), elements=st.sampled_from([0.0, 5.0, 19.9, 20.0, 150.0, 900.0]))
    return points, km.map(lambda each: each + np.array([1.0, 0.0, 0.0]))


figures = arrays(np.float64, (3, 2), elements=st.floats(0, 60))


@given(*points_and_km(), figures)
def test_the_parts_add_up_to_the_change_of_the_figure(points, km, figures):
    change = explain_change(points, km, figures)
    assert change.parts.sum(axis=1) == pytest.approx(figures[:, 1] - figures[:, 0], abs=1e-6)
    raw_before, raw_after = (points[:, i, i, i].sum(axis=1) / (km[:, i].sum(axis=1) / 100) for i in (0, 1))
    assert change.parts[:, :4].sum(axis=1) == pytest.approx(raw_after - raw_before, abs=1e-6)


@given(*points_and_km(), figures)
def test_the_parts_as_shown_add_up_to_the_figures_as_shown(points, km, figures):
    change = explain_change(points, km, figures)
    shown = [[round(float(10 * each)) for each in row] for row in figures]
    assert change.shown_tenths.sum(axis=1).tolist() == [after - before for before, after in shown]
    assert np.abs(change.shown_tenths - 10 * change.parts).max() < 2


@given(*points_and_km())
def test_swapping_the_reports_turns_every_effect_round(points, km):
    back = factor_effects(points[:, ::-1, ::-1, ::-1], km[:, ::-1])
    assert back == pytest.approx(-factor_effects(points, km), abs=1e-6)


@given(*points_and_km())
def test_a_factor_that_did_not_change_has_no_effect(points, km):
    same_profile = points[:, :, :1].repeat(2, axis=2)
    same_reviews = points[:, :, :, :1].repeat(2, axis=3)
    same_roads = km[:, :1].repeat(2, axis=1)
    assert not factor_effects(same_profile, km)[:, Part.PROFILE].any()
    assert not factor_effects(same_reviews, km)[:, Part.REVIEWS].any()
    assert not factor_effects(points, same_roads)[:, Part.ROAD_MIX].any()
    same_driving = factor_effects(points[:, :1].repeat(2, axis=1), same_roads)
    assert not same_driving[:, Part.DRIVING].any()


def test_a_band_driven_in_one_period_only_is_a_change_of_roads_not_of_driving():
    points = np.zeros((1, 2, 2, 2, 2))
    points[:, :, ..., 0] = 20.0
    points[:, 1, ..., 1] = 40.0
    effects = factor_effects(points, np.array([[[200.0, 0.0], [200.0, 200.0]]]))[0]
    assert effects[Part.DRIVING] == 0
    assert effects[Part.ROAD_MIX] == pytest.approx(60 / 4 - 20 / 2)


@pytest.mark.parametrize(
    ("km", "merged"),
    [
        ([[19.0, 300.0, 50.0], [90.0, 100.0, 50.0]], [[0, 319, 50], [0, 190, 50]]),
        ([[90.0, 300.0, 50.0], [90.0, 100.0, 10.0]], [[90, 350, 0], [90, 110, 0]]),
        ([[90.0, 300.0, 0.0], [90.0, 100.0, 50.0]], [[90, 300, 0], [90, 100, 50]]),
        ([[9.0, 0.0, 5.0], [90.0, 100.0, 50.0]], [[14, 0, 0], [240, 0, 0]]),
    ],
    ids=["slow into faster", "fastest into slower", "not driven stays", "little driven becomes one band"],
)
def test_a_band_with_under_20_km_joins_its_neighbour(km, merged):
    points = np.arange(24.0).reshape(1, 2, 2, 2, 3)
    points[..., np.array(km).min(axis=0) == 0] = 0
    total = points.sum(axis=-1)
    points, together = merge_thin_bands(points, np.array([km]))
    assert together[0].tolist() == merged
    assert np.array_equal(points.sum(axis=-1), total)
    assert not points[..., np.array(merged).sum(axis=0) == 0].any()


def test_events_where_no_distance_was_measured_are_not_lost():
    points = np.full((1, 2, 2, 2, 2), 5.0)
    points[:, 1, ..., 1] = 15.0
    effects = factor_effects(points, np.array([[[100.0, 0.0], [100.0, 0.0]]]))[0]
    assert effects[Part.DRIVING] == pytest.approx(10)


def test_a_driver_without_distance_in_a_period_has_no_change_to_explain():
    with pytest.raises(ValueError, match="driving in both"):
        factor_effects(POINTS, KM * np.array([1, 0])[:, None])


def test_what_is_rounded_up_is_what_was_cut_most():
    parts = np.array([[5.2, 0.4, 0.3, 0.1, 0.0], [-5.2, -0.4, -0.4, 0.0, 0.0], [0.5, -0.5, 0.0, 0.0, 0.0]])
    expected = [[5, 1, 0, 0, 0], [-5, -1, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert round_to_sum(parts, np.array([6, -6, 0])).tolist() == expected


@given(arrays(np.float64, (4, 5), elements=st.sampled_from([0.0, 0.2, -0.3, 0.5, 1.7, -2.5, 12.45])), st.data())
def test_a_part_of_nothing_is_shown_as_nothing(parts, data):
    totals = np.array([data.draw(st.sampled_from(sorted({int(np.floor(x)), int(np.ceil(x))}))) for x in parts.sum(1)])
    rounded = round_to_sum(parts, totals)
    assert np.array_equal(rounded.sum(axis=1), totals)
    assert not rounded[parts == 0].any()
