"""Uploaded files and where their trips came from; mappings that were saved for files of one make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from fleetflow.errors import FleetFlowError
from fleetflow.storage.tables import (
    SHOWN_NAME,
    driver_scores,
    drivers,
    import_mappings,
    trip_logs,
    upload_trips,
    uploads,
    vehicles,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID


LEASE = timedelta(minutes=2)
"""So long an upload counts as being sent after it was last heard of; a trip that is tried again takes less."""


@dataclass(frozen=True, slots=True)
class NewUpload:
    """A file as it was uploaded; `mapping` is plain JSON, None for the API's own form."""

    file_name: str
    file_hash: bytes
    size_bytes: int
    format: str
    mapping: dict[str, Any] | None
    trip_count: int


class UploadState(StrEnum):
    """How far an upload came."""

    STORED = "stored"
    SENDING = "sending"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class EarlierUpload:
    """A file's last upload; `trip_count` is None for one from before this was kept."""

    file_name: str
    uploaded_by: str
    uploaded_at: datetime
    trip_count: int | None
    stored_count: int
    refused_count: int
    is_sending: bool

    @property
    def state(self) -> UploadState:
        """A trip that the API refused is done with; one that it never answered for is not."""
        if self.trip_count is None or self.stored_count + self.refused_count >= self.trip_count:
            return UploadState.STORED
        return UploadState.SENDING if self.is_sending else UploadState.INTERRUPTED


class UploadQuotaError(FleetFlowError):
    """The person has uploaded as many files within an hour as anybody may, and has to wait."""


@dataclass(frozen=True, slots=True)
class SavedMapping:
    """A mapping with its name; `content` is plain JSON."""

    name: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TripWay:
    """How far an uploaded trip has come on its way to its score."""

    trip_id: UUID
    status: str
    started_at: datetime | None
    distance_km: float | None
    driver_id: UUID
    driver: str | None
    score: int | None
    error: str | None


def insert_upload(conn: sa.Connection, upload: NewUpload, *, author: str) -> int:
    """Keep a file's origin and who loaded it; its number."""
    values = {name: getattr(upload, name) for name in NewUpload.__slots__}
    values |= {"uploaded_by": author, "sending_until": sa.func.now() + LEASE}
    number: int = conn.execute(sa.insert(uploads).values(**values).returning(uploads.c.id)).scalar_one()
    return number


def check_quota(conn: sa.Connection, author: str, per_hour: int) -> None:
    """Raises UploadQuotaError where the author has had so many files within the last hour."""
    age = sa.func.now() - uploads.c.uploaded_at
    within = sa.and_(uploads.c.uploaded_by == author, age < sa.text("interval '1 hour'"))
    oldest_first = sa.select(age).where(within).order_by(age.desc())
    ages: list[Any] = list(conn.execute(oldest_first).scalars())
    if len(ages) >= per_hour:
        wait_min = 60 - int(ages[len(ages) - per_hour].total_seconds() / 60)
        raise UploadQuotaError(
            f"The limit is {per_hour:,} an hour for one person; the next file may come in {wait_min} minutes."
        )


def insert_upload_trips(conn: sa.Connection, upload_id: int, trip_ids: Iterable[UUID]) -> None:
    """Say that the trips came with the upload; those that are gone meanwhile are left out."""
    there = sa.select(sa.literal(upload_id), trip_logs.c.id).where(trip_logs.c.id.in_(list(trip_ids)))
    conn.execute(insert(upload_trips).from_select(["upload_id", "trip_id"], there).on_conflict_do_nothing())


def update_upload(conn: sa.Connection, upload_id: int, *, stored: int, refused: int, ended: bool) -> None:
    """Say how many of the upload's trips are stored, how many the API refused, and whether it is still being sent."""
    until = None if ended else sa.func.now() + LEASE
    values = {"stored_count": stored, "refused_count": refused, "sending_until": until}
    conn.execute(sa.update(uploads).where(uploads.c.id == upload_id).values(values))


def list_uploads(conn: sa.Connection, most: int) -> list[EarlierUpload]:
    """The files uploaded last, the newest first; of a file that was sent again its last upload."""
    newest = sa.select(sa.func.max(uploads.c.id)).group_by(uploads.c.file_hash)
    statement = (
        sa.select(
            uploads.c.file_name, uploads.c.uploaded_by, uploads.c.uploaded_at, uploads.c.trip_count,
            uploads.c.stored_count, uploads.c.refused_count,
            sa.func.coalesce(uploads.c.sending_until > sa.func.now(), sa.false()).label("is_sending"),
        )
        .where(uploads.c.id.in_(newest))
        .order_by(uploads.c.id.desc())
        .limit(most)
    )  # fmt: skip
    return [EarlierUpload(**row) for row in conn.execute(statement).mappings()]


def find_known(conn: sa.Connection, hashes: Iterable[bytes]) -> dict[bytes, UUID]:
    """Trips that are stored already, by their content's hash."""
    statement = sa.select(trip_logs.c.content_hash, trip_logs.c.id).where(trip_logs.c.content_hash.in_(list(hashes)))
    return {bytes(row.content_hash): row.id for row in conn.execute(statement)}


def find_conflicts(conn: sa.Connection, trips: Iterable[tuple[UUID, datetime, bytes]]) -> dict[bytes, UUID]:
    """Of trips (vehicle, start, content's hash) those that are stored with other content: by their hash, the stored id.

    A vehicle begins one trip at a time, so that one of the two is wrong.
    """
    wanted = {(vehicle, started): content_hash for vehicle, started, content_hash in trips}
    if not wanted:
        return {}
    columns = (trip_logs.c.vehicle_id, trip_logs.c.started_at, trip_logs.c.content_hash, trip_logs.c.id)
    same_start = sa.tuple_(trip_logs.c.vehicle_id, trip_logs.c.started_at).in_(list(wanted))
    found: dict[bytes, UUID] = {}
    for row in conn.execute(sa.select(*columns).where(same_start)):
        content_hash = wanted[row.vehicle_id, row.started_at]
        if bytes(row.content_hash) != content_hash:
            found[content_hash] = row.id
    return found


def list_ways(conn: sa.Connection, version: int, trip_ids: Sequence[UUID]) -> list[TripWay]:
    """The trips' states and scores under a profile, in the order asked for."""
    scored = sa.and_(driver_scores.c.trip_id == trip_logs.c.id, driver_scores.c.profile_version == version)
    statement = (
        sa.select(
            trip_logs.c.id.label("trip_id"), trip_logs.c.status, trip_logs.c.started_at, trip_logs.c.distance_km,
            trip_logs.c.driver_id, SHOWN_NAME.label("driver"), driver_scores.c.safety_score.label("score"),
            trip_logs.c.error,
        )
        .outerjoin(driver_scores, scored)
        .outerjoin(drivers, drivers.c.id == trip_logs.c.driver_id)
        .where(trip_logs.c.id.in_(list(trip_ids)))
    )  # fmt: skip
    found = {row["trip_id"]: TripWay(**row) for row in conn.execute(statement).mappings()}
    return [found[trip_id] for trip_id in trip_ids if trip_id in found]


def upsert_mapping(conn: sa.Connection, name: str, signature: str, content: dict[str, Any], author: str) -> None:
    """Save a mapping under its name; one that had the name is replaced."""
    values = {"signature": signature, "content": content, "author": author, "created_at": sa.func.now()}
    statement = insert(import_mappings).values(name=name, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def find_mapping(conn: sa.Connection, signature: str) -> SavedMapping | None:
    """The mapping that was saved last for files of this make."""
    statement = (
        sa.select(import_mappings.c.name, import_mappings.c.content)
        .where(import_mappings.c.signature == signature)
        .order_by(import_mappings.c.created_at.desc())
        .limit(1)
    )
    row = conn.execute(statement).one_or_none()
    return None if row is None else SavedMapping(row.name, row.content)


def list_names(conn: sa.Connection) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """The names of all drivers and of all vehicles that have one."""
    driver_names = {row.id: row.name for row in conn.execute(sa.select(drivers.c.id, drivers.c.name)) if row.name}
    vehicle_names = {row.id: row.name for row in conn.execute(sa.select(vehicles.c.id, vehicles.c.name)) if row.name}
    return driver_names, vehicle_names


def name_unknown(conn: sa.Connection, driver_names: dict[UUID, str], vehicle_names: dict[UUID, str]) -> None:
    """Give drivers and vehicles the names that a file has for them, unless they have one."""
    for table, names in ((drivers, driver_names), (vehicles, vehicle_names)):
        for key, name in sorted(names.items()):
            statement = insert(table).values(id=key, name=name)
            nameless = table.c.name.is_(None)
            conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"name": name}, where=nameless))
