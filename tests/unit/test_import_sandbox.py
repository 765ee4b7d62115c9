"""A file is read in a process of its own: its preview comes back, and no file takes more than it may."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fleetflow.importers import FileRefusedError, Mapping, Use
from fleetflow.importers.roles import Role
from fleetflow.importers.sandbox import Sandbox
from fleetflow.trips.wire import TripDecoder

if TYPE_CHECKING:
    from fleetflow.importers.preview import Preview

LATEST = datetime(2026, 11, 1, tzinfo=UTC)
ROWS = "".join(f"2026-01-05T08:00:{second:02d}Z,{50 + second % 9},<b>,0.1\n" for second in range(50))
CONTENT = f"time,speed,Fahrer,accel\n{ROWS}".encode()


@pytest.fixture(scope="module")
def preview() -> Preview:
    return Sandbox().preview(CONTENT, LATEST, None, Mapping(zone="Europe/Berlin", vehicle="Van 7"))


def test_a_preview_says_what_a_file_would_become(preview: Preview):
    (trip,) = preview.trips
    assert (trip.driver, trip.vehicle, trip.points, trip.line) == ("<b>", "Van 7", 50, 2)
    assert trip.drawing is not None
    assert len(trip.drawing.t_s) == 50
    assert [(column.name, column.role) for column in preview.columns][:2] == [
        ("time", Role.TIME),
        ("speed", Role.SPEED),
    ]
    assert preview.columns[1].after == "50 to 58 km/h"
    assert {question.title for question in preview.questions} == {"Is speed in km/h?", "Is accel in g?"}


def test_the_bodies_are_what_the_preview_showed(preview: Preview):
    (body,) = Sandbox().bodies(CONTENT, LATEST, preview.mapping)
    trip = TripDecoder().decode(body, latest=LATEST)
    assert (trip.driver_id, len(trip.samples)) == (preview.trips[0].driver_id, 50)


def test_a_refusal_of_the_child_is_the_parents():
    with pytest.raises(FileRefusedError, match="names the column “gone”, which the file has not"):
        Sandbox().preview(CONTENT, LATEST, Mapping({"gone": Use(Role.SPEED, "km/h")}))


@pytest.mark.parametrize(
    ("sandbox", "message"),
    [
        (Sandbox(time_limit_s=0.01), "took longer than 0.01 s, which is the limit"),
        (Sandbox(memory_bytes=100_000_000), "more memory|over its limit of 0.1 GB"),
    ],
)
def test_a_file_that_takes_too_much_is_refused(sandbox: Sandbox, message: str):
    with pytest.raises(FileRefusedError, match=message):
        sandbox.preview(CONTENT + b"2026-01-05T08:00:59Z,1,x,0\n" * 400_000, LATEST)
