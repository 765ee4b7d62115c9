"""Loading: every file's trips go through the ingest API like any other, and their origin is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import streamlit as st

from dashboard import actions
from dashboard.data.of_uploads import SANDBOX, latest
from fleetflow.sending import Fate, Line, Outcome, Parcel, send_trips
from fleetflow.storage.uploads import NewUpload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dashboard.upload_files import TripFile
    from fleetflow.importers.preview import Preview

SENT = "upload_sent"
CONNECTIONS, ATTEMPTS = 4, 4


@dataclass(slots=True)
class Sent:
    """What became of one file's trips."""

    name: str
    trip_ids: list[UUID] = field(default_factory=list)
    known: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """One more trip has met its fate."""
        if outcome.trip_id is not None:
            self.trip_ids.append(UUID(outcome.trip_id))
            self.known += outcome.fate is Fate.DUPLICATE
        else:
            self.failures.extend(outcome.reasons[:1])


@dataclass(frozen=True, slots=True)
class Api:
    """Where trips are sent to, and the key for it; empty without one."""

    url: str
    key: str


def send(database: str, api: Api, files: list[TripFile], on_trip: Callable[[], None]) -> list[Sent]:
    """Send all trips; `on_trip` hears of each. Sending again doubles nothing: a trip is known by its content."""
    return [_send_file(database, api, file, on_trip) for file in files]


def _send_file(database: str, api: Api, file: TripFile, on_trip: Callable[[], None]) -> Sent:
    assert file.preview is not None  # noqa: S101  # only files that can be read are loaded
    sent = Sent(file.name)
    upload_id = actions.begin_upload(database, _origin(file, file.preview), *_names(file.preview))

    def take(outcome: Outcome) -> None:
        sent.add(outcome)
        on_trip()

    try:
        report = send_trips(_parcels(file), Line(api.url, CONNECTIONS, ATTEMPTS, take, key=api.key or None))
        if report.stopped:
            sent.failures.append("The API does not answer; what is left can be loaded again without doubling anything.")
    finally:  # also where the viewer leaves half-way
        actions.note_uploaded(database, upload_id, sent.trip_ids)
    return sent


def _parcels(file: TripFile) -> Iterator[Parcel]:
    for number, body in enumerate(SANDBOX.bodies(file.content, latest(), file.mapping), 1):
        yield Parcel(f"trip {number}", body)


def _origin(file: TripFile, preview: Preview) -> NewUpload:
    mapping = None if file.mapping is None else file.mapping.as_plain()
    return NewUpload(file.name[:255], bytes.fromhex(file.key), len(file.content), preview.format, mapping)


def _names(preview: Preview) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """Names that the file, or whoever loads it, gave in place of ids."""
    drivers = {trip.driver_id: trip.driver for trip in preview.trips if trip.driver != str(trip.driver_id)}
    vehicles = {trip.vehicle_id: trip.vehicle for trip in preview.trips if trip.vehicle != str(trip.vehicle_id)}
    return drivers, vehicles


def remembered() -> list[Sent]:
    """What this session has sent and follows now."""
    found: list[Sent] = st.session_state.get(SENT, [])
    return found
