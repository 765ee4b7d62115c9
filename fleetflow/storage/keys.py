"""API keys of vehicles and gateways. The key itself is shown once; the table holds its hash and a visible prefix."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleetflow.access import Scope
from fleetflow.errors import FleetFlowError
from fleetflow.storage.tables import api_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime, timedelta
    from uuid import UUID

# The new key lasts as long as the old one was made for; the old one goes on for the overlap, if it lasts so long.
ROTATE_KEY = """
WITH old AS (
    SELECT id, name, scopes, vehicle_ids, per_minute, expires_at - created_at AS lasts FROM telemetry.api_keys
    WHERE prefix = %(old_prefix)s AND revoked_at IS NULL AND rotated_at IS NULL
        AND (expires_at IS NULL OR expires_at > now())
    FOR UPDATE
), ending AS (
    UPDATE telemetry.api_keys AS key SET rotated_at = now(), expires_at = least(key.expires_at, now() + %(overlap)s)
    FROM old WHERE key.id = old.id
)
INSERT INTO telemetry.api_keys (name, prefix, key_hash, scopes, vehicle_ids, per_minute, created_by, expires_at)
SELECT name, %(prefix)s, %(key_hash)s, scopes, vehicle_ids, per_minute, %(created_by)s, now() + lasts FROM old
RETURNING name
"""


class KeyState(StrEnum):
    """Whether a key is good, in a word."""

    GOOD = "good"
    ENDING = "replaced, still good"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it may be shown. `vehicle_ids` None: any vehicle's; `per_minute` None: the installation's limit."""

    id: int
    name: str
    prefix: str
    scopes: frozenset[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    vehicle_ids: frozenset[UUID] | None
    per_minute: int | None
    rotated_at: datetime | None

    def state(self, now: datetime) -> KeyState:
        """Whether it is good, and will stay so."""
        if self.revoked_at:
            return KeyState.REVOKED
        if self.expires_at and self.expires_at <= now:
            return KeyState.EXPIRED
        return KeyState.ENDING if self.rotated_at else KeyState.GOOD


@dataclass(frozen=True, slots=True)
class UsableKey:
    """What a request with a good key may do."""

    id: int
    scopes: frozenset[Scope]
    vehicle_ids: frozenset[UUID] | None = None
    per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """What a request is checked against: the usable keys by their hash, and whether a key was ever made for anybody.

    `any_given` tells whether one that was made for somebody is good now. FleetFlow's own key counts for neither.
    """

    usable: dict[bytes, UsableKey]
    any_made: bool
    any_given: bool


class KeyMissingError(FleetFlowError):
    """There is no key of that prefix that could be revoked or rotated; whoever named it looks at the list."""


OWN = "python -m fleetflow up"
"""Who made the key that FleetFlow gives to its own dashboard."""
PUBLIC = [api_keys.c[name] for name in Key.__slots__]


def insert_key(
    conn: sa.Connection,
    name: str,
    scopes: Iterable[Scope],
    *,
    created_by: str,
    expires_at: datetime | None = None,
    vehicle_ids: Collection[UUID] = (),
    per_minute: int | None = None,
) -> tuple[str, str]:
    """Make a key, for these vehicles or for any; returns its prefix and the whole key, which is nowhere else."""
    prefix, key = _new_key()
    values = {
        "name": name.strip(),
        "prefix": prefix,
        "key_hash": hash_key(key),
        "scopes": sorted(scopes),
        "created_by": created_by,
        "expires_at": expires_at,
        "vehicle_ids": sorted(vehicle_ids) or None,
        "per_minute": per_minute,
    }
    conn.execute(sa.insert(api_keys).values(**values))
    return prefix, key


def rotate_key(conn: sa.Connection, prefix: str, *, created_by: str, overlap: timedelta) -> tuple[str, str]:
    """Make another key on the same terms; the old one stays good for the overlap. Returns the new prefix and key.

    Raises KeyMissingError.
    """
    new_prefix, key = _new_key()
    values = {
        "old_prefix": prefix,
        "prefix": new_prefix,
        "key_hash": hash_key(key),
        "created_by": created_by,
        "overlap": overlap,
    }
    if conn.exec_driver_sql(ROTATE_KEY, values).one_or_none() is None:
        raise KeyMissingError(f"There is no key {prefix} that could be rotated.")
    return new_prefix, key


def list_keys(conn: sa.Connection) -> list[Key]:
    """All keys, the newest first; those that are no longer good too."""
    return [_key(row) for row in conn.execute(sa.select(*PUBLIC).order_by(api_keys.c.id.desc()))]


def read_ring(conn: sa.Connection) -> Ring:
    """All keys that are good now."""
    c = api_keys.c
    good = sa.and_(c.revoked_at.is_(None), sa.or_(c.expires_at.is_(None), c.expires_at > sa.func.now()))
    columns = (c.key_hash, c.id, c.scopes, c.vehicle_ids, c.per_minute)
    rows = conn.execute(sa.select(*columns, good.label("good"), (c.created_by == OWN).label("own"))).all()
    given = [row for row in rows if not row.own]
    usable = {bytes(row.key_hash): _usable(row) for row in rows if row.good}
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


def _new_key() -> tuple[str, str]:
    prefix = f"ff_{secrets.token_hex(4)}"
    return prefix, f"{prefix}_{secrets.token_urlsafe(32)}"


def _usable(row: sa.Row[Any]) -> UsableKey:
    return UsableKey(row.id, frozenset(map(Scope, row.scopes)), _set(row.vehicle_ids), row.per_minute)


def _key(row: sa.Row[Any]) -> Key:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    scopes = frozenset(Scope(each) for each in values["scopes"])
    return Key(**{**values, "scopes": scopes, "vehicle_ids": _set(values["vehicle_ids"])})


def _set(ids: list[UUID] | None) -> frozenset[UUID] | None:
    return None if ids is None else frozenset(ids)
