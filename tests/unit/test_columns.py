"""The stored form of a trip, and the fingerprint by which it is known again."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fleetflow.trips.columns import COLUMNS, ended_at, fingerprint, pack, unpack
from fleetflow.trips.samples import Samples, Trip

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
cells = st.floats(-1e6, 1e6) | st.just(np.nan)


def columns(size: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, size, elements=cells)


samples = st.integers(1, 20).flatmap(
    lambda size: st.builds(
        Samples, columns(size), columns(size), *[st.none() | columns(size) for _ in range(len(COLUMNS) - 2)]
    )
)
SAMPLES = Samples(np.array([50.0, 55.0]), np.array([0.1, -0.5]))
TRIP = Trip(uuid.uuid4(), uuid.uuid4(), SAMPLES, NOON, 10.0)


@given(samples)
def test_packing_loses_nothing(original: Samples):
    again = unpack(pack(original))
    for name in COLUMNS:
        before, after = getattr(original, name), getattr(again, name)
        if before is None:
            assert after is None
        else:
            np.testing.assert_array_equal(after, before)


def test_equal_trips_have_equal_fingerprints():
    twin = replace(TRIP, samples=unpack(pack(SAMPLES)))
    assert fingerprint(twin) == fingerprint(TRIP)


@pytest.mark.parametrize(
    "other",
    [
        replace(TRIP, samples=replace(SAMPLES, g_from_speed=True)),
        replace(TRIP, driver_id=uuid.uuid4()),
        replace(TRIP, vehicle_id=uuid.uuid4()),
        replace(TRIP, started_at=NOON + timedelta(microseconds=1)),
        replace(TRIP, started_at=None),
        replace(TRIP, sample_hz=5.0),
        replace(TRIP, samples=replace(SAMPLES, g_force_long=np.array([0.1, -0.5000001]))),
        replace(TRIP, samples=replace(SAMPLES, g_force_lat=np.array([0.0, 0.0]))),
        replace(TRIP, samples=Samples(SAMPLES.g_force_long, SAMPLES.speed_kmh)),
    ],
)
def test_another_trip_has_another_fingerprint(other: Trip):
    assert fingerprint(other) != fingerprint(TRIP)


def test_a_trip_ends_with_its_last_point():
    assert ended_at(TRIP) == NOON + timedelta(seconds=0.1)
    assert ended_at(replace(TRIP, samples=replace(SAMPLES, t_s=np.array([0.0, 7.5])))) == NOON + timedelta(seconds=7.5)
    assert ended_at(replace(TRIP, started_at=None)) is None
    assert ended_at(replace(TRIP, sample_hz=None)) is None
