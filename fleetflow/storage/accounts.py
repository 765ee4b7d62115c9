"""The people who may sign in. Names count without regard to case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from fleetflow.access import Role
from fleetflow.errors import FleetFlowError
from fleetflow.storage.tables import accounts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Account:
    """A person; without the password's hash, which only `read_credentials` gives out."""

    id: int
    name: str
    roles: frozenset[Role]
    must_change_password: bool
    created_at: datetime
    disabled_at: datetime | None
    subject: str | None
    """Who this is to the provider of single sign-on; None for an account with a password."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in compares with."""

    account_id: int
    name: str
    password_hash: str
    must_change_password: bool


class AccountExistsError(FleetFlowError):
    """Somebody has that name already; whoever adds the account picks another."""


class AccountMissingError(FleetFlowError):
    """There is no account of that name; whoever named it looks at the list."""


class SignOnAccountError(FleetFlowError):
    """The account belongs to single sign-on, which its owner or the provider has to be asked about."""


class LastAdminError(FleetFlowError):
    """Nobody could manage accounts any more; another admin comes first."""


PUBLIC = [accounts.c[name] for name in Account.__slots__]


def insert_account(
    conn: sa.Connection, name: str, password_hash: str, roles: Iterable[Role], *, must_change_password: bool
) -> Account:
    """Add a person. Raises AccountExistsError."""
    values = {
        "name": name.strip(),
        "password_hash": password_hash,
        "roles": sorted(roles),
        "must_change_password": must_change_password,
    }
    statement = insert(accounts).values(**values).on_conflict_do_nothing().returning(*PUBLIC)
    row = conn.execute(statement).one_or_none()
    if row is None:
        raise AccountExistsError(f"There is an account named {name.strip()} already.")
    return _account(row)


def list_accounts(conn: sa.Connection) -> list[Account]:
    """Everybody, by name; disabled ones too."""
    return [_account(row) for row in conn.execute(sa.select(*PUBLIC).order_by(sa.func.lower(accounts.c.name)))]


def read_account(conn: sa.Connection, name: str) -> Account:
    """One person by name. Raises AccountMissingError."""
    row = conn.execute(sa.select(*PUBLIC).where(_named(name))).one_or_none()
    if row is None:
        raise AccountMissingError(f"There is no account named {name.strip()}.")
    return _account(row)


def read_credentials(conn: sa.Connection, name: str) -> Credentials | None:
    """What the password of an account that may sign in is compared with; None where there is none."""
    columns = (accounts.c.id, accounts.c.name, accounts.c.password_hash, accounts.c.must_change_password)
    has_password = sa.and_(accounts.c.disabled_at.is_(None), accounts.c.password_hash.is_not(None))
    row = conn.execute(sa.select(*columns).where(_named(name), has_password)).one_or_none()
    return None if row is None else Credentials(*row)


def read_signed_on(conn: sa.Connection, subject: str) -> Account | None:
    """The account of somebody whom the provider of single sign-on calls `subject`; disabled ones too."""
    row = conn.execute(sa.select(*PUBLIC).where(accounts.c.subject == subject)).one_or_none()
    return None if row is None else _account(row)


def insert_signed_on(conn: sa.Connection, subject: str, name: str, roles: Iterable[Role]) -> Account:
    """Add somebody who has no password here. Raises AccountExistsError: nobody takes over a name that is in use."""
    values = {"name": name.strip(), "roles": sorted(roles), "subject": subject}
    statement = insert(accounts).values(**values).on_conflict_do_nothing().returning(*PUBLIC)
    row = conn.execute(statement).one_or_none()
    if row is None:
        raise AccountExistsError(f"There is an account named {name.strip()} already, which is not yours.")
    return _account(row)


def update_signed_on(conn: sa.Connection, account_id: int, roles: Iterable[Role]) -> None:
    """Give the roles that the provider says, also where the last admin is one no more: the provider may make others."""
    conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(roles=sorted(roles)))


def update_password(conn: sa.Connection, account_id: int, password_hash: str, *, must_change: bool) -> None:
    """Set another password."""
    values = {"password_hash": password_hash, "must_change_password": must_change}
    conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(**values))


def update_roles(conn: sa.Connection, account_id: int, roles: Iterable[Role]) -> None:
    """Give a person these roles instead. Raises LastAdminError."""
    _lock_admins(conn)
    conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(roles=sorted(roles)))
    _keep_an_admin(conn)


def disable_account(conn: sa.Connection, account_id: int) -> None:
    """Let nobody sign in by this account. Raises LastAdminError."""
    _lock_admins(conn)
    conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(disabled_at=sa.func.now()))
    _keep_an_admin(conn)


def enable_account(conn: sa.Connection, account_id: int) -> None:
    """Let the person sign in again."""
    conn.execute(sa.update(accounts).where(accounts.c.id == account_id).values(disabled_at=None))


def has_admin(conn: sa.Connection) -> bool:
    """Whether anybody may manage accounts."""
    may = sa.and_(accounts.c.disabled_at.is_(None), accounts.c.roles.contains([Role.ADMIN]))
    return bool(conn.scalar(sa.select(sa.exists().where(may))))


def _lock_admins(conn: sa.Connection) -> None:
    """Two admins who disable each other at once: the second waits, and then sees that nobody else is left."""
    admins = sa.select(accounts.c.id).where(accounts.c.roles.contains([Role.ADMIN])).order_by(accounts.c.id)
    conn.execute(admins.with_for_update())


def _keep_an_admin(conn: sa.Connection) -> None:
    if not has_admin(conn):
        raise LastAdminError("This is the only admin; make another account an admin first.")


def _named(name: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(accounts.c.name) == sa.func.lower(name.strip())


def _account(row: sa.Row[Any]) -> Account:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return Account(**{**values, "roles": frozenset(Role(each) for each in values["roles"])})
