"""Scores and profiles: 100 less what harsh events cost."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from fleetflow.safety.detection import find_events
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.profiles import DEFAULT_PROFILE, ScoringProfile
from fleetflow.safety.scores import score_trip
from fleetflow.trips.samples import Samples

BRAKING = HarshEvent(EventKind.BRAKING, 0, 1, 2, peak_g=0.5, speed_kmh=50)


def score(g_force_long: list[float]) -> int:
    samples = Samples(np.full(len(g_force_long), 50.0), np.array(g_force_long))
    return score_trip(find_events([samples])[0], DEFAULT_PROFILE).safety_score


def test_the_contracts_examples():
    assert score([0.1, -0.5]) == 95
    assert score([0.1, -0.5, 0.1, 0.6]) == 90
    assert score([0.0]) == 100


def test_a_score_never_falls_below_zero():
    assert score_trip([BRAKING] * 21, DEFAULT_PROFILE).safety_score == 0


@pytest.mark.parametrize(
    ("peak_g", "harsh"), [(0.4, False), (0.1 + 0.3, False), (math.nextafter(0.4, 1), False), (0.4000001, True)]
)
def test_a_peak_must_be_above_its_threshold(peak_g: float, harsh: bool):  # noqa: FBT001
    assert DEFAULT_PROFILE.is_harsh(replace(BRAKING, peak_g=peak_g)) is harsh


def test_a_doubtful_event_does_not_count():
    assert score_trip([replace(BRAKING, doubts=("spike",))], DEFAULT_PROFILE).safety_score == 100


def test_cornering_and_speeding_are_counted_and_cost_nothing():
    corner = replace(BRAKING, kind=EventKind.CORNERING)
    fast = HarshEvent(EventKind.SPEEDING, 0, 1, 2, peak_g=None, speed_kmh=131.0)
    result = score_trip([corner, fast, replace(fast, speed_kmh=130.0)], DEFAULT_PROFILE)
    assert (result.safety_score, result.counts) == (100, {EventKind.CORNERING: 1, EventKind.SPEEDING: 1})


def test_a_profile_survives_being_stored():
    assert ScoringProfile.from_content("Default", DEFAULT_PROFILE.content()) == DEFAULT_PROFILE
