"""What commands that change or read the database share: a transaction on it, and who runs them."""

from __future__ import annotations

import getpass
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fleetflow.commands.migrate import reachable_database
from fleetflow.storage.audit import Who
from fleetflow.storage.database import check_schema, connection, create_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from fleetflow.settings import Settings


@contextmanager
def acting(settings: Settings) -> Iterator[sa.Connection]:
    """One transaction on the configured or embedded database. Raises ConfigurationError, StorageUnavailableError."""
    with reachable_database(settings) as url, transaction(url) as conn:
        yield conn


@contextmanager
def transaction(url: str) -> Iterator[sa.Connection]:
    """One transaction on a database of the right schema."""
    engine = create_engine(url, application_name="fleetflow-command", pool_size=1, statement_timeout_s=60)
    try:
        with connection(engine) as conn:
            check_schema(conn)
            yield conn
    finally:
        engine.dispose()


def operator() -> Who:
    """Whoever runs commands on this machine, for the audit log."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user has a number and no name
        name = "operator"
    return Who(f"command line ({name})", "this machine")
