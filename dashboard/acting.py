"""What every write goes through: who asks, whether the roles allow it, one transaction, one entry in the audit log."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from dashboard import access, data, viewers
from fleetflow.access import AccessDeniedError
from fleetflow.storage import audit, sessions
from fleetflow.storage.audit import Who

if TYPE_CHECKING:
    from collections.abc import Callable

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


def is_allowed(session: Session | None, name: str) -> bool:
    """Whether the person may; nobody may what is in no table."""
    if session is None or session.must_change_password:
        return False
    return access.may_do(session.roles, name)
