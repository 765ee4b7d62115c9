"""From a file to its preview, against a library that merely reads the same bytes."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from pyarrow import csv

from benchmarks.report import Row
from fleetflow.importers import FileLimits, import_file
from fleetflow.importers.preview import make_preview

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS, ROWS_A_TRIP, RATE_HZ = 1_000_000, 20_000, 10.0
ROUNDS = 3
FIRST = np.datetime64("2026-01-05T08:00:00", "ms")
LIMITS = FileLimits(max_bytes=200_000_000)


def previewing() -> Iterator[Row]:
    """Million rows per second, events of all trips included."""
    content, latest = _file(), datetime(2027, 1, 1, tzinfo=UTC)
    plain = _rows_per_second(lambda: csv.read_csv(io.BytesIO(content)))
    ours = _rows_per_second(lambda: make_preview(import_file(content, latest=latest, limits=LIMITS)))
    yield Row(f"CSV of {ROWS:,} rows to preview", "-", "pyarrow, reading only", plain / 1e6, ours / 1e6, "M rows/s")


def _rows_per_second(work: Callable[[], object]) -> float:
    spans = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        spans.append(time.perf_counter() - began)
    return ROWS / min(spans)


def _file() -> bytes:
    random = np.random.default_rng(1)
    trip, place = np.divmod(np.arange(ROWS), ROWS_A_TRIP)
    at = FIRST + (trip * 21_600_000 + place * int(1000 / RATE_HZ)).astype("timedelta64[ms]")
    speed = 60 + 20 * np.sin(np.arange(ROWS) / 300)
    long_g = np.gradient(speed / 3.6, 1 / RATE_HZ) / 9.80665 + random.normal(0, 0.02, ROWS)
    columns = (trip, np.datetime_as_string(at, timezone="UTC"), speed.round(1), long_g.round(3))
    lines = map("{},{},{},{}".format, *(column.tolist() for column in columns))
    return "\n".join(["trip_id,timestamp,speed_kmh,g_force_long", *lines]).encode()
