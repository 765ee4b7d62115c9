"""Who is there. Never from a cache: a session that was ended a moment ago must not be let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.data.connecting import reading
from fleetflow.storage import sessions

if TYPE_CHECKING:
    from fleetflow.storage.sessions import Session


def session(database: str, token: str) -> Session | None:
    """The person behind a session's token; None when it has ended."""
    with reading(database) as conn:
        return sessions.read_session(conn, token)
