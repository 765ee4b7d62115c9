"""Migrations on real databases: empty, done before, too old, too new, two starters at once."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from fleetflow.commands import migrate
from fleetflow.embedded import EmbeddedPostgres, find_running
from fleetflow.errors import ConfigurationError, StorageUnavailableError
from fleetflow.settings import Settings
from fleetflow.storage.database import check_schema, connection, create_engine
from fleetflow.storage.migrate import upgrade
from fleetflow.storage.tables import SCHEMA_REVISION, metadata

pytestmark = pytest.mark.postgres


def run_command(settings: Settings) -> int:
    return migrate.run(argparse.Namespace(), settings)


def settings_for(url: str) -> Settings:
    return Settings(database_url=SecretStr(url))


def set_revision(url: str, revision: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("UPDATE telemetry.alembic_version SET version_num = %s", [revision])


def check(url: str) -> None:
    engine = create_engine(url, application_name="test")
    try:
        with connection(engine) as conn:
            check_schema(conn)
    finally:
        engine.dispose()


def all_rows(url: str) -> dict[str, list[tuple[object, ...]]]:
    with psycopg.connect(url) as conn:
        names = [table.name for table in metadata.sorted_tables]
        select = sql.SQL("SELECT * FROM telemetry.{} ORDER BY 1")
        return {name: conn.execute(select.format(sql.Identifier(name))).fetchall() for name in names}


def test_an_empty_database_gets_the_schema_and_the_command_says_so(empty_database_url, capsys):
    assert run_command(settings_for(empty_database_url)) == 0
    said = capsys.readouterr().out
    assert said == f"The database was empty; its schema is now at revision {SCHEMA_REVISION}.\n"
    check(empty_database_url)


def test_a_second_run_changes_nothing_and_says_so(empty_database_url, capsys):
    run_command(settings_for(empty_database_url))
    rows = all_rows(empty_database_url)
    assert rows["scoring_profiles"]
    capsys.readouterr()
    assert run_command(settings_for(empty_database_url)) == 0
    said = capsys.readouterr().out
    assert said == f"The database schema is at revision {SCHEMA_REVISION} already; nothing to do.\n"
    assert all_rows(empty_database_url) == rows


def test_two_starters_at_once_make_one_schema(empty_database_url):
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(upgrade, [empty_database_url] * 2))
    assert sorted(found, key=str) == [SCHEMA_REVISION, None]
    assert len(all_rows(empty_database_url)["scoring_profiles"]) == 1


TOO_OLD = f"too old: it is at revision 0000, this FleetFlow needs {SCHEMA_REVISION}. Run: python -m fleetflow migrate"
TOO_NEW = f"too new: it is at revision 9999, this FleetFlow knows {SCHEMA_REVISION}. Update FleetFlow."


@pytest.mark.parametrize(("revision", "message"), [("0000", TOO_OLD), ("9999", TOO_NEW)])
def test_a_start_against_another_schema_says_so_in_one_line(database_url, revision, message):
    set_revision(database_url, revision)
    with pytest.raises(ConfigurationError) as refusal:
        check(database_url)
    assert str(refusal.value) == f"The database schema is {message}"


def test_a_start_against_an_empty_database_says_so_in_one_line(empty_database_url):
    with pytest.raises(ConfigurationError, match=r"^The database schema is too old: it has no FleetFlow tables.*$"):
        check(empty_database_url)


def test_a_newer_schema_is_never_migrated(database_url):
    set_revision(database_url, "9999")
    with pytest.raises(ConfigurationError, match=r"too new.*Update FleetFlow\.$"):
        upgrade(database_url)


@pytest.mark.long
def test_a_migration_that_meets_a_table_in_use_gives_up_whole_and_succeeds_later(empty_database_url):
    upgrade(empty_database_url, "0003")
    with psycopg.connect(empty_database_url) as conn:
        conn.execute("LOCK TABLE telemetry.trip_logs IN ACCESS SHARE MODE")
        with pytest.raises(StorageUnavailableError):
            upgrade(empty_database_url)
        ((reached,),) = conn.execute("SELECT version_num FROM telemetry.alembic_version")
    assert "0003" <= reached < SCHEMA_REVISION
    assert upgrade(empty_database_url) == reached
    check(empty_database_url)


def test_a_database_that_does_not_answer_is_named_as_such():
    with pytest.raises(StorageUnavailableError):
        run_command(settings_for("postgresql://nobody:none@127.0.0.1:1/none"))


def test_without_a_configured_database_the_embedded_one_is_migrated_running_or_not(tmp_path, capsys):
    settings = Settings(data_dir=tmp_path, database_url=None)
    assert run_command(settings) == 0
    assert find_running(tmp_path) is None
    with EmbeddedPostgres(tmp_path) as server:
        assert run_command(settings) == 0
        check(server.url)
    assert [line.split(";")[0] for line in capsys.readouterr().out.splitlines()] == [
        "The database was empty",
        f"The database schema is at revision {SCHEMA_REVISION} already",
    ]
