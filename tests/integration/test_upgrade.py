"""A database of an older FleetFlow, with data in it, becomes one of today: nothing is lost, everything is readable."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory
from psycopg import sql

from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.storage import profiles
from fleetflow.storage.backlog import read_backlog
from fleetflow.storage.database import check_schema, connection, create_engine
from fleetflow.storage.driving import read_driver_days
from fleetflow.storage.events import read_events
from fleetflow.storage.migrate import alembic_config, upgrade
from fleetflow.storage.reports import read_trip as read_report
from fleetflow.storage.scores import read_score
from fleetflow.storage.tables import SCHEMA_REVISION, metadata
from fleetflow.storage.trips import read_trip
from tests.support.programs import make_settings, running_api, running_worker, wait_for_score

pytestmark = pytest.mark.postgres
OLDEST, DRIVER, VEHICLE = "0003", UUID(int=7), UUID(int=8)
DONE, WAITING, FAILED = UUID(int=1), UUID(int=2), UUID(int=3)
TABLES = (
    "trip_logs", "harsh_events", "driver_scores", "drivers", "vehicles", "scoring_profiles", "profile_activations",
    "event_reviews", "coaching_notes",
)  # fmt: skip
TRIP = """
INSERT INTO telemetry.trip_logs (id, vehicle_id, driver_id, telemetry_blob, status, started_at, completed_at,
    point_count, distance_km, duration_s, sample_hz, detection_version, quality, quality_reasons, error, content_hash,
    received_at)
VALUES (%(id)s, %(vehicle)s, %(driver)s, %(blob)s, %(status)s, '2026-01-01T12:00Z', %(done_at)s, 2, %(km)s, %(s)s, 1,
        %(version)s, %(quality)s, %(reasons)s, %(error)s, %(hash)s, '2026-01-01T12:30Z')
"""
BLOB = '{"speed_kmh": [50.0, 55.0], "g_force_long": [0.1, -0.5]}'
ROWS = """
INSERT INTO telemetry.drivers (id, name, group_name) VALUES (%(driver)s, 'Ada', 'North');
INSERT INTO telemetry.vehicles (id, name, vehicle_class) VALUES (%(vehicle)s, 'Van 1', 'passenger');
INSERT INTO telemetry.harsh_events (trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, review)
VALUES (%(done)s, 'braking', 0.5, 1, 1.5, 0.5, 55, 'confirmed');
INSERT INTO telemetry.event_reviews (trip_id, event_id, kind, peak_s, review, reason, author)
SELECT trip_id, id, kind, peak_s, review, 'seen on video', 'Bo' FROM telemetry.harsh_events;
INSERT INTO telemetry.driver_scores (trip_id, profile_version, driver_id, safety_score, points, harsh_braking_count,
                                     rapid_accel_count, harsh_cornering_count, speeding_count)
VALUES (%(done)s, 1, %(driver)s, 95, 5, 1, 0, 0, 0);
INSERT INTO telemetry.coaching_notes (driver_id, coached_on, note, author)
VALUES (%(driver)s, '2026-01-05', 'Keep more distance.', 'Bo');
"""


def fill(url: str) -> None:
    """What an older FleetFlow left: a trip of each end, with all that belongs to a scored one."""
    common = {"vehicle": VEHICLE, "driver": DRIVER, "blob": BLOB}
    done = {"done_at": "2026-01-01T12:31Z", "km": 0.015, "s": 1.0, "version": 1, "quality": "good", "reasons": "[]"}
    none = dict.fromkeys(done)
    with psycopg.connect(url) as conn:
        conn.execute(TRIP, {**common, **done, "id": DONE, "status": "COMPLETED", "error": None, "hash": b"1"})
        conn.execute(TRIP, {**common, **none, "id": WAITING, "status": "PENDING", "error": None, "hash": b"2"})
        conn.execute(TRIP, {**common, **none, "id": FAILED, "status": "FAILED", "error": "No good.", "hash": b"3"})
        rows = psycopg.ClientCursor(conn)
        rows.execute(ROWS, {"driver": DRIVER, "vehicle": VEHICLE, "done": DONE})


def contents(url: str) -> dict[str, list[dict[str, object]]]:
    """All rows, each by column, so that columns may be added and nothing may go."""
    select = sql.SQL("SELECT * FROM telemetry.{} ORDER BY 1")
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as conn:
        return {table: conn.execute(select.format(sql.Identifier(table))).fetchall() for table in TABLES}


@pytest.fixture
def old_url(empty_database_url: str) -> str:
    upgrade(empty_database_url, OLDEST)
    engine = create_engine(empty_database_url, application_name="tests")
    with connection(engine) as conn:
        profiles.ensure_default(conn)
    engine.dispose()
    fill(empty_database_url)
    return empty_database_url


@pytest.fixture
def engine(old_url: str):
    engine = create_engine(old_url, application_name="tests")
    yield engine
    engine.dispose()


def test_an_upgrade_with_data_loses_not_a_value(old_url: str):
    before = contents(old_url)
    assert all(before.values()), "every table of the older version has rows"
    assert upgrade(old_url) == OLDEST
    for table, rows in contents(old_url).items():
        kept = [{name: row[name] for name in old} for row, old in zip(rows, before[table], strict=True)]
        assert kept == before[table], table


def test_old_data_are_readable_and_go_on_after_an_upgrade(old_url: str, engine: sa.Engine):
    upgrade(old_url)
    with connection(engine) as conn:
        check_schema(conn)
        trip, score = read_trip(conn, DONE), read_score(conn, DONE, 1)
        assert trip
        assert (trip.status, trip.quality, trip.distance_km) == ("COMPLETED", "good", 0.015)
        assert score
        assert (score.safety_score, score.harsh_braking_count) == (95, 1)
        (event,) = read_events(conn, DONE)
        assert (event.kind, event.peak_g, event.review) == ("braking", 0.5, "confirmed")
        report = read_report(conn, DONE, 1)
        assert report
        assert (report.driver_name, report.vehicle_name) == ("Ada", "Van 1")
        assert list(read_driver_days(conn, 1)["trips"]) == [1]
        backlog = read_backlog(conn)
        assert (backlog.waiting, backlog.failed) == (1, 1)
        assert profiles.read_active(conn).profile == DEFAULT_PROFILE
    settings = make_settings(max_waiting_s=1e9)
    with running_api(settings, old_url) as client, running_worker(settings, old_url):
        assert wait_for_score(client, WAITING)["safety_score"] == 95


def test_the_way_back_to_the_older_schema_and_up_again_keeps_what_both_know(old_url: str, engine: sa.Engine):
    before = contents(old_url)
    upgrade(old_url)
    with engine.connect() as conn:
        command.downgrade(alembic_config(conn), OLDEST)
        conn.commit()
    assert contents(old_url) == before
    assert upgrade(old_url) == OLDEST


def test_the_migrations_are_one_chain_that_ends_at_the_schema_of_this_version(engine: sa.Engine):
    with engine.connect() as conn:
        scripts = ScriptDirectory.from_config(alembic_config(conn))
    assert scripts.get_heads() == [SCHEMA_REVISION]


def test_the_tables_are_as_the_code_sees_them(database_url: str):
    engine = create_engine(database_url, application_name="tests")
    found = sa.inspect(engine)
    for table in metadata.sorted_tables:
        columns = {each["name"]: each["nullable"] for each in found.get_columns(table.name, schema="telemetry")}
        assert columns == {column.name: column.nullable for column in table.columns}, table.name
        checks = {each["name"] for each in found.get_check_constraints(table.name, schema="telemetry")}
        assert checks == {each.name for each in table.constraints if isinstance(each, sa.CheckConstraint)}, table.name
        indexes = {each["name"] for each in found.get_indexes(table.name, schema="telemetry")}
        uniques = {each["name"] for each in found.get_unique_constraints(table.name, schema="telemetry")}
        assert indexes - uniques == {index.name for index in table.indexes}, table.name
    engine.dispose()
