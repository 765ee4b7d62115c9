"""`python -m fleetflow migrate`: bring the database to the schema that this version works with."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from fleetflow.embedded import EmbeddedPostgres, find_running
from fleetflow.logins import prepare_users
from fleetflow.storage.migrate import upgrade
from fleetflow.storage.tables import SCHEMA_REVISION

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from fleetflow.settings import Settings

HELP = "Bring the database to the schema that this version works with; safe to run again."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none: the database is a setting."""
    del parser


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Migrate, make the programs' users, and say in one line what was done."""
    del args
    with reachable_database(settings) as url:
        before = upgrade(url)
        notice = prepare_users(url, settings)
    Console().print(describe(before), highlight=False)
    if notice:
        Console(soft_wrap=True).print(notice, highlight=False)
    return 0


def describe(before: str | None) -> str:
    """What a migration did, given the revision it found."""
    if before is None:
        return f"The database was empty; its schema is now at revision {SCHEMA_REVISION}."
    if before == SCHEMA_REVISION:
        return f"The database schema is at revision {SCHEMA_REVISION} already; nothing to do."
    return f"The database schema went from revision {before} to {SCHEMA_REVISION}."


@contextmanager
def reachable_database(settings: Settings) -> Iterator[str]:
    """The URL of the database: the configured one, the embedded one that runs, or an embedded one for the time."""
    running = settings.database_url.get_secret_value() if settings.database_url else find_running(settings.data_dir)
    if running:
        yield running
        return
    with EmbeddedPostgres(settings.data_dir) as server:
        yield server.url
