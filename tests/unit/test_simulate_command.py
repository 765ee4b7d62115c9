"""The command that writes simulated trips: the same seed the same bytes, and clear words for what cannot be done."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fleetflow.__main__ import main
from fleetflow.trips.wire import TripDecoder

if TYPE_CHECKING:
    from pathlib import Path

LATEST = datetime(2027, 1, 1, tzinfo=UTC)
SMALL = ["simulate", "--trips", "4", "--minutes", "15", "--drivers", "2", "--hz", "2"]


def simulate(folder: Path, *options: str) -> tuple[bytes, list[dict[str, object]]]:
    trips, truth = folder / "trips", folder / "truth"
    assert main([*SMALL, "--output", str(trips), "--truth", str(truth), *options]) == 0
    return trips.read_bytes(), [json.loads(line) for line in truth.read_bytes().splitlines()]


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path):
    assert simulate(tmp_path) == simulate(tmp_path)
    assert simulate(tmp_path)[0] != simulate(tmp_path, "--seed", "2")[0]


def test_the_truth_names_the_line_of_its_trip(tmp_path: Path):
    text, truth = simulate(tmp_path, "--trips", "8")
    trips = [TripDecoder().decode(line, latest=LATEST) for line in text.splitlines()]
    assert truth
    for event in truth:
        trip = trips[int(str(event["line"])) - 1]
        assert event["driver_id"] == str(trip.driver_id)
        assert 0 <= float(str(event["peak_s"])) <= 15 * 60


def test_faulty_devices_still_write_what_the_contract_takes(tmp_path: Path):
    faults = (
        "noise-g=0.1 bias-g=0.1 steepest-grade=0.06 bumps-per-minute=5 gaps-per-hour=60 "
        "frozen-speeds-per-hour=60 lost-position-share=0.3"
    )
    text, _ = simulate(tmp_path, *(f"--{fault}" for fault in faults.split()))
    trips = [TripDecoder().decode(line, latest=LATEST) for line in text.splitlines()]
    assert len(trips) == 4
    assert all(trip.samples.t_s is not None for trip in trips)
    without, _ = simulate(tmp_path, "--no-position")
    assert TripDecoder().decode(without.splitlines()[0], latest=LATEST).samples.latitude is None


@pytest.mark.parametrize(
    "wrong", ["--hz=0", "--hz=51", "--hz=nan", "--drivers=0", "--trips=0", "--minutes=0", "--seed=-1", "--bias-g=nan"]
)
def test_a_number_that_makes_no_drive_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["simulate", wrong])
    assert f"argument {wrong.partition('=')[0]}: must" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main([*SMALL, "--output", str(tmp_path / "none" / "trips")]) == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_a_reader_that_has_enough_is_no_error():
    command = [sys.executable, "-m", "fleetflow", *SMALL, "--trips", "200"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"vehicle_id"')
        process.stdout.close()
        assert (process.wait(timeout=60), process.stderr.read()) == (0, b"")
