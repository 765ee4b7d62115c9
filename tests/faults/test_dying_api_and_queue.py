"""An API that dies, a broker that is away, messages that come too often: what was answered 202 is scored, once."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from fleetflow.queue import open_publisher, read_state
from fleetflow.storage.database import connection
from fleetflow.storage.trips import insert_trips
from tests.faults.conftest import rows, states
from tests.faults.five import assert_the_five
from tests.faults.programs import Programs
from tests.support.ports import PLAIN
from tests.support.queues import make_settings, publish
from tests.support.trips import new_trip, trip_body
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sa

    from tests.support.rabbitmq import PrivateBroker

pytestmark = [pytest.mark.faults, pytest.mark.postgres, pytest.mark.timeout(110)]
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


def post(client: httpx.Client, body: bytes) -> httpx.Response:
    return client.post("/api/v1/telemetry", content=body, headers=JSON)


def post_many(client: httpx.Client, count: int) -> list[UUID]:
    body = b"\n".join(trip_body() for _ in range(count))
    answer = client.post("/api/v1/telemetry/batch", content=body, headers=NDJSON)
    assert answer.status_code == 202
    lines = [orjson.loads(line) for line in answer.text.splitlines()]
    assert [line["status"] for line in lines] == ["QUEUED"] * count
    return [UUID(line["trip_id"]) for line in lines]


def all_scored(engine: sa.Engine, count: int) -> None:
    wait_until(lambda: states(engine) == {"COMPLETED": count}, 40, what=f"{count} completed trips")


def test_an_api_killed_between_commit_and_publish_loses_nothing(
    engine: sa.Engine, programs: Programs, client: httpx.Client
):
    api = programs.start_api("tests.support.crashing", "api-after-commit")
    body = trip_body()
    with pytest.raises(httpx.TransportError):
        post(client, body)
    assert programs.exit_code(api, 10) == -signal.SIGKILL
    (stored,) = rows(engine, "SELECT id::text FROM telemetry.trip_logs")
    programs.start_api()
    programs.start("worker")
    again = post(client, body)
    assert again.status_code == 202
    assert again.json() == {"status": "QUEUED", "trip_id": stored[0], "duplicate": True}
    assert_the_five(programs, [UUID(stored[0])])


def test_trips_that_nobody_announced_are_found_by_the_sweep(
    engine: sa.Engine, programs: Programs, client: httpx.Client
):
    api = programs.start_api("tests.support.crashing", "api-after-commit")
    programs.start_worker()
    with pytest.raises(httpx.TransportError):
        post(client, trip_body())
    programs.exit_code(api)
    all_scored(engine, 1)
    assert_the_five(programs, [])


@pytest.mark.rabbitmq
def test_a_broker_that_is_down_while_a_thousand_trips_come_in_delays_nothing_but_wake_ups(
    engine: sa.Engine, database_url: str, tmp_path: Path, own_broker: PrivateBroker
):
    with (
        Programs(database_url, tmp_path, RABBITMQ_URL=own_broker.url(), QUEUE_TIMEOUT_S=1) as programs,
        httpx.Client(base_url=f"http://127.0.0.1:{programs.port}", timeout=20, verify=PLAIN) as client,
    ):
        programs.start_api()
        programs.start("worker")
        promised = post_many(client, 10)
        all_scored(engine, 10)
        own_broker.kill()
        for _ in range(4):
            promised += post_many(client, 250)
        assert client.get("/readyz").status_code == 200
        all_scored(engine, 1010)
        assert client.get("/readyz").json()["queue"] == "unreachable"
        own_broker.start()
        wait_until(lambda: client.get("/readyz").json()["queue"] == "ok", 30, what="the broker's return")
        promised += post_many(client, 10)
        assert_the_five(programs, promised)


@pytest.mark.rabbitmq
def test_a_trip_that_is_announced_a_hundred_times_is_scored_once_and_an_unknown_one_harms_nobody(
    engine: sa.Engine, database_url: str, tmp_path: Path, own_broker: PrivateBroker
):
    vhost = own_broker.add_vhost()
    trip = new_trip()
    with connection(engine) as conn:
        insert_trips(conn, [trip])
    settings = make_settings(rabbitmq_url=own_broker.url(vhost))
    publisher = open_publisher(settings, database_url)
    publish(publisher, [uuid4(), *[trip.id] * 100, uuid4()])
    publisher.close()
    with Programs(database_url, tmp_path, RABBITMQ_URL=own_broker.url(vhost)) as programs:
        programs.start("worker")
        wait_until(lambda: read_state(settings, database_url).ready == 0, what="an empty queue")
        all_scored(engine, 1)
        assert rows(engine, "SELECT attempts FROM telemetry.trip_logs") == [(1,)]
        assert read_state(settings, database_url).dead == 0
        assert_the_five(programs, [trip.id])


@pytest.mark.long
@pytest.mark.rabbitmq
def test_a_backlog_of_ten_thousand_trips_never_fills_the_queue(
    engine: sa.Engine, database_url: str, tmp_path: Path, own_broker: PrivateBroker
):
    vhost = own_broker.add_vhost()
    settings = make_settings(rabbitmq_url=own_broker.url(vhost))
    depths: list[int] = []

    def drained() -> bool:
        depths.append(read_state(settings, database_url).ready or 0)
        return states(engine) == {"COMPLETED": len(promised)}

    with (
        Programs(database_url, tmp_path, RABBITMQ_URL=own_broker.url(vhost)) as programs,
        httpx.Client(base_url=f"http://127.0.0.1:{programs.port}", timeout=20, verify=PLAIN) as client,
    ):
        programs.start_api()
        promised = [trip_id for _ in range(40) for trip_id in post_many(client, 250)]
        depths.append(read_state(settings, database_url).ready or 0)
        programs.start("worker")
        wait_until(drained, 60, what="the end of the backlog")
        assert 0 < max(depths) <= 250
        assert_the_five(programs, promised)


def test_sessions_cut_by_the_database_cost_no_request(engine: sa.Engine, programs: Programs, client: httpx.Client):
    programs.start_api()
    programs.start("worker")
    assert post(client, trip_body()).status_code == 202
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert rows(engine, cut)[0][0] > 0
    answers = [post(client, trip_body()) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [202] * 10
    assert_the_five(programs, [UUID(answer.json()["trip_id"]) for answer in answers])
