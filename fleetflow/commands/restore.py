"""`python -m fleetflow restore FILE`: put a backup into the database, wholly or not at all."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from fleetflow import backup
from fleetflow.commands.database import operator
from fleetflow.commands.migrate import reachable_database
from fleetflow.errors import ConfigurationError
from fleetflow.storage import audit, erasures, replacing
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.migrate import upgrade

if TYPE_CHECKING:
    import argparse

    import sqlalchemy as sa

    from fleetflow.settings import Settings

HELP = "Put a backup into the database, wholly or not at all; an older one is brought to this version's schema."
PROGRAM = "fleetflow-restore"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file, and whether data may be replaced."""
    parser.add_argument("file", type=Path, help="what `backup` wrote")
    parser.add_argument("--replace", action="store_true", help="drop the data that the database holds now")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Restore and say how long it took."""
    started = time.monotonic()
    with reachable_database(settings) as url:
        restore(url, args.file, replace=args.replace)
    Console().print(f"Restored from {args.file} in {time.monotonic() - started:.1f} s.", highlight=False, markup=False)
    return 0


def restore(url: str, file: Path, *, replace: bool) -> None:
    """What is there stays until the backup is in and has this version's schema, and comes back if that fails.

    Drivers who were erased since the backup are erased again.

    Raises ConfigurationError, BackupError, StorageUnavailableError.
    """
    engine = create_engine(url, application_name=PROGRAM, statement_timeout_s=60.0)
    try:
        with connection(engine) as conn:
            _make_room(conn, replace=replace)
        try:
            backup.restore(url, file)
            upgrade(url)
            with connection(engine) as conn:
                _forget_again(conn)
        except BaseException:
            with connection(engine) as conn:
                replacing.put_back(conn)
            raise
        with connection(engine) as conn:
            replacing.drop_aside(conn)
            audit.insert_entry(conn, operator(), "restore", file.name, after={"replaced": replace})
    finally:
        engine.dispose()


def _forget_again(conn: sa.Connection) -> None:
    """Whoever was erased after the backup was made must not come back with it."""
    for driver_id in erasures.carry_tombstones(conn):
        erased = erasures.erase_driver(conn, driver_id)
        audit.insert_entry(conn, operator(), "erase_driver", "after a restore", after=erased.as_plain())


def _make_room(conn: sa.Connection, *, replace: bool) -> None:
    connected = replacing.list_connected(conn, myself=PROGRAM)
    if connected:
        raise ConfigurationError(f"Stop FleetFlow first; connected to this database: {', '.join(connected)}.")
    if not replacing.has_schema(conn):
        return
    if not replace:
        raise ConfigurationError("The database holds data already. With --replace they give way to the backup.")
    replacing.set_aside(conn)
