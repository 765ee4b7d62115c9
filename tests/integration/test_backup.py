"""The drill that a backup is for: a dump, another server's database, and everything is there."""

from __future__ import annotations

import argparse
import stat
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from fleetflow.backup import BackupError
from fleetflow.commands import backup, restore
from fleetflow.errors import ConfigurationError
from fleetflow.settings import Settings
from fleetflow.storage.migrate import upgrade
from fleetflow.storage.replacing import ASIDE
from tests.integration.test_rescoring import HARD, SOFT, insert_trip

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postgres
TABLES = (
    "trip_logs", "harsh_events", "driver_scores", "scoring_profiles", "profile_activations", "drivers", "vehicles",
)  # fmt: skip
ALL = SQL("SELECT * FROM {} ORDER BY 1, 2")


def make_backup(url: str, file: Path) -> None:
    assert backup.run(argparse.Namespace(file=file), Settings(database_url=SecretStr(url))) == 0


def restore_from(url: str, file: Path, *, replace: bool = False) -> None:
    assert restore.run(argparse.Namespace(file=file, replace=replace), Settings(database_url=SecretStr(url))) == 0


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    with psycopg.connect(url) as conn:
        return {name: conn.execute(ALL.format(Identifier("telemetry", name))).fetchall() for name in TABLES}


def schemas(url: str) -> set[str]:
    with psycopg.connect(url) as conn:
        rows = conn.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'telemetry%'").fetchall()
    return {str(row[0]) for row in rows}


@pytest.fixture
def dumped(engine, database_url: str, tmp_path: Path) -> Path:
    for hour in range(3):
        insert_trip(engine, HARD, SOFT, hour=hour)
    engine.dispose()
    make_backup(database_url, tmp_path / "fleet.dump")
    return tmp_path / "fleet.dump"


def test_a_backup_restored_into_an_empty_database_holds_everything(dumped, database_url, empty_database_url):
    restore_from(empty_database_url, dumped)
    assert contents(empty_database_url) == contents(database_url)
    assert len(contents(empty_database_url)["driver_scores"]) == 3
    assert upgrade(empty_database_url) is not None


def test_a_backup_is_for_its_owner_alone_and_leaves_nothing_beside_it(dumped):
    assert stat.S_IMODE(dumped.stat().st_mode) == 0o600
    assert [each.name for each in dumped.parent.iterdir()] == [dumped.name]


def test_data_give_way_to_a_backup_only_when_told_so(dumped, database_url, engine):
    insert_trip(engine, HARD, hour=9)
    engine.dispose()
    before = contents(database_url)
    with pytest.raises(ConfigurationError, match="--replace"):
        restore_from(database_url, dumped)
    assert contents(database_url) == before
    restore_from(database_url, dumped, replace=True)
    assert len(contents(database_url)["trip_logs"]) == 3
    assert schemas(database_url) == {"telemetry"}


def test_a_backup_that_is_cut_short_changes_nothing(dumped, database_url):
    before = contents(database_url)
    whole = dumped.read_bytes()
    dumped.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BackupError, match="pg_restore"):
        restore_from(database_url, dumped, replace=True)
    assert contents(database_url) == before
    assert schemas(database_url) == {"telemetry"}


def test_a_file_that_is_no_backup_leaves_an_empty_database_empty(empty_database_url, tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Dear fleet manager")
    with pytest.raises(BackupError, match="pg_restore"):
        restore_from(empty_database_url, file)
    assert schemas(empty_database_url) == set()


def test_a_backup_of_a_newer_fleetflow_is_refused_and_the_data_come_back(dumped, database_url, empty_database_url):
    restore_from(empty_database_url, dumped)
    with psycopg.connect(empty_database_url) as conn:
        conn.execute("UPDATE telemetry.alembic_version SET version_num = '9999'")
    make_backup(empty_database_url, dumped)
    before = contents(database_url)
    with pytest.raises(ConfigurationError, match="too new"):
        restore_from(database_url, dumped, replace=True)
    assert contents(database_url) == before


def test_nothing_is_restored_while_a_program_of_fleetflow_is_connected(dumped, database_url):
    worker = psycopg.connect(database_url, application_name="fleetflow-worker")
    with worker, pytest.raises(ConfigurationError, match=r"Stop FleetFlow first; .*fleetflow-worker"):
        restore_from(database_url, dumped, replace=True)
    assert ASIDE not in schemas(database_url)


def test_a_backup_into_a_folder_that_is_not_there_is_refused_by_name(database_url, tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be written"):
        make_backup(database_url, tmp_path / "nowhere" / "fleet.dump")
