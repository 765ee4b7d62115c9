"""Putting a whole schema in the place of another: the old one is set aside until the new one is known to be good."""

from __future__ import annotations

import sqlalchemy as sa

from fleetflow.errors import ConfigurationError
from fleetflow.storage.tables import SCHEMA

ASIDE = f"{SCHEMA}_before_restore"

CONNECTED = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'fleetflow-%'
  AND application_name <> :myself
ORDER BY application_name
"""


def has_schema(conn: sa.Connection, name: str = SCHEMA) -> bool:
    """Whether there is such a schema, whatever is in it."""
    return bool(conn.scalar(sa.text("SELECT to_regnamespace(:name) IS NOT NULL"), {"name": name}))


def list_connected(conn: sa.Connection, *, myself: str) -> list[str]:
    """The names of FleetFlow's other programs that are connected to this database."""
    return list(conn.scalars(sa.text(CONNECTED), {"myself": myself}))


def set_aside(conn: sa.Connection) -> None:
    """Give the schema another name. Raises ConfigurationError when an older one is still set aside."""
    if has_schema(conn, ASIDE):
        raise ConfigurationError(
            f"The schema {ASIDE} is still there from a restore that broke off: it holds the data from before."
            f" Drop it, or rename it to {SCHEMA}, then try again."
        )
    conn.execute(sa.text(f"ALTER SCHEMA {SCHEMA} RENAME TO {ASIDE}"))


def put_back(conn: sa.Connection) -> None:
    """Undo `set_aside`; what has come in its place is dropped."""
    conn.execute(sa.text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
    if has_schema(conn, ASIDE):
        conn.execute(sa.text(f"ALTER SCHEMA {ASIDE} RENAME TO {SCHEMA}"))


def drop_aside(conn: sa.Connection) -> None:
    """Let go of what was set aside, if anything was."""
    conn.execute(sa.text(f"DROP SCHEMA IF EXISTS {ASIDE} CASCADE"))
