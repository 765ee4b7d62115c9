"""Accounts as admins and commands manage them: every initial password is random and shown once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetflow import passwords
from fleetflow.access import Role
from fleetflow.storage import accounts, audit, sessions
from fleetflow.storage.accounts import SignOnAccountError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import sqlalchemy as sa

    from fleetflow.storage.audit import Who

FIRST_ADMIN = "admin"
DEMO_ACCOUNTS = {
    "manager (simulated)": Role.FLEET_MANAGER,
    "officer (simulated)": Role.SAFETY_OFFICER,
}


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password, to be shown once."""

    name: str
    password: str


def add_account(conn: sa.Connection, name: str, roles: Iterable[Role], *, must_change_password: bool = True) -> Login:
    """A new account. Raises AccountExistsError."""
    password = passwords.random_password()
    hashed = passwords.hash_password(password)
    made = accounts.insert_account(conn, name, hashed, roles, must_change_password=must_change_password)
    return Login(made.name, password)


def reset_password(conn: sa.Connection, name: str) -> Login:
    """Another password, to be changed when it is first used; all sessions end.

    Raises AccountMissingError, SignOnAccountError.
    """
    account = accounts.read_account(conn, name)
    if account.subject:
        raise SignOnAccountError(f"{account.name} signs in by single sign-on and has no password here.")
    password = passwords.random_password()
    accounts.update_password(conn, account.id, passwords.hash_password(password), must_change=True)
    sessions.delete_sessions(conn, account.id)
    return Login(account.name, password)


def disable(conn: sa.Connection, name: str) -> None:
    """Out at once, and not in again. Raises AccountMissingError, LastAdminError."""
    account = accounts.read_account(conn, name)
    accounts.disable_account(conn, account.id)
    sessions.delete_sessions(conn, account.id)


def enable(conn: sa.Connection, name: str) -> None:
    """In again, with the password as it was. Raises AccountMissingError."""
    accounts.enable_account(conn, accounts.read_account(conn, name).id)


def add_first_accounts(conn: sa.Connection, who: Who, *, demo: bool) -> list[Login]:
    """The first admin of an installation that has no account, for a demo fleet also one of each other role."""
    if accounts.list_accounts(conn):
        return []
    wanted = {FIRST_ADMIN: Role.ADMIN, **(DEMO_ACCOUNTS if demo else {})}
    logins = [add_account(conn, name, [role], must_change_password=False) for name, role in wanted.items()]
    for name, role in wanted.items():
        audit.insert_entry(conn, who, "add_account", name, after={"roles": [role]})
    return logins
