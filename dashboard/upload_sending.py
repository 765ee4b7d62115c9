"""Loading: every file's trips go through the ingest API like any other, and their origin is kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from uuid import UUID

import streamlit as st
import structlog

from dashboard import acting, actions, words
from dashboard.data.of_uploads import SANDBOX, latest
from fleetflow.errors import FleetFlowError
from fleetflow.quarantine import Quarantine
from fleetflow.sending import Fate, Line, Outcome, Parcel, send_trips
from fleetflow.storage.policy import Policy
from fleetflow.storage.uploads import NewUpload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dashboard.upload_files import TripFile
    from fleetflow.importers.preview import Preview

log = structlog.get_logger()

SENT = "upload_sent"
CONNECTIONS, ATTEMPTS = 4, 4
NOTED_EVERY_S = 5.0
"""So much of an upload may be unknown, beside trips that are stored all the same, where this process is killed."""


@dataclass(slots=True)
class Sent:
    """What became of one file's trips, of which there are `total`."""

    name: str
    total: int
    trip_ids: list[UUID] = field(default_factory=list)
    known: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """One more trip has met its fate."""
        if outcome.trip_id is not None:
            self.trip_ids.append(UUID(outcome.trip_id))
            self.known += outcome.fate is Fate.DUPLICATE
            return
        self.refused += outcome.fate is Fate.REFUSED
        if outcome.fate is Fate.REFUSED or not self.failures:  # that nobody answers is worth saying once
            self.failures.extend(outcome.reasons[:1])

    @property
    def shortfall(self) -> str:
        """What is not stored, and what to do about it; empty where all is."""
        missing = self.total - len(self.trip_ids)
        if not missing:
            return ""
        return f"{len(self.trip_ids):,} of {words.plural(self.total, 'trip')} stored; safe to upload again."


@dataclass(frozen=True, slots=True)
class Api:
    """Where trips are sent to and the key for it (empty without one); how much one person may, and where files stay."""

    url: str
    key: str = ""
    per_hour: int = Policy().upload_files_per_hour
    quarantine: Quarantine | None = None

    @classmethod
    def of(cls, secrets: Mapping[str, Any]) -> Self:
        """What the server has handed to the script."""
        folder = secrets.get("quarantine_dir")
        quarantine = Quarantine(Path(folder), float(secrets["quarantine_days"])) if folder else None
        configured = Policy(**secrets.get("policy", {}))
        key = str(secrets.get("api_key", ""))
        return cls(str(secrets["api_url"]), key, configured.upload_files_per_hour, quarantine)


OnTrip: TypeAlias = "Callable[[TripFile, int], None]"
"""Hears of each trip: of which file it is, and how many of that file have met their fate."""


def send(database: str, api: Api, files: list[TripFile], on_trip: OnTrip) -> list[Sent]:
    """Send all trips. Sending again doubles nothing: a trip is known by its content."""
    return [_send_file(database, api, file, on_trip) for file in files]


def _send_file(database: str, api: Api, file: TripFile, on_trip: OnTrip) -> Sent:
    assert file.preview is not None  # noqa: S101  # only files that can be read are loaded
    sent = Sent(file.name, file.trip_count)
    noted_s, upload_id, done = time.monotonic(), 0, 0

    def take(outcome: Outcome) -> None:
        nonlocal noted_s, done
        sent.add(outcome)
        if time.monotonic() - noted_s > NOTED_EVERY_S:
            acting.note_progress(database, upload_id, sent.trip_ids, sent.refused)
            noted_s = time.monotonic()
        done += 1
        on_trip(file, done)

    try:
        origin, names = _origin(file, file.preview), _names(file.preview)
        upload_id = actions.begin_upload(database, origin, *names, per_hour=api.per_hour)
        _keep(api.quarantine, file)
        try:
            send_trips(_parcels(file), Line(api.url, CONNECTIONS, ATTEMPTS, take, key=api.key or None))
        finally:  # also where the viewer leaves half-way
            actions.note_uploaded(database, upload_id, sent.trip_ids, sent.refused)
    except FleetFlowError as error:  # of one file: the others go on, and what is stored is told
        sent.failures.append(str(error))
    return sent


def _keep(quarantine: Quarantine | None, file: TripFile) -> None:
    """A disk that is full or read-only is no reason to refuse trips."""
    try:
        if quarantine is not None:
            quarantine.keep(file.content)
    except OSError as error:
        log.warning("upload_not_kept", reason=str(error))


def _parcels(file: TripFile) -> Iterator[Parcel]:
    for number, body in enumerate(SANDBOX.bodies(file.content, latest(), file.mapping), 1):
        yield Parcel(f"trip {number}", body)


def _origin(file: TripFile, preview: Preview) -> NewUpload:
    mapping = None if file.mapping is None else file.mapping.as_plain()
    content = bytes.fromhex(file.key), len(file.content)
    return NewUpload(file.name[:255], *content, preview.format, mapping, len(preview.trips))


def _names(preview: Preview) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """Names that the file, or whoever loads it, gave in place of ids."""
    drivers = {trip.driver_id: trip.driver for trip in preview.trips if trip.driver != str(trip.driver_id)}
    vehicles = {trip.vehicle_id: trip.vehicle for trip in preview.trips if trip.vehicle != str(trip.vehicle_id)}
    return drivers, vehicles


def remembered() -> list[Sent]:
    """What this session has sent and follows now."""
    found: list[Sent] = st.session_state.get(SENT, [])
    return found
