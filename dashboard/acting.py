"""What every write goes through: who asks, whether the roles allow it, one transaction, one entry in the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial, wraps
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from dashboard import access, data, downloads, viewers
from fleetflow.access import AccessDeniedError
from fleetflow.storage import audit, sessions, uploads
from fleetflow.storage.audit import Who

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    import sqlalchemy as sa

    from fleetflow.storage.sessions import Session

P = ParamSpec("P")
T = TypeVar("T")

SIGNED_OUT = "You are signed out. Sign in and try again."


@dataclass(slots=True)
class Act:
    """An action under way: its transaction, who acts, and what the audit log will say of it."""

    conn: sa.Connection
    who: Who
    subject: str = ""
    before: dict[str, Any] | None = field(default=None)
    after: dict[str, Any] | None = field(default=None)

    @property
    def author(self) -> str:
        """Whose name stands under what is written."""
        return self.who.name


def action(function: Callable[Concatenate[Act, P], T]) -> Callable[Concatenate[str, P], T]:
    """A write of the dashboard, called with the database's URL; it gets an Act in its place.

    Raises AccessDeniedError, which is logged too, unless access.ACTIONS allows its name to a role of the person.
    """
    name = function.__name__

    @wraps(function)
    def run(database: str, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with data.writing(database) as conn:
            session = sessions.read_session(conn, viewers.token())
            allowed = is_allowed(session, name)
            if allowed and session is not None:
                act = Act(conn, Who(session.name, session.address))
                result = function(act, *args, **kwargs)
                audit.insert_entry(conn, act.who, name, act.subject, before=act.before, after=act.after)
                return result
            if session is not None:
                audit.insert_entry(conn, Who(session.name, session.address), "refused", name)
        raise AccessDeniedError("Your role does not allow that." if session else SIGNED_OUT)

    return run


def note_download(database: str, token: str, page: str, file_name: str, size: int) -> None:
    """Log that a file leaves by a page. Raises AccessDeniedError unless the person may still open the page."""
    with data.noting(database) as conn:
        session = sessions.read_session(conn, token)
        allowed = session is not None and access.may_open(session.roles, page)
        if session is not None:
            entry = ("download" if allowed else "refused", file_name)
            audit.insert_entry(conn, Who(session.name, session.address), *entry, after={"page": page, "bytes": size})
    if not allowed:
        raise AccessDeniedError("Your role does not allow that." if session else SIGNED_OUT)


def note_progress(database: str, upload_id: int, trip_ids: Sequence[UUID], refused: int) -> None:
    """Say which trips came so far with an upload that was begun, and that it goes on; the log hears of its end."""
    with data.noting(database) as conn:
        uploads.insert_upload_trips(conn, upload_id, trip_ids)
        uploads.update_upload(conn, upload_id, stored=len(trip_ids), refused=refused, ended=False)


def arrange_downloads(database: str, page: str) -> None:
    """Let files that a page offers be noted under the name of who looks at it."""
    st.session_state[downloads.NOTER] = partial(note_download, database, viewers.token(), PurePath(page).stem)


def is_allowed(session: Session | None, name: str) -> bool:
    """Whether the person may; nobody may what is in no table."""
    if session is None or session.must_change_password:
        return False
    return access.may_do(session.roles, name)
