"""A re-score run whose worker and whose database are killed in its middle: it ends complete and right, never mixed."""

from __future__ import annotations

import os
import signal
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from fleetflow.embedded import EmbeddedPostgres
from fleetflow.errors import StorageUnavailableError
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule
from fleetflow.safety.scores import score_trip
from fleetflow.storage import profiles, runs
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.events import COLUMNS, as_event
from fleetflow.storage.migrate import upgrade
from fleetflow.storage.tables import harsh_events
from fleetflow.storage.trips import insert_trips
from tests.faults.conftest import rows, states
from tests.faults.five import assert_the_five
from tests.faults.programs import Programs
from tests.support import dashboard
from tests.support.crashing import BATCH_TRIPS, BATCHES_OF_A_LIFE
from tests.support.trips import new_trip
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from uuid import UUID

pytestmark = [pytest.mark.faults, pytest.mark.postgres, pytest.mark.timeout(110)]
STRICTER = replace(DEFAULT_PROFILE, name="Stricter", rules={**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.3, 7)})
TRIPS, ARRIVING, DRIVERS = 400, 5, 20
EVENTS = """
INSERT INTO telemetry.harsh_events (trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh)
SELECT id, CASE WHEN n > 2 THEN 'acceleration' ELSE 'braking' END, n, n, n,
       0.2 + n * (get_byte(uuid_send(id), n) / 2e3), 50
FROM telemetry.trip_logs, generate_series(1, 4) AS n
"""
SAMPLE = """
SELECT count(*) FILTER (WHERE trip.status = 'COMPLETED'), count(score.trip_id)
FROM telemetry.trip_logs AS trip
LEFT JOIN telemetry.driver_scores AS score ON score.trip_id = trip.id AND score.profile_version =
    (SELECT profile_version FROM telemetry.profile_activations ORDER BY id DESC LIMIT 1)
"""


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(data_dir) as server:
        upgrade(server.url)
        yield server


@pytest.fixture
def engine(server: EmbeddedPostgres) -> Iterator[sa.Engine]:
    engine = create_engine(server.url, application_name="tests")
    yield engine
    engine.dispose()


@pytest.fixture
def programs(server: EmbeddedPostgres, tmp_path: Path) -> Iterator[Programs]:
    with Programs(server.url, tmp_path) as programs:
        yield programs


def store_scored_fleet(engine: sa.Engine) -> None:
    with connection(engine) as conn:
        dashboard.insert_many_trips(conn, trips=TRIPS, drivers=DRIVERS)
        conn.exec_driver_sql("DELETE FROM telemetry.driver_scores")
        conn.exec_driver_sql(EVENTS)
        runs.insert_run(conn, 1, asked_by="Test")
        while runs.advance_run(conn):
            pass


def let_arrive(engine: sa.Engine) -> None:
    with connection(engine) as conn:
        insert_trips(conn, [new_trip() for _ in range(ARRIVING)])


def unmixed(engine: sa.Engine, condition: Callable[[runs.Run], bool], run_id: int) -> Callable[[], bool]:
    """Ask a condition of the run, and each time that every trip that readers see has a score of the active profile."""

    def ask() -> bool:
        try:
            ((completed, scored),) = rows(engine, SAMPLE)
            with connection(engine) as conn:
                run = runs.read_run(conn, run_id)
        except StorageUnavailableError:
            return False
        assert completed == scored
        return condition(run)

    return ask


def stored_events(engine: sa.Engine) -> dict[UUID, list[HarshEvent]]:
    found: dict[UUID, list[HarshEvent]] = defaultdict(list)
    with connection(engine) as conn:
        for row in conn.execute(sa.select(harsh_events.c.trip_id, *COLUMNS)).mappings():
            found[row["trip_id"]].append(as_event(row))
    return found


def assert_scores_are_those_of_a_direct_computation(engine: sa.Engine, version: int, profile: Any) -> None:
    query = f"SELECT trip_id, safety_score, points FROM telemetry.driver_scores WHERE profile_version = {version}"  # noqa: S608
    events, found = stored_events(engine), rows(engine, query)
    assert len(found) == TRIPS + 2 * ARRIVING
    for trip_id, safety_score, points in found:
        expected = score_trip(events[trip_id], profile)
        assert (safety_score, points) == (expected.safety_score, expected.points)


def test_a_run_outlives_its_worker_and_its_database_and_nobody_ever_sees_a_mix(
    server: EmbeddedPostgres, engine: sa.Engine, programs: Programs
):
    store_scored_fleet(engine)
    with connection(engine) as conn:
        version = profiles.insert_profile(conn, STRICTER, author="Test", note="")
        run = runs.insert_run(conn, version, asked_by="Test", activates=True)
    doomed = programs.start("tests.support.crashing", "worker-dies-in-a-run")
    wait_until(unmixed(engine, lambda _: doomed.poll() is not None, run.id), what="the worker's death")
    assert programs.exit_code(doomed) == -signal.SIGKILL
    with connection(engine) as conn:
        assert runs.read_run(conn, run.id).done_trips == (BATCHES_OF_A_LIFE - 1) * BATCH_TRIPS
    let_arrive(engine)
    programs.start("tests.support.crashing", "worker-runs-in-small-steps")
    wait_until(unmixed(engine, lambda now: now.done_trips >= TRIPS / 4, run.id), what="a quarter of the run")
    os.kill(server.pid or 0, signal.SIGKILL)
    wait_until(lambda: server.pid is None, what="the end of Postgres")
    assert server.restart_if_ended()
    wait_until(unmixed(engine, lambda now: now.state is runs.RunState.RUNNING, run.id), what="the database's return")
    let_arrive(engine)
    wait_until(unmixed(engine, lambda now: now.state is runs.RunState.COMPLETED, run.id), 40, what="the end of the run")
    wait_until(lambda: states(engine) == {"COMPLETED": TRIPS + 2 * ARRIVING}, what="the trips that came meanwhile")
    with connection(engine) as conn:
        assert profiles.read_active(conn).version == version
    assert_scores_are_those_of_a_direct_computation(engine, version, STRICTER)
    stored = [row[0] for row in rows(engine, "SELECT id FROM telemetry.trip_logs")]
    assert_the_five(programs, stored, recompute=False)
