"""What every reader makes of a file: columns with the line of each row, and the lines that no row could be made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fleetflow.errors import FleetFlowError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fleetflow.trips.samples import Trip

IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

KEPT_REFUSALS = 1000
SHOWN_CELL = 80


class FileRefusedError(FleetFlowError):
    """Nothing of the file can be used; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What a file may hold. The defaults are those of an upload."""

    max_bytes: int = 50_000_000
    max_unpacked_bytes: int = 200_000_000
    max_rows: int = 2_000_000
    max_columns: int = 200
    max_cell_chars: int = 4096
    max_trips: int = 5000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row or value that was left out: its line in the file (record, where a file has no lines), column and why."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(slots=True)
class Refusals:
    """Rows that were refused: the first thousand in detail, all of them counted."""

    count: int = 0
    kept: list[Refusal] = field(default_factory=list)

    def add(self, line: int, column: str, value: object, reason: str) -> None:
        """One more."""
        self.count += 1
        if len(self.kept) < KEPT_REFUSALS:
            self.kept.append(Refusal(int(line), column[:SHOWN_CELL], printable(value), reason))

    def add_rows(
        self, lines: IntArray, bad: BoolArray, column: str, value: Callable[[int], object], reason: str
    ) -> None:
        """All rows in which `bad` is set; `value` gives a row's cell and is asked for those that are kept only."""
        rows = np.flatnonzero(bad)
        room = max(KEPT_REFUSALS - len(self.kept), 0)
        for row in rows[:room].tolist():
            self.kept.append(Refusal(int(lines[row]), column[:SHOWN_CELL], printable(value(row)), reason))
        self.count += len(rows)


def printable(value: object) -> str:
    """A cell fit to be shown: short, and nothing that moves a cursor."""
    text = "" if value is None else str(value)
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:SHOWN_CELL])


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of equal length as Arrow arrays; `lines` is where each row stands in the file, counted from 1.

    `units` are those that the format itself fixes, `notes` what was noticed while reading, in sentences.
    """

    format: str
    columns: Mapping[str, Any]
    lines: IntArray
    refusals: Refusals = field(default_factory=Refusals)
    units: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    decimal_comma: bool = False

    def __len__(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, slots=True, eq=False)
class ContractTrips:
    """A file in the API's own form, each trip with its place in the file, such as `line 3`: nothing is to be mapped."""

    format: str
    trips: list[tuple[str, Trip]]
    refusals: Refusals = field(default_factory=Refusals)


def check_columns(names: Iterable[str], limits: FileLimits) -> None:
    """Raises FileRefusedError for too many columns, or two of one name."""
    listed = list(names)
    if len(listed) > limits.max_columns:
        raise FileRefusedError(f"{len(listed):,} columns; the limit is {limits.max_columns:,}.")
    twice = next((name for index, name in enumerate(listed) if name in listed[:index]), None)
    if twice is not None:
        raise FileRefusedError(f"The header has the column “{printable(twice)}” twice.")


def check_rows(count: int, limits: FileLimits) -> None:
    """Raises FileRefusedError for none, or too many."""
    if count > limits.max_rows:
        raise FileRefusedError(f"{count:,} rows; the limit is {limits.max_rows:,}.")
    if not count:
        raise FileRefusedError("No data rows.")


def column_of(values: list[Any]) -> Any:
    """An Arrow column of Python values: numbers where all are, else text."""
    known = [value for value in values if value is not None]
    if known and all(type(value) in {int, float} for value in known):
        return pa.array(values, pa.float64(), from_pandas=True)
    return pa.array([_text(value) for value in values], pa.string())


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)
