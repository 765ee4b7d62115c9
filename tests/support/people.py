"""Somebody who is signed in, for tests of pages: a row in the database, as if the password had been checked."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

from fleetflow import passwords
from fleetflow.access import Role
from fleetflow.storage import accounts, sessions
from fleetflow.storage.database import connection, create_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "seven wet stones in a row"
_hashed: list[str] = []


def hashed() -> str:
    """PASSWORD as it is stored; made once, since it takes a while."""
    if not _hashed:
        _hashed.append(passwords.hash_password(PASSWORD))
    return _hashed[0]


def add_account(url: str, *roles: Role, name: str = "", must_change_password: bool = False) -> accounts.Account:
    """An account with PASSWORD; an admin's if no role is said."""
    engine = create_engine(url, application_name="test", pool_size=1)
    name = name or f"simulated viewer {uuid.uuid4().hex[:8]}"
    with connection(engine) as conn:
        made = accounts.insert_account(
            conn, name, hashed(), roles or (Role.ADMIN,), must_change_password=must_change_password
        )
    engine.dispose()
    return made


def start_session(database_url: str, *roles: Role, name: str = "") -> str:
    """The token of a new account's session."""
    account = add_account(database_url, *roles, name=name)
    engine = create_engine(database_url, application_name="test", pool_size=1)
    with connection(engine) as conn:
        token = sessions.insert_session(conn, account.id, idle_s=600, lifetime_s=3600, address="192.0.2.7")
    engine.dispose()
    return token


@contextmanager
def signed_in(database_url: str, *roles: Role, name: str = "") -> Iterator[str]:
    """Whatever runs in the block - an AppTest, an action - is done by somebody with these roles; yields the token."""
    token = start_session(database_url, *roles, name=name)
    with patch("dashboard.viewers.token", lambda: token):
        yield token
