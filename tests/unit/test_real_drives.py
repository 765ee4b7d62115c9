"""Real drives: distances as published, and no more events than a person would believe."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from fleetflow.safety.detection import find_events
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.trips.summary import summarize
from tests.support.drives import RealTrip, brazil_trips, chicago_trips


@cache
def chicago() -> list[RealTrip]:
    return chicago_trips()


@cache
def brazil() -> list[RealTrip]:
    return brazil_trips()


def test_the_drives_are_all_there():
    assert (len(chicago()), len(brazil())) == (108, 8)


def test_distances_are_those_of_the_publisher():
    for real in chicago():
        assert summarize(real.trip.samples).distance_km == pytest.approx(real.stated_km, rel=0.02), real.name


@pytest.mark.parametrize("drives", [chicago, brazil])
def test_an_ordinary_drive_at_one_hertz_has_few_events_and_hardly_a_harsh_one(drives):
    for real, events in zip(drives(), find_events([real.trip.samples for real in drives()]), strict=True):
        hours = (summarize(real.trip.samples).duration_s or 0.0) / 3600
        assert len(events) <= 5 + 150 * hours, real.name
        assert sum(map(DEFAULT_PROFILE.is_harsh, events)) <= 1, real.name


def test_the_acceleration_is_in_g_and_agrees_with_the_speed():
    samples = [real.trip.samples for real in (*chicago(), *brazil())]
    assert max(np.abs(each.g_force_long).max() for each in samples) < 1.0
    gained = np.concatenate([np.diff(each.speed_kmh)[:-1] / 3.6 / 9.80665 for each in samples if len(each) > 2])
    felt = np.concatenate([each.g_force_long[1:-1] for each in samples if len(each) > 2])
    assert np.corrcoef(gained, felt)[0, 1] > 0.5
