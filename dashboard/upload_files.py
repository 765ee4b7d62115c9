"""The files on the upload page: what each would become under the mapping that was chosen so far, and what is open."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import data
from dashboard.data.of_uploads import mapping_of
from fleetflow.importers import Mapping
from fleetflow.importers.roles import UNITS, Role

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from fleetflow.importers.preview import Preview, TripPreview
    from fleetflow.importers.questions import Choice, Question

MAX_FILES = 20
STATE = "upload_mappings"
ANSWERED = "upload_answered"
LEFT_OUT = "upload_left_out"
TAKEN_BESIDE = "upload_taken_beside"
"""Files whose trips are to be stored although others of the same vehicle begin at the same moment."""
WHO = "upload_who"
"""Driver and vehicle that were chosen first: they hold for all files of the upload that say nothing themselves."""
KEPT_STATE = (STATE, ANSWERED, LEFT_OUT, TAKEN_BESIDE, WHO)
KEPT = 200
"""The mappings that one session keeps; more files than this nobody corrects by hand."""


class Standing(StrEnum):
    """What a file waits for, in words for its badge."""

    READY = "Ready"
    CHECK = "Check"
    WHO = "Who drove?"
    CONFLICT = "Differs"
    KNOWN = "Known"
    REFUSED = "Refused"
    OUT = "Left out"


@dataclass(frozen=True, slots=True, eq=False)
class TripFile:
    """One file: `guessed` is the preview of the first guess, `preview` that of the mapping as it is now."""

    name: str
    key: str
    content: bytes
    guessed: Preview | None
    preview: Preview | None
    refusal: str
    saved: str
    known: dict[str, str]
    conflicts: dict[str, str]

    @property
    def mapping(self) -> Mapping | None:
        """The mapping as it is now; None where nothing is to be mapped, or nothing could be read."""
        preview = self.preview or self.guessed
        return _chosen(self.key) or (None if preview is None else preview.mapping)

    @property
    def trip_count(self) -> int:
        """How many trips it has, known ones included."""
        return 0 if self.preview is None else len(self.preview.trips)

    @property
    def new_trips(self) -> list[TripPreview]:
        """The trips that would be stored."""
        trips = [] if self.preview is None else self.preview.trips
        return [trip for trip in trips if trip.fingerprint not in self.known]

    @property
    def questions(self) -> list[Question]:
        """What was asked and not answered yet."""
        asked = [] if self.guessed is None or self.saved else self.guessed.questions
        return [question for question in asked if question.title not in _answered(self.key)]

    @property
    def needs_driver(self) -> bool:
        """Whether nothing says who drove, or in which vehicle."""
        return self.preview is not None and any(not (trip.driver and trip.vehicle) for trip in self.preview.trips)

    @property
    def standing(self) -> Standing:
        """The gravest thing that is open."""
        if self.key in _session(LEFT_OUT):
            return Standing.OUT
        if self.preview is None or not self.preview.trips:
            return Standing.REFUSED
        if self.needs_driver:
            return Standing.WHO
        if not self.new_trips:
            return Standing.KNOWN
        if self.conflicts and self.key not in _session(TAKEN_BESIDE):
            return Standing.CONFLICT
        return Standing.CHECK if self.questions else Standing.READY

    @property
    def loads(self) -> bool:
        """Whether the file has trips to load; an open question is a guess that stands until it is answered."""
        return self.standing in {Standing.READY, Standing.CHECK}


def read(database: str, uploaded: list[UploadedFile], zone: str) -> list[TripFile]:
    """The files with their previews; one that is there twice is shown once."""
    seen: dict[str, TripFile] = {}
    for file in uploaded[:MAX_FILES]:
        content = file.getvalue()
        key = hashlib.sha256(content).hexdigest()
        if key not in seen:
            seen[key] = _read(database, file.name, key, content, zone)
    return list(seen.values())


def _read(database: str, name: str, key: str, content: bytes, zone: str) -> TripFile:
    defaults = Mapping(zone=zone, **_session(WHO)).as_json()
    first = data.preview(key, b"", defaults, content)
    saved = None
    if first.preview is not None and first.preview.signature:
        saved = data.saved_mapping(database, first.preview.signature)
    if saved is not None and _chosen(key) is None:
        _choose(key, mapping_of(saved))
    chosen = _chosen(key)
    now = first if chosen is None else data.preview(key, chosen.as_json(), defaults, content)
    trips = [] if now.preview is None else now.preview.trips
    known = data.known_trips(database, tuple(trip.fingerprint for trip in trips)) if trips else {}
    conflicts = _conflicts(database, [trip for trip in trips if trip.fingerprint not in known])
    saved_as = saved.name if saved else ""
    return TripFile(name, key, content, first.preview, now.preview, now.refusal, saved_as, known, conflicts)


def _conflicts(database: str, trips: list[TripPreview]) -> dict[str, str]:
    asked = tuple(
        (trip.vehicle_id, trip.started_at, trip.fingerprint)
        for trip in trips
        if trip.vehicle and trip.started_at is not None
    )
    return data.conflicting_trips(database, asked) if asked else {}


def answer(file: TripFile, question: Question, choice: Choice) -> None:
    """Take an answer: what it changes in the guess is changed in the mapping as it is now."""
    guess, mapping = None if file.guessed is None else file.guessed.mapping, file.mapping
    if guess is None or mapping is None:
        return
    changed = {name: use for name, use in choice.mapping.uses.items() if guess.uses.get(name) != use}
    mapping = replace(mapping, uses={**mapping.uses, **changed})
    if choice.mapping.reversed_long != guess.reversed_long:
        mapping = replace(mapping, reversed_long=choice.mapping.reversed_long)
    _choose(file.key, mapping)
    _session(ANSWERED)[file.key] = {*_answered(file.key), question.title}


def edit(file: TripFile, edits: dict[int, dict[str, Any]]) -> None:
    """Take what was changed in the table of columns."""
    mapping, preview = file.mapping, file.preview or file.guessed
    if mapping is None or preview is None:
        return
    for row, cells in edits.items():
        name = preview.columns[row].name
        role = Role(cells.get("role", mapping.uses[name].role if name in mapping.uses else Role.UNUSED))
        kept = mapping.uses[name].unit if name in mapping.uses else ""
        unit = cells.get("unit") or kept
        mapping = mapping.with_use(name, role, unit if unit in UNITS.get(role, ()) else "")
    _choose(file.key, mapping)


def change(file: TripFile, **fields: Any) -> None:
    """Change what the file does not say itself: zone, driver, vehicle, start, direction."""
    if file.mapping is not None:
        _choose(file.key, replace(file.mapping, **fields))


def choose_who(file: TripFile, role: str, who: str) -> None:
    """Say who drove, or in which vehicle: of this file, and of all others too if it is the first answer."""
    first = role not in _session(WHO)
    if first:
        _session(WHO)[role] = who
    if not first or _chosen(file.key) is not None:
        change(file, **{role: who})


def take_beside(key: str) -> None:
    """Have the trips of a file stored beside those that they differ from."""
    _session(TAKEN_BESIDE)[key] = True


def leave_out(key: str) -> None:
    """Leave a file out, or take it in again."""
    left = _session(LEFT_OUT)
    if left.pop(key, None) is None:
        left[key] = True


def _session(name: str) -> dict[str, Any]:
    found: dict[str, Any] = st.session_state.setdefault(name, {})
    return found


def _chosen(key: str) -> Mapping | None:
    return _session(STATE).get(key)


def _answered(key: str) -> set[str]:
    found: set[str] = _session(ANSWERED).get(key, set())
    return found


def _choose(key: str, mapping: Mapping) -> None:
    kept = _session(STATE)
    kept[key] = mapping
    while len(kept) > KEPT:
        del kept[next(iter(kept))]
