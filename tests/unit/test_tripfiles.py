"""Reading trips from files: JSON as it is, CSV by its columns, every fault by file and line."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.sending import Parcel
from fleetflow.tripfiles import Missing, read_parcels
from fleetflow.tripfiles.json_trips import split_list
from tests.support.trips import trip_body

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = Missing()
HEADER = "vehicle_id,driver_id,timestamp,speed_kmh,g_force_long\n"


def read(path: Path, missing: Missing = NOTHING):
    return list(read_parcels(str(path), missing))


def write(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_ndjson_gives_each_line_as_it_is(tmp_path: Path):
    lines = [trip_body(), trip_body()]
    path = write(tmp_path, "trips.ndjson", b"\n".join([lines[0], b"", lines[1], b""]))
    assert [(parcel.source, parcel.body) for parcel in read(path)] == [(f"{path}:1", lines[0]), (f"{path}:3", lines[1])]


def test_a_json_document_may_be_a_trip_or_a_list_of_trips(tmp_path: Path):
    body = json.dumps(json.loads(trip_body()), indent=2).encode()
    assert [parcel.body for parcel in read(write(tmp_path, "trip.json", body))] == [body]
    several = read(write(tmp_path, "trips.json", b"[\n" + body + b",\n" + body + b"]"))
    assert [json.loads(parcel.body) for parcel in several] == [json.loads(body)] * 2


def test_a_gzip_file_is_read_like_any_other(tmp_path: Path):
    body = trip_body()
    assert [parcel.body for parcel in read(write(tmp_path, "trips.ndjson.gz", gzip.compress(body)))] == [body]


def test_a_bad_line_is_located_and_the_others_still_go(tmp_path: Path):
    path = write(tmp_path, "trips.ndjson", b"\n".join([trip_body(), b"{oops", b"5", trip_body()]))
    parcels = read(path)
    assert [parcel.error is None for parcel in parcels] == [True, False, False, True]
    assert parcels[1].source == f"{path}:2"
    assert "is not JSON" in str(parcels[1].error)
    assert parcels[2].error == "is not a JSON object"


def test_the_rows_of_a_csv_file_become_trips(tmp_path: Path):
    rows = ["v1,d1,2026-01-01T12:00:00Z,50,0.1", "v1,d1,2026-01-01T12:00:01Z,55,-0.5", "v1,d2,2026-01-01T13:00:00Z,10,"]
    parcels = read(write(tmp_path, "trips.csv", HEADER + "\n".join(rows)))
    assert json.loads(parcels[0].body) == {
        "vehicle_id": "v1",
        "driver_id": "d1",
        "data": [
            {"speed_kmh": 50.0, "g_force_long": 0.1, "timestamp": "2026-01-01T12:00:00Z"},
            {"speed_kmh": 55.0, "g_force_long": -0.5, "timestamp": "2026-01-01T12:00:01Z"},
        ],
    }
    assert json.loads(parcels[1].body)["data"] == [{"speed_kmh": 10.0, "timestamp": "2026-01-01T13:00:00Z"}]


def test_options_fill_what_a_csv_file_does_not_say(tmp_path: Path):
    path = write(tmp_path, "trip.csv", "speed_kmh,g_force_long\n50,0.1\n")
    (parcel,) = read(path, Missing("v", "d", 10.0))
    assert json.loads(parcel.body) == {
        "vehicle_id": "v", "driver_id": "d", "sample_hz": 10.0, "data": [{"speed_kmh": 50.0, "g_force_long": 0.1}],
    }  # fmt: skip
    assert read(path)[0].error == "has no vehicle_id; add a column or --vehicle-id"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("speed,g\n1,2\n", "the header has no column speed_kmh and g_force_long"),
        (HEADER + "v,d,,fast,0.1\n", "line 2: speed_kmh is no number: 'fast'"),
    ],
)
def test_a_csv_fault_says_where_it_is(tmp_path: Path, content: str, error: str):
    (parcel,) = read(write(tmp_path, "trips.csv", content))
    assert parcel.error == error


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path):
    missing = tmp_path / "missing.json"
    assert read(missing) == [Parcel(str(missing), error="cannot be read: No such file or directory")]
    cut = write(tmp_path, "cut.ndjson.gz", gzip.compress(b"\n".join(trip_body() for _ in range(9)))[:-9])
    assert "cannot be read" in str(read(cut)[-1].error)


def test_a_file_without_a_trip_says_so(tmp_path: Path):
    for name, content in (
        ("a.ndjson", ""),
        ("b.json", " [ ]\n"),
        ("c.csv", HEADER),
        ("d.json.gz", gzip.compress(b"\n")),
    ):
        assert [parcel.error for parcel in read(write(tmp_path, name, content))] == ["holds no trip"]


def test_what_a_file_is_shows_in_its_content(tmp_path: Path):
    body = trip_body()
    csv_text = HEADER + "v,d,2026-01-01T12:00:00Z,50,0.1\n"
    for name, content in (("trips", body), ("trips.txt", b"\xef\xbb\xbf" + body), ("x.csv", gzip.compress(body))):
        assert [parcel.body for parcel in read(write(tmp_path, name, content))] == [body]
    for name, content in (("rows", csv_text.encode()), ("rows.gz", gzip.compress(b"\xef\xbb\xbf" + csv_text.encode()))):
        (parcel,) = read(write(tmp_path, name, content))
        assert json.loads(parcel.body)["data"][0]["speed_kmh"] == 50


def test_lines_are_counted_from_the_top_of_the_file(tmp_path: Path):
    path = write(tmp_path, "trips.ndjson", b"\n\n" + trip_body() + b"\n\nno\n")
    assert [parcel.source for parcel in read(path)] == [f"{path}:3", f"{path}:5"]


def test_a_broken_first_line_does_not_take_the_others_along(tmp_path: Path):
    for broken in (1, 3):
        path = write(tmp_path, "trips.ndjson", b"\n".join([b"{oops"] * broken + [trip_body(), trip_body()]))
        parcels = read(path)
        assert [parcel.error is None for parcel in parcels] == [False] * broken + [True, True]
        assert parcels[-1].source == f"{path}:{broken + 2}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\\\[]{},\\n é'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='k"\\\\]},'), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(JSON, min_size=1, max_size=8), st.sampled_from([None, 1]), st.integers(1, 40))
def test_a_list_is_split_where_a_parser_would_split_it(values: list[object], indent: int | None, size: int):
    text = json.dumps(values, indent=indent, ensure_ascii=False).encode()
    chunks = (text[at : at + size] for at in range(0, len(text), size))
    assert [json.loads(element) for element in split_list(chunks)] == values


def test_a_list_is_read_trip_by_trip(tmp_path: Path):
    body = trip_body()
    path = write(tmp_path, "trips.json", b"\n[\n" + b",\n".join([body, b"5", b'{"a": ]', body]) + b"\n]\n")
    parcels = read(path)
    assert [parcel.body for parcel in parcels] == [body, b"", b"", body]
    assert [parcel.source for parcel in parcels] == [f"{path}:{number + 2} (trip {number})" for number in range(1, 5)]


@pytest.mark.parametrize(
    ("end", "error"),
    [(b"", "ends in the middle of the list"), (b"] [1]", "goes on after the list"), (b",]", "is not JSON")],
)
def test_a_list_that_ends_badly_says_so_after_its_good_trips(tmp_path: Path, end: bytes, error: str):
    parcels = read(write(tmp_path, "trips.json", b"[" + trip_body() + b", " + trip_body() + end))
    assert parcels[0].error is None
    assert error in str(parcels[-1].error)


def test_a_long_list_is_never_in_memory(tmp_path: Path):
    path = tmp_path / "long.json"
    with path.open("wb") as file:
        file.write(b"[" + b",".join([trip_body([{"speed_kmh": 50, "g_force_long": 0.1}] * 500)] * 1500) + b"]")
    tracemalloc.start()
    try:
        assert sum(parcel.error is None for parcel in read_parcels(str(path), NOTHING)) == 1500
        assert tracemalloc.get_traced_memory()[1] < path.stat().st_size / 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["trip", "trip_id"])
def test_rows_of_several_trips_may_be_mixed(tmp_path: Path, name: str):
    header = f"vehicle_id,driver_id,{name},speed_kmh,g_force_long\n"
    rows = [f"v{number % 3},d,{number % 2},{number},0.1" for number in range(60)]
    parcels = read(write(tmp_path, "trips.csv", header + "\n".join(rows)))
    assert len(parcels) == 6
    for parcel in parcels:
        speeds = [point["speed_kmh"] for point in json.loads(parcel.body)["data"]]
        assert len(speeds) == 10
        assert set(np.diff(speeds)) == {6}


def test_a_faulty_row_refuses_its_trip_and_no_other(tmp_path: Path):
    rows = ["v,d,,50,0.1", "w,d,,50,0,1", "v,d,,51,0.2", "x,d,,51,inf", "y,d,,51,nan", "z,d,,\xff,0"]
    parcels = read(write(tmp_path, "trips.csv", (HEADER + "\n".join(rows)).encode("latin-1")))
    errors = {parcel.source.rpartition(":")[2]: parcel.error for parcel in parcels}
    assert errors == {
        "2": None,
        "3": "line 3: has 6 cells under a header of 5",
        "5": "line 5: g_force_long is infinite",
        "6": None,
        "7": "line 7: speed_kmh is no number: '\ufffd'",
    }


def test_a_csv_file_that_breaks_off_is_not_sent_in_part(tmp_path: Path):
    content = HEADER + "v,d,,50,0.1\n" + 'v,d,,"' + "5" * 200_000 + '",0.1\n'
    path = write(tmp_path, "trips.csv", content)
    (parcel,) = read(path)
    assert parcel.source == f"{path}:3"
    assert "nothing of this file was sent" in str(parcel.error)


def test_reading_is_told_in_bytes_on_disk(tmp_path: Path):
    for name, content in (
        ("a.ndjson", trip_body()),
        ("b.csv", HEADER + "v,d,,50,0.1\n"),
        ("c.gz", gzip.compress(b"[]")),
    ):
        path = write(tmp_path, name, content)
        counts: list[int] = []
        list(read_parcels(str(path), NOTHING, counts.append))
        assert sum(counts) == path.stat().st_size
