"""Uploaded files: their previews, which of their trips are known, and how far those that were sent have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.data.connecting import FRESH_S, reading
from fleetflow.importers import FileRefusedError, read_mapping
from fleetflow.importers.mapping import mapping_of_plain
from fleetflow.importers.sandbox import Sandbox
from fleetflow.storage import uploads

if TYPE_CHECKING:
    from uuid import UUID

    from fleetflow.importers import Mapping
    from fleetflow.importers.preview import Preview
    from fleetflow.storage.uploads import EarlierUpload, SavedMapping, TripWay

PREVIEW_S = 3600
"""A preview depends on nothing but the file and the mapping; so long somebody may look at one."""
SANDBOX = Sandbox()
MAX_AHEAD = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Checked:
    """A file's preview, or why it was refused."""

    preview: Preview | None
    refusal: str = ""


def latest() -> datetime:
    """No trip may reach beyond this."""
    return datetime.now(UTC) + MAX_AHEAD


@st.cache_resource(ttl=PREVIEW_S, max_entries=60, show_spinner=False)
def preview(file_hash: str, mapping: bytes, defaults: bytes, _content: bytes) -> Checked:
    """What a file would become under a mapping (empty: a guess), read in a child process (shared, never changed)."""
    del file_hash  # it stands for the content in the cache's key
    try:
        given = read_mapping(mapping) if mapping else None
        return Checked(SANDBOX.preview(_content, latest(), given, read_mapping(defaults)))
    except FileRefusedError as error:
        return Checked(None, str(error))


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def known_trips(database: str, fingerprints: tuple[str, ...]) -> dict[str, str]:
    """The ids of the trips that are stored already, by fingerprint."""
    with reading(database) as conn:
        found = uploads.find_known(conn, [bytes.fromhex(each) for each in fingerprints])
    return {key.hex(): str(trip_id) for key, trip_id in found.items()}


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def conflicting_trips(database: str, trips: tuple[tuple[UUID, datetime, str], ...]) -> dict[str, str]:
    """Of trips (vehicle, start, fingerprint) those stored with other content: by fingerprint, the stored trip's id."""
    with reading(database) as conn:
        wanted = [(vehicle, started, bytes.fromhex(fingerprint)) for vehicle, started, fingerprint in trips]
        return {key.hex(): str(trip_id) for key, trip_id in uploads.find_conflicts(conn, wanted).items()}


@st.cache_data(ttl=FRESH_S, max_entries=64, show_spinner=False)
def saved_mapping(database: str, signature: str) -> SavedMapping | None:
    """The mapping that was saved for files of this make."""
    with reading(database) as conn:
        return uploads.find_mapping(conn, signature)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def earlier_uploads(database: str, most: int) -> list[EarlierUpload]:
    """The files that were uploaded last."""
    with reading(database) as conn:
        return uploads.list_uploads(conn, most)


@st.cache_data(ttl=FRESH_S, max_entries=4, show_spinner=False)
def roster_names(database: str) -> tuple[dict[str, str], dict[str, str]]:
    """The names of drivers and of vehicles, by id."""
    with reading(database) as conn:
        drivers, vehicles = uploads.list_names(conn)
    return {str(key): name for key, name in drivers.items()}, {str(key): name for key, name in vehicles.items()}


def ways(database: str, version: int, trip_ids: list[UUID]) -> list[TripWay]:
    """How far trips have come; never from a cache, since it is watched."""
    with reading(database) as conn:
        return uploads.list_ways(conn, version, trip_ids)


def mapping_of(saved: SavedMapping) -> Mapping:
    """A saved mapping as importers take it."""
    return mapping_of_plain(saved.content)
