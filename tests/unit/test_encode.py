"""Encoding a trip is the inverse of decoding it."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.trips.encode import encode_trip
from fleetflow.trips.samples import OPTIONAL_CHANNELS, REQUIRED_CHANNELS, Samples, Trip
from fleetflow.trips.wire import TripDecoder

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
DECODER = TripDecoder()
RANGES = {"speed_kmh": (0, 400), "g_force_long": (-20, 20), "g_force_lat": (-20, 20), "latitude": (-90, 90),
          "longitude": (-180, 180), "heading_deg": (0, 360), "odometer_km": (0, 1e6)}  # fmt: skip


def column(name: str, size: int, *, holes: bool) -> st.SearchStrategy[np.ndarray]:
    cells = st.floats(*RANGES[name])
    return st.lists(cells | st.just(np.nan) if holes else cells, min_size=size, max_size=size).map(np.array)


@st.composite
def trips(draw: st.DrawFn) -> Trip:
    size = draw(st.integers(1, 12))
    required = {name: draw(column(name, size, holes=False)) for name in REQUIRED_CHANNELS}
    optional = {name: draw(st.none() | column(name, size, holes=True)) for name in OPTIONAL_CHANNELS}
    present = {name: None if each is None or np.isnan(each).all() else each for name, each in optional.items()}
    steps = draw(st.none() | st.lists(st.integers(0, 10**7), min_size=size, max_size=size))
    t_s = None if steps is None else np.cumsum([0, *steps[1:]]) / 1e6
    samples = Samples(**required, **present, t_s=t_s)  # type: ignore[arg-type]
    return Trip(
        uuid.uuid4(), uuid.uuid4(), samples, NOON, draw(st.none() | st.floats(0.1, 50)) if t_s is None else None
    )


@given(trips())
def test_what_is_encoded_is_decoded_again(trip: Trip):
    again = DECODER.decode(encode_trip(trip), latest=NOON + timedelta(days=1))
    assert (again.vehicle_id, again.driver_id, again.started_at, again.sample_hz) == (
        trip.vehicle_id, trip.driver_id, trip.started_at, trip.sample_hz,
    )  # fmt: skip
    for name in ("t_s", *REQUIRED_CHANNELS, *OPTIONAL_CHANNELS):
        before, after = getattr(trip.samples, name), getattr(again.samples, name)
        assert (before is None) == (after is None), name
        if before is not None:
            np.testing.assert_array_equal(after, before)


@given(trips())
def test_plain_json_reads_the_same_values_and_no_hole(trip: Trip):
    decoded = json.loads(encode_trip(trip))
    assert decoded["vehicle_id"] == str(trip.vehicle_id)
    assert decoded.get("sample_hz") == trip.sample_hz
    columns = {name: getattr(trip.samples, name) for name in (*REQUIRED_CHANNELS, *OPTIONAL_CHANNELS)}
    present = {name: column for name, column in columns.items() if column is not None}
    for index, point in enumerate(decoded["data"]):
        stamp = point.pop("timestamp", None)
        assert point == {name: column[index] for name, column in present.items() if not np.isnan(column[index])}
        if trip.samples.t_s is not None:
            assert datetime.fromisoformat(stamp) == NOON + timedelta(seconds=float(trip.samples.t_s[index]))
    assert len(decoded["data"]) == len(trip.samples)


def test_times_that_follow_from_the_rate_are_not_sent():
    samples = Samples(np.zeros(3), np.zeros(3), t_s=np.array([0.0, 0.1, 0.2]))
    assert b'"timestamp":"2026-01-01T12:00:00.1' not in encode_trip(
        Trip(uuid.uuid4(), uuid.uuid4(), samples, NOON, 10.0)
    )
    assert b'"timestamp":"2026-01-01T12:00:00.1' in encode_trip(Trip(uuid.uuid4(), uuid.uuid4(), samples, NOON, 5.0))


def test_times_without_a_date_cannot_be_sent():
    samples = Samples(np.zeros(2), np.zeros(2), t_s=np.array([0.0, 0.1]))
    with pytest.raises(ValueError, match="needs a date"):
        encode_trip(Trip(uuid.uuid4(), uuid.uuid4(), samples))
