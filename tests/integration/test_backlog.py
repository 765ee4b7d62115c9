"""What happens when workers do not keep up: a queue without a bound is an outage that comes later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from fleetflow.storage.backlog import read_backlog, retry_failed
from fleetflow.storage.database import connection
from fleetflow.storage.trips import insert_trips
from tests.support.programs import make_settings, running_api
from tests.support.trips import new_trip, trip_body
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.postgres
BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def post(client: httpx.Client) -> httpx.Response:
    return client.post("/api/v1/telemetry", content=trip_body(), headers={"Content-Type": "application/json"})


def test_trips_are_refused_while_too_many_wait_and_taken_when_some_are_done(engine, database_url):
    with connection(engine) as conn:
        insert_trips(conn, [new_trip(), new_trip()])
    with running_api(make_settings(max_waiting_trips=2), database_url) as client:
        answer = post(client)
        assert (answer.status_code, answer.json()["code"]) == (503, "backlog_full")
        assert "2 trips wait" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) > 0
        assert client.get("/readyz").json()["code"] == "backlog_full"
        assert client.get("/healthz").status_code == 200
        assert "fleetflow_trips_waiting 2.0" in client.get("/metrics").text
        with connection(engine) as conn:
            conn.exec_driver_sql("UPDATE telemetry.trip_logs SET status = 'FAILED', error = 'made room'")
        wait_until(lambda: client.get("/readyz").status_code == 200, what="room")
        assert post(client).status_code == 202
        assert "fleetflow_trips_failed 2.0" in client.get("/metrics").text


def test_trips_are_refused_while_the_oldest_has_waited_too_long(engine, database_url):
    with connection(engine) as conn:
        insert_trips(conn, [new_trip()])
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET received_at = now() - interval '3 hours', attempts = 1")
    with running_api(make_settings(max_waiting_s=7200), database_url) as client:
        answer = post(client)
        assert (answer.status_code, answer.json()["code"]) == (503, "backlog_full")
        assert "3.0 hours" in answer.json()["detail"]


def test_an_old_trip_that_is_tried_again_does_not_close_the_api(engine, database_url):
    """It waits since somebody asked for it, not since it was received."""
    with connection(engine) as conn:
        insert_trips(conn, [new_trip()])
        conn.exec_driver_sql(
            "UPDATE telemetry.trip_logs SET received_at = now() - interval '3 days', status = 'FAILED', error = 'x'"
        )
        assert len(retry_failed(conn)) == 1
        assert read_backlog(conn).oldest_s == pytest.approx(0, abs=60)
    with running_api(make_settings(max_waiting_s=7200), database_url) as client:
        assert post(client).status_code == 202


def test_posts_beyond_those_in_hand_are_refused_and_taken_when_there_is_room(engine, database_url):
    settings = make_settings(requests_at_once=1, storage_timeout_s=4)
    with running_api(settings, database_url) as client, ThreadPoolExecutor(1) as pool:
        with engine.connect() as conn:
            conn.exec_driver_sql("LOCK TABLE telemetry.trip_logs IN SHARE MODE")
            first = pool.submit(post, client)
            wait_until(lambda: conn.exec_driver_sql(BLOCKED).scalar_one(), what="a trip that waits for the table")
            answer = post(client)
            assert (answer.status_code, answer.json()["code"]) == (503, "busy")
            assert int(answer.headers["retry-after"]) > 0
            assert client.get("/healthz").status_code == 200
        assert first.result().status_code == 202
        assert post(client).status_code == 202
