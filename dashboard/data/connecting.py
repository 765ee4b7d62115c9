"""The connections to the database, and how long answers are kept.

Every cache has an age and a bound, and no error is cached. `database` is the URL. Nothing in this package reads a
global or the session: a cache key says all that an answer depends on.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import streamlit as st

from fleetflow.storage.database import check_schema, connection, create_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

FRESH_S = 5
"""How old a list or a sum may be: new trips show within seconds, and a crowd of viewers costs one query."""
LASTING_S = 600
"""How long the samples and events of a scored trip are kept; they never change."""
FLEET_S = 60
"""How long what-if works on the same events: reading them takes a second or more, and tuning moves many sliders."""
POOL_SIZE = 8
STATEMENT_TIMEOUT_S = 10.0


class Clearable(Protocol):
    """A cache that can be emptied."""

    def clear(self) -> None:
        """Forget every answer."""


Cache = TypeVar("Cache", bound=Clearable)
_shared: list[Clearable] = []


@dataclass(slots=True)
class Link:
    """One database: its connections, the last moment it answered, and until when its schema is known to be right."""

    engine: sa.Engine
    answered_at: datetime | None = field(default=None)
    checked_until_s: float = 0.0


def _close(link: Link) -> None:
    link.engine.dispose()


@st.cache_resource(ttl=86_400, max_entries=4, show_spinner=False, on_release=_close)
def link(database: str) -> Link:
    """The one pool of connections that all viewers share."""
    return Link(
        create_engine(
            database,
            application_name="fleetflow-dashboard",
            pool_size=POOL_SIZE,
            statement_timeout_s=STATEMENT_TIMEOUT_S,
        )
    )


@contextmanager
def reading(database: str) -> Iterator[sa.Connection]:
    """A connection to a database of the right schema. Raises StorageUnavailableError, ConfigurationError."""
    used = link(database)
    with connection(used.engine) as conn:
        if time.monotonic() > used.checked_until_s:
            check_schema(conn)
            used.checked_until_s = time.monotonic() + FRESH_S  # a page reads a dozen times
        yield conn
    used.answered_at = datetime.now(UTC)


@contextmanager
def writing(database: str) -> Iterator[sa.Connection]:
    """A transaction that changes something; afterwards no cache shows the state before it."""
    with noting(database) as conn:
        yield conn
    forget()


@contextmanager
def noting(database: str) -> Iterator[sa.Connection]:
    """A transaction that only adds what no cache has to show at once, such as an entry of the audit log."""
    with reading(database) as conn:
        yield conn


def forget() -> None:
    """Ask the database again for everything."""
    st.cache_data.clear()
    for cache in _shared:
        cache.clear()


def forgettable(cache: Cache) -> Cache:
    """Let `forget` clear this cache_resource too. What it holds is shared by all viewers and must never be changed."""
    _shared.append(cache)
    return cache


def last_answer_at(database: str) -> datetime | None:
    """When the database last answered this dashboard; None if it never did."""
    return link(database).answered_at
