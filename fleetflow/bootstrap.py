"""What every program's main does first: settings, logs, the database's address; and what it does with an error."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from rich.console import Console

from fleetflow import logs
from fleetflow.embedded import find_running
from fleetflow.errors import ConfigurationError, FleetFlowError
from fleetflow.settings import Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable


def run_program(name: str, serve: Callable[[Settings, str], int], *, database_user: str) -> int:
    """Run `serve(settings, database_url)`; an error that a person can act on is one line on standard error.

    `database_user` is whose rights in the database it has: ingest, worker or dashboard.
    """
    try:
        settings = read_settings().for_program(database_user)
        logs.configure(name, settings.log_level)
        return serve(settings, database_url(settings))
    except FleetFlowError as error:
        report(error)
        return 1


def database_url(settings: Settings) -> str:
    """The configured Postgres, else the embedded one that `make run` started."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    url = find_running(settings.data_dir)
    if url is None:
        raise ConfigurationError(
            "There is no database: set FLEETFLOW_DATABASE_URL, or start the embedded one with: python -m fleetflow up"
        )
    return url


def spare_lasting_objects() -> None:
    """Keep what is imported by now out of garbage collection for ever.

    A full collection goes over every object of the modules, which never go, while nothing else of the process runs:
    70 ms in the API, a fifth of a second after each run of a page in the dashboard.
    """
    gc.collect()
    gc.freeze()


def report(error: FleetFlowError) -> None:
    """Say what is wrong, in one line and without a traceback."""
    Console(stderr=True, soft_wrap=True).print(str(error), style="red", markup=False, highlight=False)
