"""The doctor on real services: what is well is said to be, what is not is named with what to do."""

from __future__ import annotations

import argparse
from uuid import uuid4

import pytest
from pydantic import SecretStr

from fleetflow.commands import doctor
from fleetflow.doctor import Finding, State, examine
from fleetflow.storage.database import connection
from fleetflow.storage.heartbeats import Heartbeat, upsert_heartbeat
from fleetflow.storage.trips import insert_trips
from tests.support.ports import free_port
from tests.support.programs import make_settings, running_api
from tests.support.trips import new_trip

pytestmark = pytest.mark.postgres


def found(url: str | None, **settings) -> dict[str, Finding]:
    database = {"database_url": SecretStr(url)} if url else {}
    ports = {"api_port": free_port(), "dashboard_port": free_port()}
    return {each.part: each for each in examine(make_settings(**{**ports, **database, **settings}))}


def test_a_sound_database_and_api_are_said_to_be_well(database_url):
    with running_api(make_settings(), database_url) as client:
        findings = found(database_url, api_port=client.base_url.port)
    # The tests' server gives up durability for speed, and there the doctor is right to complain.
    assert findings["durability"].state is State.FAILED
    assert "synchronous_commit" in findings["durability"].found
    well = {part for part, each in findings.items() if each.state is State.OK}
    assert well == {"database", "schema", "clock", "waiting", "queue", "API"}


def test_a_trip_that_waits_without_a_worker_is_a_failure_with_an_advice(engine, database_url):
    with connection(engine) as conn:
        insert_trips(conn, [new_trip()])
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET received_at = now() - interval '10 minutes'")
    findings = found(database_url)
    assert findings["workers"] == Finding(
        "workers", State.FAILED, "none has been heard of lately", "Start one: python -m worker"
    )
    assert findings["waiting"].state is State.FAILED
    assert findings["waiting"].found.startswith("1 trip, the oldest for 60")
    beat = Heartbeat(uuid4(), "here", 1, "Postgres", queue_reachable=True, completed_trips=0, silent_after_s=60.0)
    with connection(engine) as conn:
        upsert_heartbeat(conn, beat)
    assert found(database_url)["workers"] == Finding("workers", State.OK, "1 at work")


def test_failed_trips_are_counted(engine, database_url):
    with connection(engine) as conn:
        insert_trips(conn, [new_trip()])
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET status = 'FAILED', error = 'why not'")
    assert found(database_url)["failed trips"].found == "1 could not be scored"


def test_a_schema_of_another_version_is_named(empty_database_url):
    finding = found(empty_database_url)["schema"]
    assert finding.state is State.FAILED
    assert "python -m fleetflow migrate" in finding.found


def test_nothing_at_all_is_four_findings_and_no_traceback(tmp_path, capsys):
    settings = make_settings(data_dir=tmp_path / "none", api_port=free_port(), dashboard_port=free_port())
    assert doctor.run(argparse.Namespace(), settings) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines if line[0] != " "] == [
        ["failed", "database"],
        ["ok", "disk"],
        ["warning", "API"],
        ["warning", "dashboard"],
    ]


def test_a_database_that_does_not_answer_is_no_secret_and_its_password_is(capsys):
    url = f"postgresql://fleetflow:very-secret@127.0.0.1:{free_port()}/fleetflow"
    settings = make_settings(
        database_url=SecretStr(url), api_port=free_port(), dashboard_port=free_port(), queue_timeout_s=1.0
    )
    assert doctor.run(argparse.Namespace(), settings) == 1
    said = capsys.readouterr().out
    assert "The database does not answer." in said
    assert "very-secret" not in said
