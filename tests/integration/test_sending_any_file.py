"""`send` with files of other loggers: mapped, shown before they go, and stored once."""

from __future__ import annotations

import gzip
import uuid
from typing import TYPE_CHECKING

import pytest

from fleetflow.__main__ import main
from fleetflow.commands.trip_files import is_own_form

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

ROWS = "".join(f"5/1/2026 08:00:{second:02d};{30 + second % 9},5;0,98\n" for second in range(40))
EXPORT = f"Zeit;Tempo (mph);accel\n{ROWS}"
POINTS = "".join(
    f'<trkpt lat="{52 + n / 10_000}" lon="9"><time>2026-01-05T08:00:{n:02d}Z</time></trkpt>' for n in range(40)
)
GPX = f"<gpx><trk><trkseg>{POINTS}</trkseg></trk></gpx>"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """An export with decimal commas, packed, and a track."""
    (tmp_path / "export.csv.gz").write_bytes(gzip.compress(EXPORT.encode()))
    (tmp_path / "track.gpx").write_text(GPX)
    return [str(tmp_path / "export.csv.gz"), str(tmp_path / "track.gpx")]


@pytest.mark.postgres
def test_files_of_other_loggers_are_sent_once_however_often(
    api: httpx.Client, files: list[str], capsys: pytest.CaptureFixture[str]
):
    whose = ["--driver-id", "Simulated Ann", "--vehicle-id", str(uuid.uuid4())]
    command = ["send", *files, "--zone", "Europe/Berlin", "--url", str(api.base_url), *whose]
    assert main(command) == 0
    assert capsys.readouterr().out == "2 accepted, 0 duplicate, 0 refused, 0 gave up\n"
    assert main(command) == 0
    assert capsys.readouterr().out == "0 accepted, 2 duplicate, 0 refused, 0 gave up\n"


def test_a_dry_run_shows_what_would_become_of_the_files(files: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["send", *files, "--dry-run", "--url", "http://127.0.0.1:1"]) == 0
    shown = capsys.readouterr().out
    assert "export.csv.gz: CSV, separated by semicolons, decimal commas, 40 rows, 1 trips, 0 rows refused" in shown
    assert "Are the dates d/m/y?" in shown
    assert "The file has no speed: it was taken from the positions." in shown
    assert '"Tempo (mph)":{"role":"Speed","unit":"mph"}' in shown


def test_a_saved_mapping_decides_in_place_of_a_guess(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    mapping = tmp_path / "mapping.json"
    mapping.write_text(
        '{"zone": "Europe/Berlin", "driver": "Simulated Ann", "uses": {"Zeit": {"role": "Time", "unit": "m/d/y"},'
        ' "Tempo (mph)": {"role": "Speed", "unit": "km/h"}}}'
    )
    assert main(["send", files[0], "--dry-run", "--mapping", str(mapping)]) == 0
    shown = capsys.readouterr().out
    assert "Are the dates" not in shown
    assert "2026-05-01 06:00:00Z" in shown
    assert "Simulated Ann" in shown
    mapping.write_text('{"uses": {"Zeit": {"role": "Hour"}}}')
    assert main(["send", files[0], "--mapping", str(mapping)]) == 1
    assert "This is not a mapping" in capsys.readouterr().err


def test_rows_that_nobody_drove_are_not_sent(files: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(["send", files[0], "--url", "http://127.0.0.1:1"]) == 1
    assert "has no vehicle; map a column or give --vehicle-id" in capsys.readouterr().err


@pytest.mark.parametrize("head", [b"speed_kmh,g_force_long\n", b'{"vehicle_id": "v", "data": [', b"{oops", b""])
def test_the_apis_own_form_and_what_is_broken_go_the_way_that_tells_of_every_line(head: bytes):
    assert is_own_form(head)


@pytest.mark.parametrize(
    "head",
    [
        b"speed;g\n",
        b'{"t": 1, "speed": 2}\n',
        b'[{"t": 1, "speed": 2},\n',
        b'{"name":"vehicle_speed","value":1}\n',
        b"PAR1",
        b"<?xml",
    ],
)
def test_files_of_other_loggers_are_known_by_their_beginning(head: bytes):
    assert not is_own_form(head)
