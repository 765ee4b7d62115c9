"""Reaching Postgres: engines with deadlines, one transaction per `connection`, errors in our own words."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from fleetflow.errors import ConfigurationError, StorageUnavailableError
from fleetflow.storage.tables import SCHEMA, SCHEMA_REVISION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

CONNECT_TIMEOUT_S = 3
# Keepalives alone do not notice a partition while data is unacknowledged;
# tcp_user_timeout does (measured: 3.4 s against more than 25 s).
TCP_USER_TIMEOUT_MS = 5000
KEEPALIVES_IDLE_S = 10
LOCK_TIMEOUT_MS = 1000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000

UNAVAILABLE_CLASSES = ("08", "53", "57", "58")
"""SQLSTATE classes for connection trouble, lack of resources, shutdown and system errors."""
LOCK_NOT_AVAILABLE = "55P03"
ANOTHER_SCHEMA = ("42P01", "42703", "3F000")
"""An undefined table, column or schema: the migrations have not run yet, or a newer FleetFlow's have."""

STATEMENT_TIMEOUT = sa.text("SELECT set_config('statement_timeout', :ms, true)")
"""For the rest of a transaction."""


def sqlalchemy_url(url: str) -> sa.URL:
    """The URL for SQLAlchemy's psycopg 3 dialect; ConfigurationError when it is not a Postgres URL."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            "FLEETFLOW_DATABASE_URL is not a URL such as postgresql://user:password@host:5432/name."
        ) from error
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigurationError(
            "FLEETFLOW_DATABASE_URL must begin with postgresql://; FleetFlow keeps its data in Postgres only."
        )
    return parsed.set(drivername="postgresql+psycopg")


def create_engine(
    url: str,
    *,
    application_name: str,
    pool_size: int = 4,
    pool_timeout_s: float = 2.0,
    statement_timeout_s: float = 15.0,
) -> sa.Engine:
    """An engine that never waits without an end: connecting, pool, locks and statements have deadlines."""
    options = {
        "statement_timeout": f"{statement_timeout_s * 1000:.0f}",
        "lock_timeout": LOCK_TIMEOUT_MS,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT_MS,
        "timezone": "UTC",
    }
    address = sqlalchemy_url(url)
    given = address.query.get("options", "")
    connect_args: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "tcp_user_timeout": TCP_USER_TIMEOUT_MS,
        "keepalives_idle": KEEPALIVES_IDLE_S,
        "application_name": application_name,
        "options": " ".join([*(f"-c {name}={value}" for name, value in options.items()), str(given)]),
    }
    return sa.create_engine(
        address,
        connect_args=connect_args,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=pool_timeout_s,
        pool_pre_ping=True,
        hide_parameters=True,  # an error's text goes to the log, what people and vehicles sent does not
    )


def without_names(url: str) -> str:
    """The same database, on whose connections no driver has a name."""
    hidden = sqlalchemy_url(url).update_query_dict({"options": "-c fleetflow.pseudonyms=on"})
    return hidden.set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction: committed when the block ends, rolled back when it raises.

    Raises StorageUnavailableError when Postgres is out of reach, overloaded, locked or shutting down.
    """
    with translated_errors(), engine.begin() as conn:
        yield conn


@contextmanager
def snapshot(engine: sa.Engine, *, statement_timeout_s: float | None = None) -> Iterator[sa.Connection]:
    """Like `connection`, but all statements see the database as it was at the first; it can only read.

    A statement may take as long as the engine says, or longer where the caller knows that it reads much.
    """
    with translated_errors(), engine.begin() as conn:
        conn.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
        if statement_timeout_s is not None:
            conn.execute(STATEMENT_TIMEOUT, {"ms": f"{statement_timeout_s * 1000:.0f}"})
        yield conn


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the driver's ways of saying "not now" into StorageUnavailableError; let other errors through."""
    try:
        yield
    except PoolTimeoutError as error:
        raise StorageUnavailableError("All database connections are busy.") from error
    except DBAPIError as error:
        if _is_unavailable(error):
            raise StorageUnavailableError("The database does not answer.") from error
        if getattr(error.orig, "sqlstate", None) in ANOTHER_SCHEMA:
            raise StorageUnavailableError("The database's schema is not this version's.") from error
        raise
    except InvalidRequestError as error:
        # What SQLAlchemy says when a connection that died is used on; other misuse carries no DBAPI error.
        if isinstance(error.__context__, DBAPIError) and _is_unavailable(error.__context__):
            raise StorageUnavailableError("The database does not answer.") from error
        raise


@contextmanager
def driver_errors() -> Iterator[None]:
    """What goes past SQLAlchemy to psycopg itself, such as COPY, fails as any other statement does."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error) from error


def _is_unavailable(error: DBAPIError) -> bool:
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
    return state.startswith(UNAVAILABLE_CLASSES) or state == LOCK_NOT_AVAILABLE


def sever(conn: sa.Connection) -> None:
    """Cut a connection from another thread, so that a call waiting on a frozen server ends with an error."""
    try:
        descriptor = conn.connection.driver_connection.fileno()  # type: ignore[union-attr]
        with socket.socket(fileno=socket.dup(descriptor)) as copy:
            copy.shutdown(socket.SHUT_RDWR)
    except (OSError, SQLAlchemyError, AttributeError):
        return  # it is closed already, which is what was wanted


def check_schema(conn: sa.Connection) -> None:
    """ConfigurationError in one line unless the schema is the one this version works with."""
    revision = read_revision(conn)
    if revision == SCHEMA_REVISION:
        return
    if revision is None or revision < SCHEMA_REVISION:
        found = f"is at revision {revision}" if revision else "has no FleetFlow tables"
        raise ConfigurationError(
            f"The database schema is too old: it {found}, this FleetFlow needs {SCHEMA_REVISION}."
            " Run: python -m fleetflow migrate"
        )
    raise too_new(revision)


def too_new(revision: str) -> ConfigurationError:
    """The error for a schema that a newer FleetFlow made."""
    return ConfigurationError(
        f"The database schema is too new: it is at revision {revision}, this FleetFlow knows"
        f" {SCHEMA_REVISION}. Update FleetFlow."
    )


def read_revision(conn: sa.Connection) -> str | None:
    """The revision that the database's schema is at; None when it has none of FleetFlow's tables."""
    known = conn.scalar(sa.text("SELECT to_regclass(:name)"), {"name": f"{SCHEMA}.alembic_version"})
    return conn.scalar(sa.text("SELECT version_num FROM telemetry.alembic_version")) if known else None


def read_clock(conn: sa.Connection) -> datetime:
    """The database's time, which is everybody's."""
    now: datetime = conn.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return now
