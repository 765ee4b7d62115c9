"""Scoring profiles and the history of which one is active."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

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


def ensure_default(conn: sa.Connection) -> None:
    """Store and activate the default profile in a database that has none."""
    if conn.scalar(sa.select(sa.func.count()).select_from(scoring_profiles)) == 0:
        version = insert_profile(
            conn, DEFAULT_PROFILE, author=AUTHOR_FLEETFLOW, note="The profile FleetFlow comes with."
        )
        insert_activation(conn, version, activated_by=AUTHOR_FLEETFLOW)


def insert_profile(conn: sa.Connection, profile: ScoringProfile, *, author: str, note: str) -> int:
    """Store a new version and return its number; IntegrityError when the same content is stored already."""
    content = profile.content()
    canonical = orjson.dumps([profile.name, content], option=orjson.OPT_SORT_KEYS)
    statement = (
        sa.insert(scoring_profiles)
        .values(
            name=profile.name,
            content=content,
            content_hash=hashlib.sha256(canonical).digest(),
            author=author,
            note=note,
        )
        .returning(scoring_profiles.c.version)
    )
    version: int = conn.execute(statement).scalar_one()
    return version


def insert_activation(conn: sa.Connection, version: int, *, activated_by: str) -> None:
    """Make a version the active one from now on."""
    conn.execute(sa.insert(profile_activations).values(profile_version=version, activated_by=activated_by))


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
    """One version, which must exist."""
    return _stored(conn.execute(sa.select(scoring_profiles).where(scoring_profiles.c.version == version)).one())


def _stored(row: sa.Row[Any]) -> StoredProfile:
    profile = ScoringProfile.from_content(row.name, row.content)
    return StoredProfile(row.version, profile, row.author, row.note, row.created_at)
