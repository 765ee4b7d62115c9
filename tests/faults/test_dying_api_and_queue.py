"""An API that dies, a broker that is away, a database that freezes: what was answered 202 is scored, once."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from fleetflow.embedded import EmbeddedPostgres
from fleetflow.storage.migrate import upgrade
from tests.faults.conftest import Programs, assert_all_scored_once, rows
from tests.support.children import children_of
from tests.support.trips import trip_body
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import sqlalchemy as sa

    from tests.support.rabbitmq import PrivateBroker

pytestmark = [pytest.mark.faults, pytest.mark.postgres, pytest.mark.timeout(110)]
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def post(client: httpx.Client, body: bytes) -> httpx.Response:
    return client.post("/api/v1/telemetry", content=body, headers=JSON)


def post_many(client: httpx.Client, count: int) -> None:
    body = b"\n".join(trip_body() for _ in range(count))
    answer = client.post("/api/v1/telemetry/batch", content=body, headers=NDJSON)
    assert answer.status_code == 202
    assert answer.text.count('"QUEUED"') == count


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)


def test_an_api_killed_between_commit_and_publish_loses_nothing(
    engine: sa.Engine, programs: Programs, client: httpx.Client
):
    api = programs.start_api("tests.support.crashing", "api-after-commit")
    body = trip_body()
    with pytest.raises(httpx.TransportError):
        post(client, body)
    assert api.wait(timeout=10) == -signal.SIGKILL
    (stored,) = rows(engine, "SELECT id::text FROM telemetry.trip_logs")
    programs.start_api()
    programs.start("worker")
    again = post(client, body)
    assert again.status_code == 202
    assert again.json() == {"status": "QUEUED", "trip_id": stored[0], "duplicate": True}
    assert_all_scored_once(engine, 1)


def test_trips_that_nobody_announced_are_found_by_the_sweep(
    engine: sa.Engine, programs: Programs, client: httpx.Client
):
    programs.start_api("tests.support.crashing", "api-after-commit")
    worker = programs.start("worker")
    wait_until(lambda: "worker_started" in programs.log(worker), what="the worker")
    with pytest.raises(httpx.TransportError):
        post(client, trip_body())
    assert_all_scored_once(engine, 1)


@pytest.mark.rabbitmq
def test_a_broker_that_is_down_while_a_thousand_trips_come_in_delays_nothing_but_wake_ups(
    engine: sa.Engine, database_url: str, tmp_path: Path, own_broker: PrivateBroker
):
    programs = Programs(database_url, tmp_path, RABBITMQ_URL=own_broker.url(), QUEUE_TIMEOUT_S=1)
    try:
        programs.start_api()
        programs.start("worker")
        with httpx.Client(base_url=f"http://127.0.0.1:{programs.port}", timeout=20) as client:
            post_many(client, 10)
            assert_all_scored_once(engine, 10)
            own_broker.kill()
            for _ in range(4):
                post_many(client, 250)
            assert client.get("/readyz").status_code == 200
            assert_all_scored_once(engine, 1010)
            assert client.get("/readyz").json()["queue"] == "unreachable"
            own_broker.start()
            wait_until(lambda: client.get("/readyz").json()["queue"] == "ok", 30, what="the broker's return")
            post_many(client, 10)
            assert_all_scored_once(engine, 1020)
    finally:
        programs.close()


def test_a_frozen_database_is_answered_503_in_time_and_heals_by_itself(tmp_path: Path):
    with EmbeddedPostgres(tmp_path / "postgres", durable=False) as server:
        upgrade(server.url)
        programs = Programs(server.url, tmp_path)
        programs.start_api()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{programs.port}", timeout=20) as client:
                assert post(client, trip_body()).status_code == 202
                frozen = [server.pid or 0, *children_of(server.pid or 0)]
                signal_all(frozen, signal.SIGSTOP)
                try:
                    answer = post(client, trip_body())
                    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")
                    assert answer.headers["retry-after"] == "5"
                    assert answer.elapsed.total_seconds() < 5
                    assert client.get("/healthz").elapsed.total_seconds() < 0.5
                finally:
                    signal_all(frozen, signal.SIGCONT)
                wait_until(lambda: post(client, trip_body()).status_code == 202, 20, what="the database's return")
        finally:
            programs.close()


def test_sessions_cut_by_the_database_cost_no_request(engine: sa.Engine, programs: Programs, client: httpx.Client):
    programs.start_api()
    assert post(client, trip_body()).status_code == 202
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert rows(engine, cut)[0][0] > 0
    assert [post(client, trip_body()).status_code for _ in range(10)] == [202] * 10
