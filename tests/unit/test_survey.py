"""Surveying a batch at once says of each trip what looking at it alone would; of trips that are not whole, nothing."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.trips import signals
from fleetflow.trips.agreement import MIN_EVIDENCE_KMH, agreement, is_evidence
from fleetflow.trips.clock import median_step_s
from fleetflow.trips.measures import runs_at, shaking_g, steepest_rise
from fleetflow.trips.quality import judge_signals
from fleetflow.trips.refresh import refresh_of
from fleetflow.trips.samples import Samples
from fleetflow.trips.summary import summarize
from fleetflow.trips.survey import MIN_POINTS, survey
from fleetflow.trips.tracks import make_even
from tests.support.recipes import Recipe, recipes

if TYPE_CHECKING:
    from fleetflow.trips.tracks import EvenTrip

examples = settings(max_examples=30, deadline=None)
WHOLE = recipes(rates=(1.0, 2.0, 5.0, 10.0, 25.0)).filter(lambda drive: drive.size >= MIN_POINTS)


def whole(drive: Recipe, held: int = 1) -> Samples:
    """Without holes; the speed is renewed with every so many samples."""
    samples = replace(drive, holes=False).samples()
    return replace(samples, speed_kmh=np.repeat(samples.speed_kmh, held)[: drive.size])


def tracks(even: EvenTrip) -> list[tuple[object, ...]]:
    return [
        (each.start_s, each.step_s, each.long_g.tolist(), each.lat_g.tolist(), each.speed_kmh.tolist())
        for each in even.tracks
    ]


@examples
@given(WHOLE, st.integers(1, 6))
def test_a_survey_says_what_looking_at_the_trip_alone_does(drive: Recipe, held: int):
    samples = whole(drive, held)
    (seen,) = survey([samples])
    assert seen is not None
    assert samples.t_s is not None
    size_g = np.abs(samples.g_force_long)
    assert (seen.step_s, seen.longest_s) == (median_step_s(samples.t_s), np.diff(samples.t_s).max())
    assert (seen.largest_g, seen.held_at_largest) == (size_g.max(), runs_at(size_g, size_g.max()))
    assert seen.shaking_g == pytest.approx(shaking_g(samples.g_force_long))
    assert (seen.speed_sd_kmh >= MIN_EVIDENCE_KMH) == is_evidence(samples.speed_kmh)


@examples
@given(WHOLE, st.integers(1, 6))
def test_a_surveyed_trip_is_made_even_renewed_and_added_up_as_any_other(drive: Recipe, held: int):
    samples = whole(drive, held)
    (seen,) = survey([samples])
    assert seen is not None
    even = make_even(samples)
    assert tracks(make_even(samples, seen)) == tracks(even)
    quick_even = make_even(samples, seen)
    assert (quick_even.step_s, quick_even.smoothable) == (even.step_s, even.smoothable)
    quick, slow = summarize(samples, seen=seen), summarize(samples)
    assert (quick.duration_s, quick.sample_hz) == (slow.duration_s, slow.sample_hz)
    assert quick.distance_km == pytest.approx(slow.distance_km)
    assert quick.band_km == pytest.approx(slow.band_km, abs=1e-9)
    if len(even.tracks) == 1 and len(even.tracks[0].long_g) == len(samples):
        assert refresh_of(even, seen) == refresh_of(even)
        rise_g, _ = steepest_rise(even.tracks[0])
        assert seen.rise_kmh_s == pytest.approx(max(rise_g, 0.0) * 9.80665 * 3.6)


@examples
@given(st.lists(recipes(), min_size=1, max_size=6))
def test_every_trip_is_judged_as_if_there_were_no_survey(drives: list[Recipe]):
    batch = [drive.samples() for drive in drives]
    for samples, found in zip(batch, signals.examine(batch), strict=True):
        alone = signals._examined_alone(samples, agreement(samples))
        assert judge_signals(found) == judge_signals(alone)
        assert (found.refresh_s, found.step_s, found.offset) == (alone.refresh_s, alone.step_s, alone.offset)


@examples
@given(st.lists(recipes(), min_size=1, max_size=6))
def test_a_survey_does_not_depend_on_the_batch(drives: list[Recipe]):
    batch = [drive.samples() for drive in drives]
    assert survey(batch) == [survey([samples])[0] for samples in batch]


@pytest.mark.parametrize("broken", ["a missing speed", "a missing g", "a time twice", "no clock", "hardly a sample"])
def test_nothing_is_said_of_a_trip_that_is_not_whole(broken: str):
    t_s = np.arange(20) / 10
    samples = Samples(np.full(20, 50.0), np.zeros(20), t_s=t_s)
    hole = np.where(np.arange(20) == 7, math.nan, 0.0)
    trips = {
        "a missing speed": replace(samples, speed_kmh=hole),
        "a missing g": replace(samples, g_force_long=hole),
        "a time twice": replace(samples, t_s=np.minimum(t_s, 1.5)),
        "no clock": replace(samples, t_s=None),
        "hardly a sample": Samples(np.array([50.0]), np.array([0.0]), t_s=np.array([0.0])),
    }
    found = survey([samples, trips[broken], samples])
    assert found[1] is None
    assert found[0] == found[2]
    assert found[0] is not None


def test_no_trips_are_no_surveys():
    assert survey([]) == []
