"""The roster as a CSV file: out, and in again with what it would change and which rows are refused."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from fleetflow.errors import FleetFlowError
from fleetflow.safety.profiles import VehicleClass
from fleetflow.spreadsheets import defuse, restore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Row = Mapping[str, str | None]

COLUMNS = {
    "drivers": ("id", "name", "group_name"),
    "vehicles": ("id", "name", "group_name", "vehicle_class"),
}
LONGEST = {"name": 200, "group_name": 100}
CLASSES = {"", *VehicleClass}
LARGEST_BYTES = 5_000_000


class RosterRefusedError(FleetFlowError):
    """The file as a whole cannot be read; whoever made it changes it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line of the file (the header is line 1) and why it is left out."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a cell would become; `before` is None for an empty one, and for a new row."""

    id: str
    column: str
    before: str | None
    after: str | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class RosterFile:
    """What a file says: whole rows to be stored, what they change, and what was refused."""

    rows: list[dict[str, str | None]]
    changes: list[Change]
    refusals: list[Refusal]


def write_roster(kind: str, rows: Iterable[Row]) -> bytes:
    """All rows as CSV, UTF-8 with the mark that spreadsheets want; nothing in it runs as a formula."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(COLUMNS[kind])
    table.writerows([defuse(row[name] or "") for name in COLUMNS[kind]] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def read_roster(kind: str, content: bytes, known: Iterable[Row], erased: Iterable[str] = ()) -> RosterFile:
    """What a file would change in the roster. A column that it has not stays as it is; an empty cell empties.

    An id that nobody has yet makes a new row. Raises RosterRefusedError.
    """
    lines = _lines(content)
    before = {str(row["id"]): row for row in known}
    gone, seen = set(erased), set[str]()
    rows, changes, refusals = [], list[Change](), list[Refusal]()
    for number, cells in lines:
        reason = _fault(kind, cells, gone, seen)
        if reason:
            refusals.append(Refusal(number, reason))
            continue
        key = str(UUID(cells["id"].strip()))
        seen.add(key)
        row = _row(kind, cells, before.get(key))
        if changed := _changes(kind, row, before.get(key)):
            rows.append(row)
            changes += changed
    return RosterFile(rows, changes, refusals)


def ids_in(content: bytes) -> list[UUID]:
    """The ids that a file names, as far as they are ids. Raises RosterRefusedError."""
    return [UUID(cells["id"].strip()) for _, cells in _lines(content) if _is_id(cells["id"])]


def _lines(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """The number of each line that is not empty and its cells by column, as they were before they were quoted."""
    if len(content) > LARGEST_BYTES:
        raise RosterRefusedError(f"The file is larger than {LARGEST_BYTES // 1_000_000} MB.")
    text = _text(content)
    header = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        if "id" not in names or len(set(names)) != len(names):
            raise RosterRefusedError("The first line must name the columns, each once, and id among them.")
        found = []
        for cells in reader:
            if any(cell.strip() for cell in cells):
                padded = map(restore, [*cells, *[""] * (len(names) - len(cells))])
                found.append((reader.line_num, dict(zip(names, padded, strict=False))))
    except csv.Error as error:
        raise RosterRefusedError(f"Line {reader.line_num} is no CSV: {error}.") from None
    return found


def _text(content: bytes) -> str:
    """Spreadsheets on Windows still write their old encoding."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _fault(kind: str, cells: Mapping[str, str], erased: set[str], seen: set[str]) -> str | None:
    """The first thing that is wrong with a row."""
    if not _is_id(cells["id"]):
        return "id is not a UUID"
    key = str(UUID(cells["id"].strip()))
    wanted = cells.get("vehicle_class", "").strip()
    faults = {
        "this id was in an earlier line": key in seen,
        "this driver was erased": key in erased,
        "it is too long: a name may have 200 characters, a group 100": any(
            len(cells.get(name, "").strip()) > most for name, most in LONGEST.items()
        ),
        "it holds a character that cannot be stored": any("\0" in cells.get(name, "") for name in COLUMNS[kind]),
        f"vehicle_class must be one of {', '.join(VehicleClass)}": kind == "vehicles" and wanted not in CLASSES,
    }
    return next((fault for fault, is_so in faults.items() if is_so), None)


def _is_id(text: str) -> bool:
    try:
        UUID(text.strip())
    except ValueError:
        return False
    return True


def _row(kind: str, cells: Mapping[str, str], before: Row | None) -> dict[str, str | None]:
    kept = before or {}
    row = {name: cells[name].strip() or None if name in cells else kept.get(name) for name in COLUMNS[kind]}
    return {**row, "id": str(UUID(cells["id"].strip()))}


def _changes(kind: str, row: Row, before: Row | None) -> list[Change]:
    names: Sequence[str] = COLUMNS[kind][1:]
    old = before or {}
    found = [
        Change(str(row["id"]), name, old.get(name), row[name], is_new=before is None)
        for name in names
        if row[name] != old.get(name)
    ]
    return found or ([Change(str(row["id"]), "id", None, row["id"], is_new=True)] if before is None else [])
