"""Nonsense that no program writes today has no way into the tables either."""

from __future__ import annotations

import re
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.trips import insert_trips
from tests.support.trips import new_trip

pytestmark = pytest.mark.postgres

NEW_TRIP = """
INSERT INTO telemetry.trip_logs (id, vehicle_id, driver_id, telemetry_blob, point_count, content_hash, {columns})
VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '{{}}', 1, '\\x02', {values})
"""
NEW_EVENT = """
INSERT INTO telemetry.harsh_events (trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, latitude, longitude,
                                    speed_change_kmh, review)
SELECT id, {kind}, {start_s}, {peak_s}, {end_s}, {peak_g}, {speed_kmh}, {latitude}, {longitude}, {speed_change_kmh},
       {review}
FROM telemetry.trip_logs
"""
EVENT = {
    "kind": "'braking'", "start_s": "1", "peak_s": "2", "end_s": "3", "peak_g": "0.5", "speed_kmh": "50",
    "latitude": "52", "longitude": "13", "speed_change_kmh": "-20", "review": "NULL",
}  # fmt: skip
NEW_SCORE = """
INSERT INTO telemetry.driver_scores (trip_id, profile_version, driver_id, safety_score, points, harsh_braking_count,
                                     rapid_accel_count, harsh_cornering_count, speeding_count)
SELECT trip.id, 1, driver.id, {safety_score}, {points}, {braking}, 0, 0, 0
FROM telemetry.trip_logs AS trip, telemetry.drivers AS driver
"""
SCORE = {"safety_score": "95", "points": "5", "braking": "1"}

BAD_TRIPS = {
    "status": "'SCORED'", "telemetry_blob": "'[]'", "point_count": "0", "distance_km": "'NaN'", "duration_s": "-1",
    "sample_hz": "'Infinity'", "quality": "'fine'", "quality_reasons": "'{}'", "offset_long_g": "'NaN'",
    "offset_lat_g": "'-Infinity'", "attempts": "-1",
}  # fmt: skip
MORE_BAD_TRIPS = [
    ("status, lease_token", "'PENDING', gen_random_uuid()", "lease"),
    ("status", "'PROCESSING'", "lease"),
    ("status", "'FAILED'", "error"),
    ("band_km", "'{1, 2}'", "band_km"),
    ("band_km", "'{1, NaN, 2}'", "band_length"),
    ("band_km", "'{1, -1, 2}'", "band_length"),
    ("band_km", "'{1, NULL, 2}'", "band_length"),
]
BAD_EVENTS = [
    ({"kind": "'swerving'"}, "kind"),
    ({"peak_s": "4"}, "order"),
    ({"start_s": "'NaN'", "peak_s": "'NaN'", "end_s": "'NaN'"}, "moments"),
    ({"start_s": "'-Infinity'"}, "moments"),
    ({"peak_g": "-0.1"}, "peak_g"),
    ({"peak_g": "'NaN'"}, "peak_g"),
    ({"peak_g": "NULL"}, "peak"),
    ({"kind": "'speeding'", "speed_kmh": "NULL"}, "peak"),
    ({"speed_kmh": "'Infinity'"}, "speed_kmh"),
    ({"latitude": "91"}, "latitude"),
    ({"longitude": "'NaN'"}, "longitude"),
    ({"speed_change_kmh": "'NaN'"}, "speed_change_kmh"),
    ({"review": "'perhaps'"}, "review"),
]
BAD_SCORES = [
    ({"safety_score": "101", "points": "-1"}, "points|safety_score"),
    ({"safety_score": "-5", "points": "105"}, "points|safety_score"),
    ({"safety_score": "96"}, "points"),
    ({"braking": "-1"}, "counts"),
]
NEW_RUN = "INSERT INTO telemetry.rescore_runs (profile_version, activates, asked_by, {}) VALUES (1, false, 'x', {})"
BAD_ROWS = {
    "a profile that is a list": (
        "INSERT INTO telemetry.scoring_profiles (name, content, content_hash, author) VALUES ('x', '[]', '\\x01', 'x')",
        "scoring_profiles_content",
    ),
    "a run of fewer than no trips": (
        NEW_RUN.format("total_trips", "-1"),
        "rescore_runs_trips",
    ),
    "a run in no known state": (
        NEW_RUN.format("total_trips, state, finished_at", "1, 'PAUSED', now()"),
        "rescore_runs_state",
    ),
    "an analysis that skipped fewer than no trips": (
        "INSERT INTO telemetry.reanalyses (below_version, total_trips, skipped_trips, asked_by) VALUES (2, 1, -1, 'x')",
        "reanalyses_trips",
    ),
    "an account of nobody": (
        "INSERT INTO telemetry.accounts (name, password_hash, roles) VALUES (' ', 'x', '{admin}')",
        "accounts_name",
    ),
    "an account with a role that is none": (
        "INSERT INTO telemetry.accounts (name, password_hash, roles) VALUES ('x', 'x', '{owner}')",
        "accounts_roles",
    ),
}  # fmt: skip


@pytest.fixture
def stored(database_url: str):
    """A connection to a database with one trip and one driver; what a test writes is undone."""
    engine = create_engine(database_url, application_name="tests")
    with connection(engine) as conn:
        insert_trips(conn, [new_trip()])
        conn.exec_driver_sql("INSERT INTO telemetry.drivers (id) VALUES (%(id)s)", {"id": uuid4()})
    engine.dispose()
    with psycopg.connect(database_url) as conn:
        yield conn
        conn.rollback()


def refused(conn: psycopg.Connection, statement: str, constraint: str) -> None:
    with pytest.raises(errors.CheckViolation) as refusal:
        conn.execute(statement.encode())
    named = refusal.value.diag.constraint_name
    assert named
    assert re.fullmatch(rf"(?:\w+_)?(?:{constraint})_check", named), named


def trip(columns: str, values: str) -> str:
    """An INSERT of a trip; a column that every trip has is given anew."""
    statement = NEW_TRIP.format(columns=columns, values=values)
    if columns == "telemetry_blob":
        return statement.replace(", telemetry_blob, point_count", ", point_count").replace("'{}', 1,", "1,")
    if columns == "point_count":
        return statement.replace("point_count, content", "content").replace("'{}', 1,", "'{}',")
    return statement


def test_what_is_sound_is_taken(stored: psycopg.Connection):
    stored.execute(trip("band_km, offset_long_g", "'{1, 2, 3}', -0.1").encode())
    stored.execute("DELETE FROM telemetry.trip_logs WHERE content_hash = '\\x02'")
    taken = [stored.execute(each.encode()).rowcount for each in (NEW_EVENT.format(**EVENT), NEW_SCORE.format(**SCORE))]
    assert taken == [1, 1]


@pytest.mark.parametrize("column", BAD_TRIPS)
def test_a_trip_that_cannot_be_has_no_row(column: str, stored: psycopg.Connection):
    refused(stored, trip(column, BAD_TRIPS[column]), column)


@pytest.mark.parametrize(("columns", "values", "constraint"), MORE_BAD_TRIPS)
def test_a_trip_that_contradicts_itself_has_no_row(
    columns: str, values: str, constraint: str, stored: psycopg.Connection
):
    refused(stored, trip(columns, values), rf"trip_logs_{constraint}")


@pytest.mark.parametrize(("changes", "constraint"), BAD_EVENTS, ids=str)
def test_an_event_that_cannot_be_has_no_row(changes: dict[str, str], constraint: str, stored: psycopg.Connection):
    refused(stored, NEW_EVENT.format(**{**EVENT, **changes}), rf"harsh_events_{constraint}")


@pytest.mark.parametrize(("changes", "constraint"), BAD_SCORES, ids=str)
def test_a_score_that_cannot_be_has_no_row(changes: dict[str, str], constraint: str, stored: psycopg.Connection):
    refused(stored, NEW_SCORE.format(**{**SCORE, **changes}), constraint)


def test_a_score_that_is_no_number_has_no_row(stored: psycopg.Connection):
    with pytest.raises(errors.DataError):
        stored.execute(NEW_SCORE.format(**{**SCORE, "safety_score": "'NaN'::float8"}).encode())


def test_a_trip_has_one_score_under_a_profile(stored: psycopg.Connection):
    stored.execute(NEW_SCORE.format(**SCORE).encode())
    with pytest.raises(errors.UniqueViolation):
        stored.execute(NEW_SCORE.format(**SCORE).encode())


@pytest.mark.parametrize("name", BAD_ROWS)
def test_other_tables_refuse_nonsense_too(name: str, stored: psycopg.Connection):
    statement, constraint = BAD_ROWS[name]
    refused(stored, statement, constraint)


def test_an_error_of_the_database_does_not_quote_what_was_sent(database_url: str):
    engine = create_engine(database_url, application_name="tests")
    with pytest.raises(DBAPIError) as failed, connection(engine) as conn:
        conn.exec_driver_sql("SELECT 1 / (length(%(secret)s::text) - 10)", {"secret": "gate7-open"})
    engine.dispose()
    assert "gate7-open" not in str(failed.value)
