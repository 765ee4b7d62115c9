"""The backlog, the workers' heartbeats and failed trips, on a real Postgres with a real worker."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fleetflow.storage import backlog, heartbeats, pace
from fleetflow.storage.database import connection
from fleetflow.storage.heartbeats import Heartbeat
from fleetflow.storage.trips import insert_trips, read_trip
from tests.support.programs import make_settings, running_worker, wait_for_score
from tests.support.trips import new_trip
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import sqlalchemy as sa

pytestmark = pytest.mark.postgres
BEAT = Heartbeat(uuid.uuid4(), "host", 7, "Postgres", queue_reachable=True, completed_trips=3, silent_after_s=60.0)


def store(engine: sa.Engine, count: int = 1) -> list[uuid.UUID]:
    trips = [new_trip() for _ in range(count)]
    with connection(engine) as conn:
        insert_trips(conn, trips)
    return [trip.id for trip in trips]


def fail(engine: sa.Engine, *trip_ids: uuid.UUID) -> None:
    with connection(engine) as conn:
        conn.exec_driver_sql(
            "UPDATE telemetry.trip_logs SET status = 'FAILED', attempts = 5, error = 'No sample is usable.',"
            " completed_at = now() WHERE id = ANY(%(ids)s::uuid[])",
            {"ids": list(trip_ids)},
        )


def read(engine: sa.Engine) -> backlog.Backlog:
    with connection(engine) as conn:
        return backlog.read_backlog(conn)


def workers(engine: sa.Engine) -> list[heartbeats.SeenWorker]:
    with connection(engine) as conn:
        return heartbeats.list_workers(conn)


def test_an_empty_database_has_no_backlog(engine: sa.Engine):
    assert read(engine) == backlog.Backlog(0, 0, 0, None, None)


def test_the_backlog_counts_each_state_and_knows_the_oldest_that_waits(engine: sa.Engine):
    first, second, third = store(engine, 3)
    fail(engine, third)
    with connection(engine) as conn:
        sql = "UPDATE telemetry.trip_logs SET received_at = now() - interval '90 s', attempts = 1 WHERE id = %(id)s"
        conn.exec_driver_sql(sql, {"id": second})
    found = read(engine)
    assert (found.waiting, found.in_work, found.failed, found.unscored) == (2, 0, 1, 2)
    assert found.oldest_s == pytest.approx(90, abs=20)
    assert first != second


def test_failed_trips_are_listed_with_their_reason_and_tried_again_when_asked(engine: sa.Engine):
    chosen, other = store(engine, 2)
    fail(engine, chosen, other)
    with connection(engine) as conn:
        listed = pace.list_failed(conn, 1)
        assert list(listed["trip_id"]) == [str(other)]
        assert listed["error"].iloc[0] == "No sample is usable."
        assert backlog.retry_failed(conn, [chosen]) == [chosen]
        record = read_trip(conn, chosen)
        assert record is not None
        assert (record.status, record.attempts, record.error) == ("PENDING", 0, None)
        assert backlog.retry_failed(conn) == [other]
        assert backlog.retry_failed(conn) == []


def test_only_failed_trips_are_tried_again(engine: sa.Engine):
    (waiting,) = store(engine)
    with connection(engine) as conn:
        assert backlog.retry_failed(conn, [waiting, uuid.uuid4()]) == []


def test_a_failed_trip_that_is_given_back_gets_its_score(engine: sa.Engine, database_url: str, api):
    (trip,) = store(engine)
    fail(engine, trip)
    with running_worker(make_settings(), database_url):
        with connection(engine) as conn:
            backlog.retry_failed(conn, [trip])
        assert wait_for_score(api, trip)["safety_score"] == 95


def test_the_pace_is_counted_by_the_time_of_completion(engine: sa.Engine):
    recent, older = store(engine, 2)
    with connection(engine) as conn:
        sql = "UPDATE telemetry.trip_logs SET status = 'COMPLETED', completed_at = now() - {} WHERE id = %(id)s"
        conn.exec_driver_sql(sql.format("interval '0 s'"), {"id": recent})
        conn.exec_driver_sql(sql.format("interval '25 min'"), {"id": older})
        slots = pace.read_throughput(conn, slot_s=600, slots=6)
    assert len(slots) == 6
    assert slots["trips"].sum() == 2
    assert slots["trips"].iloc[-1] == 1
    assert slots["begin_at"].diff().dropna().dt.total_seconds().eq(600).all()


def test_a_worker_is_seen_at_its_first_sweep_and_gone_after_a_clean_stop(engine: sa.Engine, database_url: str):
    (trip,) = store(engine)
    with running_worker(make_settings(sweep_s=0.1), database_url):
        (seen,) = wait_until(lambda: [each for each in workers(engine) if each.completed_trips], what="a beat")
        assert (seen.alive, seen.queue, seen.queue_reachable, seen.completed_trips) == (True, "Postgres", True, 1)
    assert workers(engine) == []
    assert trip


def test_a_silent_worker_is_told_from_a_live_one_and_forgotten_after_an_hour(engine: sa.Engine):
    forgotten = replace(BEAT, worker_id=uuid.uuid4())
    with connection(engine) as conn:
        heartbeats.upsert_heartbeat(conn, BEAT)
        heartbeats.upsert_heartbeat(conn, forgotten)
        conn.exec_driver_sql(
            "UPDATE telemetry.worker_heartbeats SET seen_at = now() - CASE worker_id WHEN %(id)s"
            " THEN interval '2 min' ELSE interval '2 h' END",
            {"id": BEAT.worker_id},
        )
    assert [each.alive for each in workers(engine)] == [False, False]
    with connection(engine) as conn:
        heartbeats.upsert_heartbeat(conn, replace(BEAT, completed_trips=9))
    (seen,) = workers(engine)
    assert (seen.alive, seen.completed_trips) == (True, 9)
