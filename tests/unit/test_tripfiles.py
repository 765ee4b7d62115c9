"""Reading trips from files: JSON as it is, CSV by its columns, every fault by file and line."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest

from fleetflow.errors import ConfigurationError
from fleetflow.tripfiles import Missing, read_parcels
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
        (HEADER + "v,d,,fast,0.1\n", "row 2: speed_kmh is no number: 'fast'"),
    ],
)
def test_a_csv_fault_says_where_it_is(tmp_path: Path, content: str, error: str):
    (parcel,) = read(write(tmp_path, "trips.csv", content))
    assert parcel.error == error


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"missing\.json cannot be read: No such file"):
        read(tmp_path / "missing.json")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(write(tmp_path, "broken.ndjson.gz", gzip.compress(trip_body())[:-9]))
