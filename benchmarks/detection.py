"""Finding events in batches against plain code, and the whole analysis of stored trips against merely reading them."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import psycopg
from scipy.signal import find_peaks, peak_widths
from uuid_utils.compat import uuid7

from benchmarks.report import Row
from benchmarks.services import fresh_database
from fleetflow.embedded import EmbeddedPostgres
from fleetflow.safety.detection import find_events
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.scores import score_trip
from fleetflow.settings import Settings
from fleetflow.storage.claims import ClaimedTrip
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.trips import NewTrip, insert_trips
from fleetflow.trips.columns import pack, unpack
from fleetflow.trips.samples import Samples
from worker.analysis import Analysis, analyse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fleetflow.trips.samples import FloatArray

RATE_HZ = 10.0
ROUNDS = 7
READ = """
SELECT id, vehicle_id, driver_id, received_at, sample_hz, 1, false, telemetry_blob::text
FROM telemetry.trip_logs WHERE id = ANY(%(ids)s)
"""
STORED = ((2400, 60), (480, 600), (240, 1800), (24, 36_000))
SHAPES = ((480, 60), (480, 1800), (4, 100_000))
BATCH, MOST_POINTS = (Settings.model_fields[name].default for name in ("batch_trips", "batch_points"))  # a worker's


def finding() -> Iterator[Row]:
    """Points per second."""
    random = np.random.default_rng(1)
    for trips, points in SHAPES:
        batch = [_drive(random, points) for _ in range(trips)]
        plain = _points_per_second(lambda batch=batch: _one_by_one(batch), batch)  # type: ignore[misc]
        ours = _points_per_second(lambda batch=batch: _in_batches(batch), batch)  # type: ignore[misc]
        name = f"find events, {points:,}-point trips at {RATE_HZ:g} Hz"
        yield Row(name, "-", "trip by trip, no smoothing", plain / 1e6, ours / 1e6, "M points/s")


def stored() -> Iterator[Row]:
    """Points per second of trips that lie in Postgres: read and decoded only, and analysed and scored besides."""
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder) / "postgres") as server:
        for trips, points in STORED:
            batch = [_rounded(_drive(random, points)) for _ in range(trips)]
            url = fresh_database(server.url, f"stored_{points}")
            _store(url, batch)
            with psycopg.connect(url) as conn:
                read, ours = _alternating(partial(_read, conn), partial(_score, conn), batch)
            name = f"analyse and score stored {points:,}-point trips"
            yield Row(name, "-", "read and decode them", read / 1e6, ours / 1e6, "M points/s")


def _store(url: str, batch: Sequence[Samples]) -> None:
    engine = create_engine(url, application_name="benchmarks")
    new = [NewTrip(uuid7(), uuid4(), uuid4(), pack(each), len(each), uuid4().bytes) for each in batch]
    with connection(engine) as conn:
        insert_trips(conn, new)
    engine.dispose()


def _batches(conn: psycopg.Connection[tuple[Any, ...]]) -> Iterator[list[ClaimedTrip]]:
    """Every stored trip, as many at once as a worker takes."""
    sizes = conn.execute("SELECT id, point_count FROM telemetry.trip_logs ORDER BY id").fetchall()
    many = max(min(BATCH, MOST_POINTS // sizes[0][1]), 1)
    ids = [trip_id for trip_id, _ in sizes]
    for start in range(0, len(ids), many):
        rows = conn.execute(READ, {"ids": ids[start : start + many]})
        yield [ClaimedTrip(*row) for row in rows]


def _read(conn: psycopg.Connection[tuple[Any, ...]]) -> None:
    for trips in _batches(conn):
        for trip in trips:
            unpack(trip.blob)


def _score(conn: psycopg.Connection[tuple[Any, ...]]) -> None:
    for trips in _batches(conn):
        for result in analyse(trips):
            assert isinstance(result, Analysis)
            score_trip(result.events, DEFAULT_PROFILE)


def _rounded(samples: Samples) -> Samples:
    """As devices send it."""
    assert samples.g_force_lat is not None
    return replace(
        samples, speed_kmh=samples.speed_kmh.round(1), g_force_long=samples.g_force_long.round(3),
        g_force_lat=samples.g_force_lat.round(3),
    )  # fmt: skip


def _one_by_one(trips: Sequence[Samples]) -> None:
    for trip in trips:
        _plain(trip)


def _in_batches(trips: Sequence[Samples]) -> None:
    for start in range(0, len(trips), BATCH):
        find_events(trips[start : start + BATCH])


def _plain(trip: Samples) -> None:
    assert trip.g_force_lat is not None
    signals = (np.maximum(-trip.g_force_long, 0), np.maximum(trip.g_force_long, 0), np.abs(trip.g_force_lat))
    for signal, distance in zip(signals, (20, 20, 30), strict=True):
        padded = np.concatenate([[0.0], signal, [0.0]])
        peaks, _ = find_peaks(padded, height=0.15, prominence=0.1, distance=distance, wlen=600)
        peak_widths(padded, peaks, rel_height=0.5)


def _drive(random: np.random.Generator, points: int) -> Samples:
    """Quiet driving with a pulse every half minute or so."""
    t_s = np.arange(points) / RATE_HZ
    pulses = np.sum([_pulse(t_s, random) for _ in range(max(int(points / 300), 1))], axis=0)
    long_g, lat_g = (random.normal(0, 0.03, points) for _ in range(2))
    speed = np.clip(50 + random.normal(0, 0.3, points).cumsum(), 0, 130)
    return Samples(speed, long_g + pulses, t_s=t_s, g_force_lat=lat_g + np.roll(pulses, points // 2))


def _pulse(t_s: FloatArray, random: np.random.Generator) -> FloatArray:
    at, width = random.uniform(0, t_s[-1]), random.uniform(1, 3)
    shape: FloatArray = np.clip(np.cos(np.pi * np.clip((t_s - at) / width, -0.5, 0.5)), 0, 1)
    return random.uniform(-0.6, 0.6) * shape


def _alternating(one: Callable[[], object], other: Callable[[], object], batch: Sequence[Samples]) -> list[float]:
    """Points per second of both, measured in turn, so that a busy machine slows both."""
    seconds = [(_seconds(one), _seconds(other)) for _ in range(ROUNDS)]
    return [sum(len(trip) for trip in batch) / min(each) for each in zip(*seconds, strict=True)]


def _points_per_second(work: Callable[[], object], batch: Sequence[Samples]) -> float:
    best = min(_seconds(work) for _ in range(ROUNDS))
    return sum(len(trip) for trip in batch) / best


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
