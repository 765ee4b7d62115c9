"""Accepting and scoring against the naive service, in the same minutes on the same machine."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from benchmarks.load import as_request, post_all
from benchmarks.report import Row
from benchmarks.services import (
    Stack,
    completed,
    peak_memory_mb,
    running_api,
    running_naive,
    running_worker,
    wait_until_scored,
)
from benchmarks.trips import bodies

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One size of trip; `naive` and `trips` requests take some seconds each."""

    points: int
    connections: int
    naive: int
    trips: int


CASES = (Case(60, 32, 300, 6000), Case(1800, 16, 100, 1200))


def accepting(stack: Stack) -> Iterator[Row]:
    """Trips accepted per second, without a worker."""
    for case in CASES:
        with running_naive(stack) as naive_port, running_api(stack) as (port, _):
            naive, ours = [], []
            for _ in range(ROUNDS):
                naive.append(_rate(naive_port, case, case.naive))
                ours.append(_rate(port, case, case.trips))
        yield _row(f"accept {case.points:,}-point trips, {case.connections} connections", stack, naive, ours)
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        conn.execute("TRUNCATE telemetry.trip_logs CASCADE")


def accepting_and_scoring(stack: Stack) -> Iterator[Row]:
    """Trips accepted *and scored* per second, with one worker, until the last one has its score."""
    for case in CASES:
        with running_naive(stack) as naive_port, running_api(stack) as (port, _), running_worker(stack):
            naive, ours = [], []
            for _ in range(ROUNDS):
                naive.append(_rate(naive_port, case, case.naive))
                ours.append(_scored_rate(stack, port, case))
        yield _row(f"accept and score {case.points:,}-point trips", stack, naive, ours)


def memory(stack: Stack) -> Iterator[Row]:
    """The API's peak memory while large trips are posted, against the size of one body."""
    large = bodies(24, 100_000)
    with running_api(stack) as (port, pid):
        load = post_all(port, [as_request(body) for body in large], connections=8)
        peak = peak_memory_mb(pid)
    assert load.refused == 0
    body_mb = len(large[0]) / 1e6
    yield Row("API's peak memory, 100,000-point trips on 8 connections", stack.name, "one body", body_mb, peak, "MB")


def _rate(port: int, case: Case, count: int) -> float:
    load = post_all(port, [as_request(body) for body in bodies(count, case.points)], case.connections)
    assert load.refused == 0
    return load.per_second


def _scored_rate(stack: Stack, port: int, case: Case) -> float:
    requests = [as_request(body) for body in bodies(case.trips, case.points)]
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        before = completed(conn)
    started = time.perf_counter()
    assert post_all(port, requests, case.connections).refused == 0
    wait_until_scored(stack, before + len(requests))
    return len(requests) / (time.perf_counter() - started)


def _row(name: str, stack: Stack, naive: list[float], ours: list[float]) -> Row:
    return Row(name, stack.name, "naive service", statistics.median(naive), statistics.median(ours), "trips/s")
