"""Who is signed in. The browser holds a random token, the table only its hash; deleting the row ends the session."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleetflow.access import Role
from fleetflow.storage.tables import sessions

if TYPE_CHECKING:
    from datetime import datetime

SEEN_EVERY_S = 30
"""How exactly the last sign of life is kept; writing it at every request would be a row version a request."""

READ_SESSION = """
WITH live AS (
    SELECT session.token_hash, session.seen_at, session.address, account.id, account.name, account.roles,
        account.must_change_password, account.subject IS NULL AS has_password
    FROM telemetry.sessions AS session JOIN telemetry.accounts AS account ON account.id = session.account_id
    WHERE session.token_hash = %(token_hash)s AND account.disabled_at IS NULL AND session.expires_at > now()
        AND session.seen_at > now() - session.idle_s * interval '1 second'
), seen AS (
    UPDATE telemetry.sessions AS session SET seen_at = now() FROM live
    WHERE session.token_hash = live.token_hash AND live.seen_at < now() - %(every_s)s * interval '1 second'
)
SELECT id, name, roles, must_change_password, address, has_password FROM live
"""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person, as of now."""

    account_id: int
    name: str
    roles: frozenset[Role]
    must_change_password: bool
    address: str
    has_password: bool = True
    """False for somebody who signs in by single sign-on."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session in the list of those that go on."""

    name: str
    address: str
    created_at: datetime
    seen_at: datetime


def insert_session(conn: sa.Connection, account_id: int, *, idle_s: int, lifetime_s: int, address: str = "") -> str:
    """Sign a person in; returns the token, which is nowhere else. Sessions that ended are cleared away."""
    token = secrets.token_urlsafe(32)
    ended = sa.text(
        "DELETE FROM telemetry.sessions WHERE expires_at < now() OR seen_at < now() - idle_s * interval '1 second'"
    )
    conn.execute(ended)
    values = {
        "token_hash": hash_token(token),
        "account_id": account_id,
        "idle_s": idle_s,
        "address": address,
        "expires_at": sa.func.now() + timedelta(seconds=lifetime_s),
    }
    conn.execute(sa.insert(sessions).values(**values))
    return token


def read_session(conn: sa.Connection, token: str) -> Session | None:
    """The person whose token this is; None for one that is unknown, revoked, expired, or of a disabled account."""
    values = {"token_hash": hash_token(token), "every_s": SEEN_EVERY_S}
    row = conn.exec_driver_sql(READ_SESSION, values).one_or_none()
    if row is None:
        return None
    roles = frozenset(Role(each) for each in row.roles)
    return Session(row.id, row.name, roles, row.must_change_password, row.address, row.has_password)


def delete_session(conn: sa.Connection, token: str) -> None:
    """Sign out."""
    conn.execute(sa.delete(sessions).where(sessions.c.token_hash == hash_token(token)))


def delete_sessions(conn: sa.Connection, account_id: int, *, but: str | None = None) -> int:
    """End all sessions of an account, or all but one; returns how many."""
    keep = sessions.c.token_hash != hash_token(but) if but else sa.true()
    return conn.execute(sa.delete(sessions).where(sessions.c.account_id == account_id, keep)).rowcount


def hash_token(token: str) -> bytes:
    """How a token is kept: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).digest()
