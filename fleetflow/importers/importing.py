"""A file's content -> trips: read, mapped (by a given mapping or a guess), converted, cut."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fleetflow.importers.drives import Drive, Drives, cut
from fleetflow.importers.guessing import guess
from fleetflow.importers.mapping import Mapping, signature
from fleetflow.importers.reading import read_file
from fleetflow.importers.roles import Role
from fleetflow.importers.rows import convert
from fleetflow.importers.table import ContractTrips, FileLimits, Refusals, Table

if TYPE_CHECKING:
    from datetime import datetime

    from fleetflow.importers.questions import Guess, Question


NO_SPEED = "No column is a speed or a position; say which one is."


@dataclass(frozen=True, slots=True, eq=False)
class Import:
    """What became of a file. `table` and `mapping` are None for the API's own form: nothing is to be mapped there."""

    format: str
    file_hash: str
    row_count: int
    drives: list[Drive]
    refusals: Refusals
    notes: tuple[str, ...] = ()
    table: Table | None = None
    guess: Guess | None = None
    mapping: Mapping | None = None

    @property
    def signature(self) -> str:
        """By which a saved mapping for files of this make is found."""
        return "" if self.table is None else signature(self.format, self.table.columns)

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is still open; answered by whoever gives a mapping."""
        return () if self.guess is None else self.guess.questions


def import_file(
    content: bytes,
    *,
    latest: datetime,
    mapping: Mapping | None = None,
    limits: FileLimits | None = None,
    defaults: Mapping | None = None,
) -> Import:
    """The trips of a file; `defaults` are what a guess cannot know (zone, driver, ...). Raises FileRefusedError."""
    limits = limits or FileLimits()
    file_hash = hashlib.sha256(content).hexdigest()
    found = read_file(content, latest=latest, limits=limits)
    if isinstance(found, ContractTrips):
        return _contract(found, file_hash)
    guessed = None if mapping is not None else _guess(found, defaults or Mapping())
    used = mapping if guessed is None else guessed.mapping
    assert used is not None  # noqa: S101  # one of the two is there
    drives = _drives(found, used, latest, limits)
    return Import(
        found.format, file_hash, len(found) + found.refusals.count, drives.drives, drives.refusals,
        tuple(drives.notes), found, guessed, used,
    )  # fmt: skip


def _guess(table: Table, defaults: Mapping) -> Guess:
    """A guess with what was said before; the answers to its questions hold that, too."""
    guessed = guess(table, zone=defaults.zone)

    def filled(mapping: Mapping) -> Mapping:
        return replace(
            mapping, gap_s=defaults.gap_s, driver=defaults.driver, vehicle=defaults.vehicle, start=defaults.start,
            sample_hz=defaults.sample_hz,
        )  # fmt: skip

    questions = tuple(
        replace(each, choices=tuple(replace(choice, mapping=filled(choice.mapping)) for choice in each.choices))
        for each in guessed.questions
    )
    return replace(guessed, mapping=filled(guessed.mapping), questions=questions)


def _drives(table: Table, mapping: Mapping, latest: datetime, limits: FileLimits) -> Drives:
    if mapping.column(Role.SPEED) is None and mapping.column(Role.LATITUDE) is None:
        return Drives([], table.refusals, [*table.notes, NO_SPEED])  # not refused: somebody can say which one it is
    found = cut(convert(table, mapping), mapping, latest=latest, max_trips=limits.max_trips)
    found.refusals.kept.sort(key=lambda refusal: refusal.line)
    return found


def _contract(found: ContractTrips, file_hash: str) -> Import:
    drives = [
        Drive(trip, number, place, str(trip.driver_id), str(trip.vehicle_id))
        for number, (place, trip) in enumerate(found.trips, 1)
    ]
    return Import(found.format, file_hash, len(found.trips) + found.refusals.count, drives, found.refusals)
