"""API keys of vehicles and gateways. The key itself is shown once; the table holds its hash and a visible prefix."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleetflow.access import Scope
from fleetflow.errors import FleetFlowError
from fleetflow.storage.tables import api_keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it may be shown."""

    id: int
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ring:
    """What a request is checked against: the usable keys by their hash, and whether a key was ever made for anybody.

    `any_given` tells whether one that was made for somebody is good now. FleetFlow's own key counts for neither.
    """

    usable: dict[bytes, tuple[int, frozenset[Scope]]]
    any_made: bool
    any_given: bool


class KeyMissingError(FleetFlowError):
    """There is no key of that prefix that could be revoked; whoever named it looks at the list."""


OWN = "python -m fleetflow up"
"""Who made the key that FleetFlow gives to its own dashboard."""
PUBLIC = [api_keys.c[name] for name in Key.__slots__]


def insert_key(
    conn: sa.Connection, name: str, scopes: Iterable[Scope], *, created_by: str, expires_at: datetime | None = None
) -> tuple[str, str]:
    """Make a key; returns its prefix and the whole key, which is nowhere else."""
    prefix = f"ff_{secrets.token_hex(4)}"
    key = f"{prefix}_{secrets.token_urlsafe(32)}"
    values = {
        "name": name.strip(),
        "prefix": prefix,
        "key_hash": hash_key(key),
        "scopes": sorted(scopes),
        "created_by": created_by,
        "expires_at": expires_at,
    }
    conn.execute(sa.insert(api_keys).values(**values))
    return prefix, key


def list_keys(conn: sa.Connection) -> list[Key]:
    """All keys, the newest first; those that are no longer good too."""
    return [_key(row) for row in conn.execute(sa.select(*PUBLIC).order_by(api_keys.c.id.desc()))]


def read_ring(conn: sa.Connection) -> Ring:
    """All keys that are good now."""
    good = sa.and_(
        api_keys.c.revoked_at.is_(None), sa.or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > sa.func.now())
    )
    own = (api_keys.c.created_by == OWN).label("own")
    columns = (api_keys.c.id, api_keys.c.key_hash, api_keys.c.scopes, good.label("good"), own)
    rows = conn.execute(sa.select(*columns)).all()
    usable = {bytes(row.key_hash): (row.id, frozenset(map(Scope, row.scopes))) for row in rows if row.good}
    given = [row for row in rows if not row.own]
    return Ring(usable, any_made=bool(given), any_given=any(row.good for row in given))


def touch_keys(conn: sa.Connection, ids: Iterable[int]) -> None:
    """Note that keys were used just now."""
    used = sorted(ids)
    if used:
        conn.execute(sa.update(api_keys).where(api_keys.c.id.in_(used)).values(last_used_at=sa.func.now()))


def revoke_key(conn: sa.Connection, prefix: str) -> str:
    """Let a key open nothing from now on; returns its name. Raises KeyMissingError."""
    known = sa.and_(api_keys.c.prefix == prefix, api_keys.c.revoked_at.is_(None))
    statement = sa.update(api_keys).where(known).values(revoked_at=sa.func.now()).returning(api_keys.c.name)
    name: str | None = conn.scalar(statement)
    if name is None:
        raise KeyMissingError(f"There is no key {prefix} that could be revoked.")
    return name


def delete_own_keys(conn: sa.Connection, name: str) -> int:
    """Take away what an earlier start left under this name; how many that were. The audit log tells of them."""
    old = sa.and_(api_keys.c.created_by == OWN, api_keys.c.name == name)
    return conn.execute(sa.delete(api_keys).where(old)).rowcount


def hash_key(key: str) -> bytes:
    """How a key is kept: 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def _key(row: sa.Row[Any]) -> Key:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return Key(**{**values, "scopes": frozenset(Scope(each) for each in values["scopes"])})
