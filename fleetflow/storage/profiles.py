"""Scoring profiles and the history of which one is active."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from fleetflow.errors import FleetFlowError
from fleetflow.safety.profiles import DEFAULT_PROFILE, ScoringProfile
from fleetflow.storage.tables import profile_activations, scoring_profiles

if TYPE_CHECKING:
    from datetime import datetime

AUTHOR_FLEETFLOW = "FleetFlow"


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A profile with its number and origin."""

    version: int
    profile: ScoringProfile
    author: str
    note: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Activation:
    """A profile became the active one."""

    profile_version: int
    activated_by: str
    activated_at: datetime
    note: str


class ProfileMissingError(FleetFlowError):
    """A version that nobody stored; whoever named it picks another."""


def ensure_default(conn: sa.Connection) -> None:
    """Store and activate the default profile in a database that has none."""
    if conn.scalar(sa.select(sa.func.count()).select_from(scoring_profiles)) == 0:
        version = insert_profile(
            conn, DEFAULT_PROFILE, author=AUTHOR_FLEETFLOW, note="The profile FleetFlow comes with."
        )
        insert_activation(conn, version, activated_by=AUTHOR_FLEETFLOW)


def insert_profile(conn: sa.Connection, profile: ScoringProfile, *, author: str, note: str) -> int:
    """Store a new version and return its number; the number of the version that says the same already, if one does.

    Raises ProfileError for values out of their range, before anything is written.
    """
    profile.check()
    content = profile.content()
    content_hash = hashlib.sha256(orjson.dumps([profile.name, content], option=orjson.OPT_SORT_KEYS)).digest()
    statement = (
        insert(scoring_profiles)
        .values(
            name=profile.name,
            content=content,
            content_hash=content_hash,
            author=author,
            note=note,
        )
        .on_conflict_do_nothing()
        .returning(scoring_profiles.c.version)
    )
    known = sa.select(scoring_profiles.c.version).where(scoring_profiles.c.content_hash == content_hash)
    version: int = conn.scalar(statement) or conn.execute(known).scalar_one()
    return version


def insert_activation(conn: sa.Connection, version: int, *, activated_by: str, note: str = "") -> None:
    """Make a version the active one from now on."""
    values = {"profile_version": version, "activated_by": activated_by, "note": note}
    conn.execute(sa.insert(profile_activations).values(values))


def read_active(conn: sa.Connection) -> StoredProfile:
    """The profile under which trips are scored now."""
    latest = sa.select(sa.func.max(profile_activations.c.id)).scalar_subquery()
    statement = (
        sa.select(scoring_profiles)
        .join(profile_activations, profile_activations.c.profile_version == scoring_profiles.c.version)
        .where(profile_activations.c.id == latest)
    )
    return _stored(conn.execute(statement).one())


def read_profile(conn: sa.Connection, version: int) -> StoredProfile:
    """One version, which must exist: ProfileMissingError."""
    row = conn.execute(sa.select(scoring_profiles).where(scoring_profiles.c.version == version)).one_or_none()
    if row is None:
        raise ProfileMissingError(f"There is no scoring profile {version}.")
    return _stored(row)


def list_profiles(conn: sa.Connection) -> list[StoredProfile]:
    """All versions, the newest first."""
    return [
        _stored(row) for row in conn.execute(sa.select(scoring_profiles).order_by(scoring_profiles.c.version.desc()))
    ]


def list_activations(conn: sa.Connection) -> list[Activation]:
    """Which profile was active since when, the newest first."""
    statement = sa.select(*(profile_activations.c[name] for name in Activation.__slots__))
    return [Activation(*row) for row in conn.execute(statement.order_by(profile_activations.c.id.desc()))]


def _stored(row: sa.Row[Any]) -> StoredProfile:
    profile = ScoringProfile.from_content(row.name, row.content)
    return StoredProfile(row.version, profile, row.author, row.note, row.created_at)
