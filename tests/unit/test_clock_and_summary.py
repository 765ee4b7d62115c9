"""A trip's clock, and what the trip comes to."""

from __future__ import annotations

import numpy as np
import pytest

from fleetflow.trips.clock import median_step_s, with_clock
from fleetflow.trips.samples import Samples
from fleetflow.trips.summary import TripSummary, summarize


def trip(speed_kmh: list[float], t_s: list[float] | None = None) -> Samples:
    times = None if t_s is None else np.array(t_s)
    return Samples(np.array(speed_kmh), np.zeros(len(speed_kmh)), t_s=times)


def test_a_rate_becomes_times_and_times_stay_what_they_are():
    timed = with_clock(trip([1, 2, 3]), 10.0)
    assert timed.t_s is not None
    np.testing.assert_allclose(timed.t_s, [0, 0.1, 0.2])
    own = trip([1, 2], [0, 5])
    assert with_clock(own, 10.0) is own
    assert with_clock(trip([1, 2]), None).t_s is None


def test_the_ordinary_step_ignores_gaps_and_repeated_times():
    assert median_step_s(np.array([0, 0, 0.1, 0.2, 0.2, 0.3, 50.0])) == pytest.approx(0.1)
    assert median_step_s(np.array([0, 0.1, 50.0])) == pytest.approx(0.1)
    assert median_step_s(np.array([5.0, 5.0])) is None
    assert median_step_s(np.array([5.0])) is None


def test_distance_is_the_area_under_the_speed():
    summary = summarize(trip([0, 72, 72, 36], [0, 10, 20, 30]))
    assert summary.distance_km == pytest.approx((0.5 * 10 + 10 + 0.75 * 10) * 20 / 1000)
    assert (summary.duration_s, summary.sample_hz) == (30.0, pytest.approx(0.1))


def test_whole_second_stamps_ten_to_a_second_are_driven_once():
    summary = summarize(trip([36] * 100, np.repeat(np.arange(10.0), 10).tolist()))
    assert (summary.distance_km, summary.duration_s, summary.sample_hz) == (pytest.approx(0.09), 9.0, 1.0)


def test_a_silence_of_more_than_a_minute_is_not_driven():
    summary = summarize(trip([36, 36, 36, 36], [0, 10, 100, 110]))
    assert summary.distance_km == pytest.approx(0.2)
    assert summary.duration_s == 110.0


def test_a_trip_without_a_clock_has_no_distance():
    assert summarize(trip([50, 50])) == TripSummary(None, None, None)


def test_one_sample_with_a_time_went_nowhere():
    assert summarize(trip([50], [0])) == TripSummary(0.0, 0.0, None, (0.0, 0.0, 0.0))
