"""A large fleet that is stored already: scoring it again, asking what if, and the reports that pages are made of."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import numpy as np
import psycopg

from benchmarks.fleets import DRIVERS, EVENTS, TRIPS
from benchmarks.report import Row
from benchmarks.services import ROOT, Stack, peak_memory_mb, running_api, running_worker
from benchmarks.stored import store_large_fleet
from benchmarks.trips import bodies
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule
from fleetflow.storage import profiles, runs
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.driving import read_driver_days
from fleetflow.storage.reports import read_days, read_leaderboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sa

SIZE = f"{TRIPS:,} trips, {EVENTS:,} events, {DRIVERS} drivers"
ARRIVE_EVERY_S = 0.05
POLL_S = 0.05
ROUNDS = 5
STRICTER = replace(DEFAULT_PROFILE, name="Stricter", rules={**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.35, 5)})
SCORES = """
INSERT INTO telemetry.driver_scores (trip_id, profile_version, driver_id, safety_score, points, harsh_braking_count,
                                     rapid_accel_count, harsh_cornering_count, speeding_count)
SELECT id, 1, driver_id, 100, 0, 0, 0, 0, 0 FROM telemetry.trip_logs ORDER BY id
"""
SUMMED = "SELECT sum(peak_g) FROM telemetry.harsh_events"
JOINED = """
SELECT sum(distance_km), sum(points)
FROM telemetry.trip_logs AS trip JOIN telemetry.driver_scores ON trip_id = trip.id AND profile_version = 1
"""


def stored_fleet(stack: Stack) -> Iterator[Row]:
    """Fills the stack's database first, which takes most of the time."""
    store_large_fleet(stack.database_url)
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        written_s = _seconds(lambda: conn.execute(SCORES.encode()))
        conn.execute(b"VACUUM ANALYZE telemetry.driver_scores")
        yield from _reports(stack, conn)
        yield from _what_if(stack, conn)
        yield from _rescoring(stack, TRIPS / written_s)


def _reports(stack: Stack, conn: psycopg.Connection[tuple[object, ...]]) -> Iterator[Row]:
    """Milliseconds of each, the best of some rounds."""
    joined = _best_ms(lambda: conn.execute(JOINED.encode()).fetchall())
    asked: dict[str, Callable[[sa.Connection], object]] = {
        "leaderboard": lambda each: read_leaderboard(each, 1, None),
        "days": lambda each: read_days(each, 1, None, "Europe/Berlin"),
        "drivers' days": lambda each: read_driver_days(each, 1, zone="Europe/Berlin"),
    }
    engine = create_engine(stack.database_url, application_name="bench")
    with connection(engine) as each:
        for name, read in asked.items():
            took = _best_ms(lambda read=read: read(each))  # type: ignore[misc]
            yield Row(f"report: {name}, {TRIPS:,} trips", "-", "SQL: join and add up", joined, took, "ms")
    engine.dispose()


def _what_if(stack: Stack, conn: psycopg.Connection[tuple[object, ...]]) -> Iterator[Row]:
    """In a process of its own, so that its memory is its own."""
    one_pass = _best_ms(lambda: conn.execute(SUMMED.encode()).fetchall())
    command = [sys.executable, "-m", "benchmarks.cold", stack.database_url]
    found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    yield Row(f"cold what-if, {SIZE}", "-", "SQL: add up the peaks", one_pass, found["ms"], "ms")
    columns_mb = EVENTS * (4 + 1 + 8 + 1) / 1e6
    yield Row("its process's peak memory", "-", "the events' columns", columns_mb, found["peak_mb"], "MB")


def _rescoring(stack: Stack, written_per_s: float) -> Iterator[Row]:
    """A run by one worker, which takes what comes in at the same time."""
    engine = create_engine(stack.database_url, application_name="bench")
    with running_api(stack) as (port, _), running_worker(stack) as pid, _arriving(port):
        with connection(engine) as conn:
            version = profiles.insert_profile(conn, STRICTER, author="Benchmark", note="")
            run = runs.insert_run(conn, version, asked_by="Benchmark", activates=True)
        run = _finished(engine, run.id)
        peak = peak_memory_mb(pid)
    assert run.finished_at
    rate = run.done_trips / (run.finished_at - run.started_at).total_seconds()
    engine.dispose()
    name = f"re-score {SIZE}, {1 / ARRIVE_EVERY_S:.0f} trips/s coming in"
    yield Row(name, stack.name, "SQL: one INSERT of as many scores", written_per_s, rate, "trips/s")
    yield Row("its worker's peak memory", stack.name, "the events' columns", EVENTS * 14 / 1e6, peak, "MB")


class _arriving:  # noqa: N801 - a context manager
    """Trips of a minute come in, one after the other, while the block runs."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/telemetry"
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._post)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._finished.set()
        self._thread.join()

    def _post(self) -> None:
        with httpx.Client() as client:
            for body in bodies(2000, 60):
                if self._finished.wait(ARRIVE_EVERY_S):
                    return
                client.post(self._url, content=body, headers={"Content-Type": "application/json"}).raise_for_status()


def _finished(engine: sa.Engine, run_id: int) -> runs.Run:
    while True:
        with connection(engine) as conn:
            run = runs.read_run(conn, run_id)
        if run.state is not runs.RunState.RUNNING:
            return run
        time.sleep(POLL_S)


def _best_ms(work: Callable[[], object]) -> float:
    return 1000 * float(np.min([_seconds(work) for _ in range(ROUNDS)]))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
