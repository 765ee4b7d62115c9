"""Columns out of a real Postgres: values as they are stored, and failures that are the storage's, not the driver's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa

from fleetflow.errors import StorageUnavailableError
from fleetflow.storage.columnar import local_days, number_ids, read_columns
from fleetflow.storage.database import connection, create_engine, driver_errors, snapshot, translated_errors
from fleetflow.storage.fleet import as_uuids, read_fleet

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres
VALUES = """
SELECT * FROM (VALUES ('00000000-0000-0000-0000-000000000002'::uuid, -3, 0.1, timestamptz '2026-03-28 23:30Z'),
                      ('00000000-0000-0000-0000-000000000001', 7, 'NaN', '2026-03-29 22:30Z')) AS v (id, n, x, at)
"""
TYPES = {"id": "uuid", "n": "int2", "x": "float8", "at": "timestamptz"}


def test_every_type_comes_as_it_is_stored_and_in_order(engine: sa.Engine):
    with connection(engine) as conn:
        columns = read_columns(conn, VALUES, {}, TYPES)
    assert as_uuids(columns["id"]) == [UUID(int=2), UUID(int=1)]
    assert columns["n"].tolist() == [-3, 7]
    np.testing.assert_array_equal(columns["x"], [0.1, np.nan])
    assert (local_days(columns["at"], "Europe/Berlin") - local_days(columns["at"], "UTC")).tolist() == [1, 1]
    assert number_ids(columns["id"])[1].tolist() == [1, 0]


def test_no_rows_are_empty_columns(engine: sa.Engine):
    with connection(engine) as conn:
        columns = read_columns(conn, VALUES + " WHERE n > 99", {}, TYPES)
    assert [len(column) for column in columns.values()] == [0, 0, 0, 0]
    assert columns["x"].dtype == np.float64


def test_a_null_is_never_taken_for_a_value(engine: sa.Engine):
    with pytest.raises(ValueError, match="nulls"), connection(engine) as conn:
        read_columns(conn, "SELECT NULLIF(n, 2) AS n FROM generate_series(1, 3) AS n", {}, {"n": "int4"})


@pytest.fixture
def locked(engine: sa.Engine) -> Iterator[sa.Connection]:
    """While somebody changes the events' table nobody can read it."""
    with engine.connect() as conn:
        conn.exec_driver_sql("LOCK TABLE telemetry.harsh_events IN ACCESS EXCLUSIVE MODE")
        yield conn


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("limit", ["statement_timeout", "lock_timeout"])
def test_reading_a_fleet_beyond_its_time_says_that_the_database_does_not_answer(engine: sa.Engine, limit: str):
    impatient = create_engine(engine.url.render_as_string(hide_password=False), application_name="tests")
    sa.event.listen(impatient, "connect", lambda driver, _: driver.execute(f"SET {limit} = '50ms'"))
    with pytest.raises(StorageUnavailableError, match="does not answer"), snapshot(impatient) as conn:
        read_fleet(conn)
    impatient.dispose()


def test_a_reading_that_is_known_to_take_long_has_more_time_and_the_next_one_again_as_usual(database_url: str):
    engine = create_engine(database_url, application_name="tests", pool_size=1, statement_timeout_s=0.05)
    slow = sa.text("SELECT pg_sleep(0.1)")
    with snapshot(engine, statement_timeout_s=30) as conn:
        conn.execute(slow)
    with pytest.raises(StorageUnavailableError, match="does not answer"), snapshot(engine) as conn:
        conn.execute(slow)
    engine.dispose()


def test_reading_a_fleet_from_another_schema_says_so(engine: sa.Engine):
    with connection(engine) as conn:
        conn.exec_driver_sql("ALTER TABLE telemetry.harsh_events RENAME COLUMN review TO verdict")
    with pytest.raises(StorageUnavailableError, match="schema is not this version's"), snapshot(engine) as conn:
        read_fleet(conn)


def test_reading_a_fleet_on_a_connection_that_died_says_that_the_database_does_not_answer(engine: sa.Engine):
    with pytest.raises(StorageUnavailableError, match="does not answer"), connection(engine) as conn:
        read_fleet_after_death(engine, conn)


def read_fleet_after_death(engine: sa.Engine, conn: sa.Connection) -> None:
    pid = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with connection(engine) as other:
        other.exec_driver_sql("SELECT pg_terminate_backend(%s)", (pid,))
    read_fleet(conn)


@pytest.mark.parametrize("error", [psycopg.InterfaceError("gone"), psycopg.OperationalError("gone")])
def test_what_the_driver_says_of_a_lost_connection_is_said_in_our_words(error: psycopg.Error):
    with pytest.raises(StorageUnavailableError), translated_errors(), driver_errors():
        raise error


def test_a_fault_of_a_statement_is_no_outage(engine: sa.Engine):
    with pytest.raises(sa.exc.DataError), connection(engine) as conn:
        read_columns(conn, "SELECT 1 / 0 AS n", {}, {"n": "int4"})
