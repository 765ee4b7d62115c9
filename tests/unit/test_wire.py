"""Decoding the contract's trip: values exactly as sent, every fault by its path."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.trips.wire import Limits, TripDecoder, TripRefusedError

LATEST = datetime(2026, 6, 1, tzinfo=UTC)
IDENTITY = {"vehicle_id": "0190163d-8694-739b-aea5-966c26f8ad91", "driver_id": "0190163d-8694-739b-aea5-966c26f8ad92"}
POINT: dict[str, Any] = {"speed_kmh": 50, "g_force_long": 0.1}
DECODER = TripDecoder()


def body(points: Any, **fields: Any) -> bytes:
    return json.dumps({**IDENTITY, "data": points, **fields}).encode()


def decode(raw: bytes, decoder: TripDecoder = DECODER):
    return decoder.decode(raw, latest=LATEST)


def refusal(raw: bytes, decoder: TripDecoder = DECODER) -> TripRefusedError:
    with pytest.raises(TripRefusedError) as caught:
        decode(raw, decoder)
    return caught.value


def paths(raw: bytes) -> list[str]:
    return [fault.path for fault in refusal(raw).faults]


def stamped(*seconds: float, **point: Any) -> list[dict[str, Any]]:
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    return [{**POINT, **point, "timestamp": (start + timedelta(seconds=second)).isoformat()} for second in seconds]


def test_a_trip_becomes_columns():
    trip = decode(body([{**POINT, "latitude": 1.35, "noise": "x"}, POINT], sample_hz=10))
    assert trip.vehicle_id == UUID(IDENTITY["vehicle_id"])
    assert trip.sample_hz == 10
    assert trip.started_at is None
    np.testing.assert_array_equal(trip.samples.speed_kmh, [50.0, 50.0])
    np.testing.assert_array_equal(trip.samples.latitude, [1.35, math.nan])
    assert trip.samples.g_force_lat is None
    assert trip.samples.t_s is None


def test_a_trip_may_say_that_its_g_was_reckoned_from_the_speed():
    said = [decode(body([POINT], **fields)).samples.g_from_speed for fields in ({}, {"g_source": "sensor"})]
    assert said == [False, False]
    assert decode(body([POINT], g_source="speed")).samples.g_from_speed
    (fault,) = refusal(body([POINT], g_source="guess")).faults
    assert (fault.path, fault.message) == ("g_source", "must be sensor or speed")


def test_point_times_become_seconds_from_the_first_and_start_the_trip():
    trip = decode(body(stamped(0, 0.1, 0.25, 0.25), timestamp="2026-01-01T11:59:00Z"))
    np.testing.assert_array_equal(trip.samples.t_s, [0.0, 0.1, 0.25, 0.25])
    assert trip.started_at == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_time_in_another_zone_is_the_same_moment():
    trip = decode(body([POINT], timestamp="2026-01-01T20:00:00+08:00"))
    assert trip.started_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert trip.started_at.tzinfo is UTC


def test_an_escaped_name_is_read_like_any_other():
    escaped = body([{**POINT, "latitude": 1.5}]).replace(b"latitude", b"l\\u0061titude")
    np.testing.assert_array_equal(decode(escaped).samples.latitude, [1.5])


def test_a_null_optional_value_is_a_missing_one():
    trip = decode(body([{**POINT, "g_force_lat": None}, {**POINT, "g_force_lat": 0.2}]))
    np.testing.assert_array_equal(trip.samples.g_force_lat, [math.nan, 0.2])


numbers = st.floats(-20, 20, allow_nan=False)


@given(st.lists(st.tuples(st.floats(0, 400), numbers, numbers | st.none()), min_size=1, max_size=40))
def test_every_value_arrives_to_the_last_bit(rows: list[tuple[float, float, float | None]]):
    names = ("speed_kmh", "g_force_long", "g_force_lat")
    points = [{key: value for key, value in zip(names, row, strict=True) if value is not None} for row in rows]
    samples = decode(body(points)).samples
    np.testing.assert_array_equal(samples.speed_kmh, [row[0] for row in rows])
    np.testing.assert_array_equal(samples.g_force_long, [row[1] for row in rows])
    lateral = np.array([row[2] for row in rows], dtype=float)
    if samples.g_force_lat is None:
        assert np.isnan(lateral).all()
    else:
        np.testing.assert_array_equal(samples.g_force_lat, lateral)


@pytest.mark.parametrize(
    ("points", "path"),
    [
        ([POINT] * 17 + [{**POINT, "g_force_long": 21}], "data[17].g_force_long"),
        ([{**POINT, "g_force_long": -20.0001}], "data[0].g_force_long"),
        ([{**POINT, "speed_kmh": -0.1}], "data[0].speed_kmh"),
        ([{**POINT, "speed_kmh": 401}], "data[0].speed_kmh"),
        ([{**POINT, "speed_kmh": True}], "data[0].speed_kmh"),
        ([{**POINT, "speed_kmh": "50"}], "data[0].speed_kmh"),
        ([{**POINT, "speed_kmh": None}], "data[0].speed_kmh"),
        ([{**POINT, "speed_kmh": [50]}], "data[0].speed_kmh"),
        ([{"speed_kmh": 50}], "data[0].g_force_long"),
        ([{**POINT, "latitude": 90.1}], "data[0].latitude"),
        ([{**POINT, "longitude": -181}], "data[0].longitude"),
        ([{**POINT, "heading_deg": 361}], "data[0].heading_deg"),
        ([{**POINT, "odometer_km": -1}], "data[0].odometer_km"),
        ([{**POINT, "timestamp": "2026-01-01T00:00:00"}], "data[0].timestamp"),
        ([{**POINT, "timestamp": 0}], "data[0].timestamp"),
        ([POINT, 5], "data[1]"),
        ([], "data"),
        ({}, "data"),
        (None, "data"),
    ],
)
def test_a_bad_point_is_named_by_its_path(points: Any, path: str):
    assert paths(body(points)) == [path]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"vehicle_id": "truck 7"}, "vehicle_id"),
        ({"driver_id": 5}, "driver_id"),
        ({"driver_id": None}, "driver_id"),
        ({"timestamp": "2026-01-01"}, "timestamp"),
        ({"timestamp": "2026-01-01T23:59:60Z"}, "timestamp"),
        ({"timestamp": "2026-07-01T00:00:00Z"}, "timestamp"),
        ({"timestamp": "1970-01-01T00:00:00Z"}, "timestamp"),
        ({"sample_hz": 0}, "sample_hz"),
        ({"sample_hz": 1001}, "sample_hz"),
        ({"sample_hz": "10"}, "sample_hz"),
        ({"driver": "x"}, "driver"),
    ],
)
def test_a_bad_field_of_the_trip_is_named(fields: dict[str, Any], path: str):
    assert paths(body([POINT], **fields)) == [path]


@pytest.mark.parametrize(
    ("points", "path"),
    [
        (stamped(0, 1, 0.5), "data[2].timestamp"),
        ([POINT, *stamped(0)], "data[0].timestamp"),
        ([*stamped(0), POINT], "data[1].timestamp"),
        (stamped(0, 86_401), "data[1].timestamp"),
        (stamped(0, 86_400 * 200), "data[1].timestamp"),
    ],
)
def test_a_clock_that_cannot_be_trusted_is_named(points: Any, path: str):
    assert path in paths(body(points))


def test_all_faults_are_named_up_to_twenty():
    bad = {"speed_kmh": -1, "g_force_long": 99}
    assert paths(body([POINT, bad, {}], vehicle_id="x", extra=1)) == [
        "extra",
        "vehicle_id",
        "data[1].speed_kmh",
        "data[1].g_force_long",
        "data[2].speed_kmh",
        "data[2].g_force_long",
    ]
    assert len(paths(body([bad] * 50_000))) == 20


def test_a_limit_holds_and_one_below_it_passes():
    decoder = TripDecoder(Limits(max_points=3, max_speed_kmh=60, max_g=2, max_duration_s=1))
    assert len(decode(body([POINT] * 3), decoder).samples) == 3
    assert [fault.path for fault in refusal(body([POINT] * 4), decoder).faults] == ["data"]
    assert decode(body([{"speed_kmh": 60, "g_force_long": -2}]), decoder)
    assert refusal(body([{"speed_kmh": 60.1, "g_force_long": 0}]), decoder)
    assert decode(body([POINT, POINT], sample_hz=1), decoder)
    assert [fault.path for fault in refusal(body([POINT, POINT], sample_hz=0.9), decoder).faults] == ["sample_hz"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        body([POINT])[:-5],
        body([POINT])[:-1] + b",}",
        body([POINT]) * 2,
        b"/* c */" + body([POINT]),
        body([{**POINT, "speed_kmh": math.nan}]),
        body([{**POINT, "speed_kmh": math.inf}]),
        body([POINT]).replace(b"50", b"0x10"),
        body([POINT]).replace(b"50", b".5"),
        body([POINT]).decode().encode("utf-16"),
        b"\xef\xbb\xbf" + body([POINT]),
        body([POINT]).replace(b"speed", b"sp\xff\xfe"),
        body([{**POINT, "x": "@"}]).replace(b"@", b"\\ud800"),
        body([{**POINT, "x": "@"}]).replace(b"@", b"\x00"),
        body([{**POINT, "x": "@"}]).replace(b'"@"', b"[" * 100_000),
        body("@").replace(b'"@"', b"[" * 100_000),
    ],
)
def test_what_is_not_json_is_called_that(raw: bytes):
    assert refusal(raw).code == "invalid_json"


@pytest.mark.parametrize("raw", [b"null", b"[]", b'"x"', b"1", b"true"])
def test_json_that_is_no_object_is_refused(raw: bytes):
    error = refusal(raw)
    assert (error.code, [fault.path for fault in error.faults]) == ("validation_failed", [""])


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_never_crash(raw: bytes):
    refusal(raw)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from([POINT, "2026-01-01T00:00:00Z"]),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["speed_kmh", "g_force_long", "timestamp", "x"]), inner)
        ),
        max_leaves=8,
    ),
    st.sampled_from(["vehicle_id", "timestamp", "sample_hz", "data", "other"]),
)
def test_any_json_in_any_field_is_taken_or_refused_with_a_reason(value: Any, name: str):
    raw = json.dumps({**IDENTITY, "data": [POINT], name: value}).encode()
    try:
        decode(raw)
    except TripRefusedError as error:
        told = error.detail, error.code, error.faults
    else:
        return
    assert told[0]
    assert told[1] == "invalid_json" or told[2]
