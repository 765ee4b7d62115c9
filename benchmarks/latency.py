"""From the 202 to the score, one trip at a time, as a client sees it."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import httpx
import psycopg

from benchmarks.report import Row
from benchmarks.services import Stack, running_api, running_worker
from benchmarks.trips import bodies

if TYPE_CHECKING:
    from collections.abc import Iterator

TRIPS = 300
POINTS = 600
POLL_S = 0.001
JSON = {"Content-Type": "application/json"}


def accepted_to_scored(stack: Stack) -> Iterator[Row]:
    """p50 and p99 against one durable commit on the same disk."""
    floor = _commit_ms(stack)
    with running_api(stack) as (port, _), running_worker(stack), _client(port) as client:
        took = sorted(_milliseconds(client, body) for body in bodies(TRIPS, POINTS, seed=2))
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        value = took[int(share * (len(took) - 1))]
        yield Row(f"accepted to scored, {name}", stack.name, "one durable commit", floor, value, "ms")


def _client(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}")


def _milliseconds(client: httpx.Client, body: bytes) -> float:
    answer = client.post("/api/v1/telemetry", content=body, headers=JSON)
    accepted = time.perf_counter()
    address = f"{answer.headers['location']}/score"
    while client.get(address).status_code != httpx.codes.OK:
        time.sleep(POLL_S)
    return (time.perf_counter() - accepted) * 1000


def _commit_ms(stack: Stack, commits: int = 200) -> float:
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS commit_floor (n int)")
        return statistics.median(_timed(conn) for _ in range(commits)) * 1000


def _timed(conn: psycopg.Connection[tuple[object, ...]]) -> float:
    started = time.perf_counter()
    conn.execute("INSERT INTO commit_floor VALUES (1)")
    return time.perf_counter() - started
