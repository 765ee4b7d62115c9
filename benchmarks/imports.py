"""From a file to its preview and to stored trips, against a library that merely reads the same bytes."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from pyarrow import csv

from benchmarks.report import Row
from benchmarks.services import running_api
from fleetflow.importers import Mapping
from fleetflow.importers.sandbox import Sandbox
from fleetflow.sending import Line, Parcel, send_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.services import Stack

ROWS, ROWS_A_TRIP, RATE_HZ = 1_000_000, 20_000, 10.0
ROUNDS = 3
CONNECTIONS, ATTEMPTS = 4, 1
FIRST = np.datetime64("2026-01-05T08:00:00", "ms")
LATEST = datetime(2027, 1, 1, tzinfo=UTC)
WHO = Mapping(driver="Simulated Ann", vehicle="Van 7")


def importing(stack: Stack) -> Iterator[Row]:
    """Million rows per second as the upload page takes them: read in a child, then sent through the API."""
    content = _file()
    read_s = min(_seconds(lambda: csv.read_csv(io.BytesIO(content))) for _ in range(ROUNDS))
    mapping = Sandbox().preview(content, LATEST, None, WHO).mapping
    preview_s = min(_seconds(lambda: Sandbox().preview(content, LATEST, None, WHO)) for _ in range(ROUNDS))
    yield _row("to preview, events of all trips included", stack, read_s, preview_s)
    with running_api(stack) as (port, _):
        stored_s = _seconds(lambda: _store(content, mapping, f"http://127.0.0.1:{port}"))
    yield _row("to stored trips", stack, read_s, preview_s + stored_s)


def _store(content: bytes, mapping: Mapping | None, url: str) -> None:
    bodies = Sandbox().bodies(content, LATEST, mapping)
    report = send_trips((Parcel("trip", body) for body in bodies), Line(url, CONNECTIONS, ATTEMPTS))
    assert report.all_taken
    assert len(report.trip_ids) == ROWS // ROWS_A_TRIP


def _row(what: str, stack: Stack, read_s: float, our_s: float) -> Row:
    name = f"CSV of {ROWS:,} rows {what}: {our_s:.1f} s"
    return Row(name, stack.name, "pyarrow, reading only", ROWS / read_s / 1e6, ROWS / our_s / 1e6, "M rows/s")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _file() -> bytes:
    random = np.random.default_rng(1)
    trip, place = np.divmod(np.arange(ROWS), ROWS_A_TRIP)
    at = FIRST + (trip * 21_600_000 + place * int(1000 / RATE_HZ)).astype("timedelta64[ms]")
    speed = 60 + 20 * np.sin(np.arange(ROWS) / 300)
    long_g = np.gradient(speed / 3.6, 1 / RATE_HZ) / 9.80665 + random.normal(0, 0.02, ROWS)
    columns = (trip, np.datetime_as_string(at, timezone="UTC"), speed.round(1), long_g.round(3))
    lines = map("{},{},{},{}".format, *(column.tolist() for column in columns))
    return "\n".join(["trip_id,timestamp,speed_kmh,g_force_long", *lines]).encode()
