"""Distances that nobody told, roads that are not alike, and the sums by driver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.safety.ranking.days import UNDATED, DriverDays, add_up
from fleetflow.safety.ranking.exposure import complete_distances, road_weights
from fleetflow.trips.samples import Samples
from fleetflow.trips.summary import summarize

NAN = float("nan")


def trips(**changed) -> DriverDays:
    """Two drivers: three trips on two days, the last without a date and without a distance; and one trip."""
    return replace(
        DriverDays(
            drivers=2, driver=np.array([0, 0, 0, 1]), day=np.array([4, 4, UNDATED, 4]),
            points=np.array([5.0, 10, 5, 20]), distance_km=np.array([60, 60, NAN, 330]),
            hours=np.array([1.5, 1.5, 2, 7]),
        ),
        **changed,
    )  # fmt: skip


def completed(driver: list[int], distance_km: list[float], hours: list[float]):
    return complete_distances(np.array(driver), np.array(distance_km), np.array(hours), drivers=max(driver) + 1)


def test_an_unknown_distance_is_the_hours_at_the_own_speed_drawn_to_the_fleets():
    """Driver 0: 120 km in 3 h, the fleet 45 km/h: (120 + 2 * 45) / (3 + 2) = 42 km/h for 2 h."""
    found = completed([0, 0, 0, 1], [60, 60, NAN, 330], [1.5, 1.5, 2, 7])
    assert found.km.tolist() == pytest.approx([60, 60, 84, 330])
    assert found.imputed.tolist() == [False, False, True, False]
    assert not found.dropped.any()


def test_a_driver_without_any_known_trip_drives_at_the_fleets_speed():
    found = completed([0, 1], [90, NAN], [2, 3])
    assert found.km[1] == pytest.approx(3 * 45)


@pytest.mark.parametrize(
    ("distance_km", "hours"),
    [
        pytest.param([90, NAN], [2, NAN], id="neither distance nor hours"),
        pytest.param([90, NAN], [2, 0], id="no time passed"),
        pytest.param([90, NAN], [NAN, 2], id="nobody's speed is known"),
    ],
)
def test_what_cannot_be_known_is_dropped(distance_km: list[float], hours: list[float]):
    found = completed([0, 0], distance_km, hours)
    assert found.dropped.tolist() == [False, True]
    assert found.km.tolist() == [90, 0]


def test_a_dropped_trip_takes_its_points_along():
    driven = add_up(trips(hours=np.array([1.5, 1.5, NAN, 7])))
    assert driven.points.tolist() == [15, 20]
    assert (driven.trips.tolist(), driven.dropped.tolist()) == ([2, 1], [1, 0])


def test_sums_by_driver():
    driven = add_up(trips())
    assert driven.points.tolist() == [20, 20]
    assert driven.distance_km.tolist() == pytest.approx([204, 330])
    assert driven.imputed_share.tolist() == pytest.approx([84 / 204, 0])
    assert (driven.trips.tolist(), driven.days.tolist()) == ([3, 1], [2, 1])


def test_trips_of_one_driver_and_day_are_one_block_and_undated_ones_stay_apart():
    blocks = add_up(trips(day=np.array([4, 4, UNDATED, UNDATED]), driver=np.array([0, 0, 1, 1]))).blocks
    assert sorted(zip(blocks.driver.tolist(), blocks.points.tolist(), strict=True)) == [(0, 15), (1, 5), (1, 20)]


def test_weights_weigh_exposure_and_leave_the_distance():
    driven = add_up(trips(weight=np.array([2.0, 1, 1, 0.5])))
    assert driven.distance_km.tolist() == pytest.approx([204, 330])
    assert driven.exposure_km.tolist() == pytest.approx([264, 165])
    assert np.bincount(driven.blocks.driver, weights=driven.blocks.exposure).tolist() == pytest.approx([2.64, 1.65])


def test_a_fleet_without_trips_adds_up_to_nothing():
    none, nobody = np.zeros(0), np.zeros(0, dtype=np.intp)
    driven = add_up(DriverDays(2, nobody, nobody, none, none, none))
    assert driven.distance_km.tolist() == [0, 0]
    assert driven.imputed_share.tolist() == [0, 0]


@pytest.mark.parametrize(
    "changed",
    [
        {"points": np.zeros(3)},
        {"weight": np.ones(3)},
        {"driver": np.array([0, 0, 0, 2])},
        {"driver": np.array([0, 0, 0, -1])},
        {"day": np.array([0, 0, 0, -2])},
        {"points": np.array([0, 0, 0, -5.0])},
        {"distance_km": np.array([0, 0, 0, np.inf])},
    ],
)
def test_columns_that_make_no_sense_are_refused(changed):
    with pytest.raises(ValueError, match=r"\.$"):
        add_up(trips(**changed))


def test_a_kilometre_counts_by_the_roads_it_was_driven_on():
    """Town 6, country 2, motorway 0.7 points per 100 km, so much driven that one event more changes nothing."""
    km = np.array([[1e7, 0, 0], [0, 1e7, 0], [0, 0, 1e7], [5e6, 5e6, 0]])
    weights = road_weights(km, km * np.array([0.06, 0.02, 0.007]), psi0=5)
    assert weights[0] / weights[1] == pytest.approx(3, rel=1e-3)
    assert weights[1] / weights[2] == pytest.approx(2 / 0.7, rel=1e-3)
    assert weights[3] == pytest.approx((weights[0] + weights[1]) / 2)


def test_a_band_without_events_still_counts_for_something():
    weights = road_weights(np.array([[100.0, 0, 0], [0, 0, 100]]), np.array([[25.0, 0, 0], [0, 0, 0]]), psi0=5)
    assert 0.1 < weights[1] < weights[0]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30))
def test_weighing_roads_makes_no_kilometres_in_all(seed: int, count: int):
    rng = np.random.default_rng(seed)
    km = rng.gamma(0.5, 20, (count, 3)) * rng.integers(0, 2, (count, 3))
    weights = road_weights(km, 5.0 * rng.poisson(km / 10), psi0=5)
    assert np.sum(weights * km.sum(axis=1)) == pytest.approx(km.sum())
    assert (weights > 0).all()


@pytest.mark.parametrize(("km", "points"), [(np.ones((2, 3)), np.zeros((2, 3))), (np.zeros((2, 3)), np.ones((2, 3)))])
def test_without_points_or_kilometres_every_road_counts_alike(km, points):
    assert road_weights(km, points, psi0=5).tolist() == [1, 1]


def test_a_trip_without_bands_counts_plainly():
    km = np.array([[50.0, 50, 0], [0, 0, 0]])
    assert road_weights(km, km / 2, psi0=5)[1] == 1


def test_kilometres_by_speed_band():
    speed = np.array([20.0] * 3601 + [50.0] * 1801 + [120.0] * 901)
    samples = Samples(speed, np.zeros(len(speed)), t_s=np.arange(len(speed)) * 1.0)
    assert summarize(samples).band_km == pytest.approx((20, 25, 30), abs=0.1)
    assert summarize(replace(samples, t_s=None)).band_km is None


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 200))
def test_the_bands_add_up_to_the_trips_distance(seed: int, size: int):
    rng = np.random.default_rng(seed)
    speed = rng.uniform(0, 140, size)
    speed[rng.random(size) < 0.1] = NAN
    samples = Samples(speed, np.zeros(size), t_s=np.cumsum(rng.exponential(20, size)))
    assert samples.t_s is not None
    steps_s, mean_kmh = np.diff(samples.t_s), (speed[1:] + speed[:-1]) / 2
    expected = np.nansum(np.where(steps_s <= 60, steps_s * mean_kmh, 0.0)) / 3600
    assert sum(summarize(samples).band_km) == pytest.approx(expected) == summarize(samples).distance_km
