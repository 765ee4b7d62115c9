"""Workers that die, freeze, hang or raise: every trip ends scored once, or FAILED with a reason."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from fleetflow.storage.database import connection
from fleetflow.storage.trips import insert_trips, read_trip
from tests.faults.conftest import rows, states
from tests.faults.five import assert_the_five
from tests.support.crashing import POISON_POINTS
from tests.support.trips import new_trip
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    import sqlalchemy as sa

    from fleetflow.storage.trips import NewTrip
    from tests.faults.programs import Programs

pytestmark = [pytest.mark.faults, pytest.mark.postgres, pytest.mark.timeout(90)]


def store(engine: sa.Engine, count: int) -> list[NewTrip]:
    trips = [new_trip() for _ in range(count)]
    with connection(engine) as conn:
        insert_trips(conn, trips)
    return trips


def store_poison(engine: sa.Engine) -> NewTrip:
    trip = new_trip([-0.5] * POISON_POINTS)
    with connection(engine) as conn:
        insert_trips(conn, [trip])
    return trip


def ids(trips: Iterable[NewTrip]) -> list[UUID]:
    return [trip.id for trip in trips]


@pytest.mark.parametrize("point", ["worker-after-claim", "worker-before-commit", "worker-after-commit"])
def test_a_worker_killed_anywhere_leaves_every_trip_scored_once(point: str, engine: sa.Engine, programs: Programs):
    trips = store(engine, 20)
    assert programs.exit_code(programs.start("tests.support.crashing", point)) == -signal.SIGKILL
    done = 20 if point == "worker-after-commit" else 0
    assert states(engine) == ({"COMPLETED": 20} if done else {"PROCESSING": 20})
    programs.start("worker")
    wait_until(lambda: states(engine) == {"COMPLETED": 20}, what="all trips")
    assert rows(engine, "SELECT DISTINCT attempts FROM telemetry.trip_logs") == [(1,) if done else (2,)]
    assert_the_five(programs, ids(trips))


def test_a_trip_that_kills_its_worker_is_failed_after_five_attempts_and_harms_no_neighbour(
    engine: sa.Engine, programs: Programs
):
    trips = store(engine, 5)
    poison = store_poison(engine)
    trips += store(engine, 5)
    for _ in range(5):
        assert programs.exit_code(programs.start("tests.support.crashing", "worker-dies-of-a-trip")) == -signal.SIGKILL
    programs.start("tests.support.crashing", "worker-dies-of-a-trip")
    wait_until(lambda: states(engine) == {"COMPLETED": 10, "FAILED": 1}, 30, what="the end of all trips")
    with connection(engine) as conn:
        record = read_trip(conn, poison.id)
    assert record
    assert (record.attempts, record.error) == (5, "The worker died 5 times while it analysed this trip.")
    assert_the_five(programs, ids([*trips, poison]), failed=[poison.id])


def test_a_trip_that_raises_is_failed_at_once_with_a_reason(engine: sa.Engine, programs: Programs):
    trips = store(engine, 3)
    poison = store_poison(engine)
    worker = programs.start("tests.support.crashing", "worker-raises-on-a-trip")
    wait_until(lambda: states(engine) == {"COMPLETED": 3, "FAILED": 1}, 20, what="the end of all trips")
    with connection(engine) as conn:
        record = read_trip(conn, poison.id)
    assert record
    assert record.attempts == 1
    assert record.error == "The analysis failed; the worker's log says why, under this trip's id."
    assert f'"trip_id": "{poison.id}"' in programs.log(worker)
    assert "no good" in programs.log(worker)
    assert_the_five(programs, ids([*trips, poison]), failed=[poison.id])


def test_a_trip_that_never_ends_costs_its_worker_and_nobody_else(engine: sa.Engine, programs: Programs):
    poison = store_poison(engine)
    worker = programs.start("tests.support.crashing", "worker-hangs-on-a-trip", BATCH_TIME_LIMIT_S=1, MAX_ATTEMPTS=1)
    assert programs.exit_code(worker) == 70
    trips = store(engine, 3)
    programs.start("worker", MAX_ATTEMPTS=1)
    wait_until(lambda: states(engine) == {"COMPLETED": 3, "FAILED": 1}, 20, what="the end of all trips")
    with connection(engine) as conn:
        record = read_trip(conn, poison.id)
    assert record
    assert record.error == "The worker died 1 times while it analysed this trip."
    assert_the_five(programs, ids([*trips, poison]), failed=[poison.id])


def test_a_worker_that_was_frozen_past_its_lease_writes_nothing_when_it_thaws(engine: sa.Engine, programs: Programs):
    trip = store_poison(engine)
    frozen = programs.start("tests.support.crashing", "worker-freezes-on-a-trip")
    wait_until(lambda: states(engine) == {"PROCESSING": 1}, what="a claim")
    programs.start("worker")
    wait_until(lambda: states(engine) == {"COMPLETED": 1}, what="another worker")
    frozen.send_signal(signal.SIGCONT)
    wait_until(lambda: "lease_lost" in programs.log(frozen), what="the thawed worker's discovery")
    assert_the_five(programs, [trip.id])


def test_a_stopped_worker_finishes_and_exits_cleanly(engine: sa.Engine, programs: Programs):
    worker = programs.start_worker()
    trips = store(engine, 200)
    wait_until(lambda: states(engine).get("COMPLETED", 0) > 0, what="the first score")
    worker.terminate()
    assert programs.exit_code(worker) == 0
    assert set(states(engine)) <= {"COMPLETED", "PENDING"}
    assert rows(engine, "SELECT count(*) FROM telemetry.trip_logs WHERE status = 'PENDING' AND attempts > 0") == [(0,)]
    programs.start("worker")
    assert_the_five(programs, ids(trips))


def test_a_stopped_worker_that_cannot_finish_hands_back_within_ten_seconds(engine: sa.Engine, programs: Programs):
    trip = store_poison(engine)
    worker = programs.start("tests.support.crashing", "worker-hangs-on-a-trip", LEASE_S=60)
    wait_until(lambda: states(engine) == {"PROCESSING": 1}, what="a claim")
    worker.terminate()
    assert programs.exit_code(worker, 10) == 0
    assert rows(engine, "SELECT status, attempts FROM telemetry.trip_logs") == [("PENDING", 0)]
    programs.start("worker")
    assert_the_five(programs, [trip.id])


def test_a_second_signal_ends_a_worker_at_once(engine: sa.Engine, programs: Programs):
    trip = store_poison(engine)
    worker = programs.start("tests.support.crashing", "worker-freezes-on-a-trip", LEASE_S=2)
    wait_until(lambda: states(engine) == {"PROCESSING": 1}, what="a claim")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        worker.send_signal(number)
    assert programs.exit_code(worker, 3) == 1
    programs.start("worker")
    assert_the_five(programs, [trip.id])


def test_workers_side_by_side_score_each_trip_once(engine: sa.Engine, programs: Programs):
    trips = store(engine, 400)
    for _ in range(3):
        programs.start("worker", BATCH_TRIPS=7)
    wait_until(lambda: states(engine) == {"COMPLETED": 400}, what="all trips")
    assert rows(engine, "SELECT DISTINCT attempts FROM telemetry.trip_logs") == [(1,)]
    assert_the_five(programs, ids(trips))
