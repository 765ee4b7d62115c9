"""CSV with any separator: Arrow reads the cells, numpy finds the lines that are not like the others."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from fleetflow.importers.table import (
    BoolArray,
    FileLimits,
    FileRefusedError,
    IntArray,
    Refusals,
    Table,
    check_columns,
    check_rows,
)

if TYPE_CHECKING:
    from fleetflow.importers.content import Text

SEPARATORS = ",;\t|"
SNIFFED_LINES = 50
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?$")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+$")
CLOCK = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{4}-\d\d-\d\dT")
QUOTE, NEWLINE = 34, 10
BLOCK_BYTES = 1 << 22
UNNAMED = "\0"
NULLS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "-", "#N/A"]
WRONG_TYPE = re.compile(r"In CSV column #(\d+)")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """Where the lines of a text begin and end (without their \\n); line numbers from 1."""

    data: npt.NDArray[np.uint8]
    starts: IntArray
    ends: IntArray

    @classmethod
    def of(cls, text: bytes) -> _Lines:
        data = np.frombuffer(text, dtype=np.uint8)
        breaks = np.flatnonzero(data == NEWLINE)
        ends = breaks if text.endswith(b"\n") else np.append(breaks, len(data))
        return cls(data, np.concatenate([[0], ends[:-1] + 1]), ends)

    def count(self, byte: int) -> IntArray:
        """How often the byte stands in each line."""
        places = np.flatnonzero(self.data == byte)
        if not places.size:
            return np.zeros(len(self.starts), dtype=np.int64)
        counts: IntArray = np.searchsorted(places, self.ends) - np.searchsorted(places, self.starts)
        return counts

    def text(self, line: int) -> str:
        """The line of this index."""
        return bytes(self.data[self.starts[line] : self.ends[line]]).decode("utf-8", "replace")

    def only(self, kept: BoolArray) -> bytes:
        """The text of the kept lines."""
        first = int(np.argmax(kept))
        if kept[first:].all():
            return self.data[self.starts[first] :].tobytes()
        lengths = np.diff(np.append(self.starts, len(self.data)))
        return self.data[np.repeat(kept, lengths)].tobytes()


def read_csv(text: Text, limits: FileLimits) -> Table:
    """The rows under their header. Raises FileRefusedError."""
    lines = _Lines.of(text.data)
    filled = lines.ends > lines.starts
    filled[text.broken - 1] = False
    if not filled.any():
        raise FileRefusedError("The file is empty.")
    check_rows(int(filled.sum()) - 1, limits)
    sieve = _Sieve(lines, filled, limits)
    sieve.refusals.add_rows(sieve.numbers, _at(len(filled), text.broken - 1), "", lambda _: "", "is not UTF-8")
    sieve.keep_regular()
    table, numbers = sieve.parse()
    columns = {name: table.column(name) for name in sieve.header if name}
    found = f"CSV, separated by {NAMES[sieve.separator]}{', decimal commas' if sieve.comma else ''}"
    return Table(found, columns, numbers, sieve.refusals, notes=text.notes, decimal_comma=sieve.comma)


def _separator(lines: _Lines, filled: BoolArray) -> str:
    """The one that divides the first lines into equally many cells, and most of them."""
    sample = [_unquoted(lines.text(line)) for line in np.flatnonzero(filled)[:SNIFFED_LINES].tolist()]
    votes = {each: _even_count([line.count(each) for line in sample]) for each in SEPARATORS}
    best = max(votes, key=lambda each: votes[each])
    return best if votes[best] else ","


def _even_count(counts: list[int]) -> float:
    """How many separators the first line has, worth more the more lines have as many (or one more, at the end)."""
    alike = sum(count - counts[0] in {0, 1} for count in counts)
    return counts[0] * (alike / len(counts)) ** 2


def _unquoted(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _header(line: str, separator: str, limits: FileLimits) -> list[str]:
    if line.count(separator) >= limits.max_columns * 2:
        raise FileRefusedError(f"{line.count(separator) + 1:,} columns; the limit is {limits.max_columns:,}.")
    names = [name.strip().strip('"').strip() for name in _cells(line, separator)]
    check_columns([name for name in names if name], limits)
    if all(NUMBER.match(name) or CLOCK.match(name) or not name for name in names):
        raise FileRefusedError("The first line holds values, not the names of the columns; add a header.")
    return names


def _cells(line: str, separator: str) -> list[str]:
    if '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator))


def _has_decimal_commas(lines: _Lines, sample: npt.NDArray[np.intp], separator: str) -> bool:
    cells = [cell.strip() for line in sample.tolist() for cell in lines.text(line).split(separator)]
    return sum(DECIMAL_COMMA.match(cell) is not None for cell in cells) > 0 and not any(
        re.match(r"[+-]?\d+\.\d+$", cell) for cell in cells
    )


class _Sieve:
    """Which lines are rows like the header, and their cells; all others are refused."""

    def __init__(self, lines: _Lines, filled: BoolArray, limits: FileLimits) -> None:
        self.lines = lines
        self.limits = limits
        self.refusals = Refusals()
        self.numbers = np.arange(len(filled)) + 1
        self.separator = _separator(lines, filled)
        first = int(np.argmax(filled))
        self.header = _header(lines.text(first), self.separator, limits)
        self.kept = filled.copy()
        self.kept[: first + 1] = False
        self.comma = False
        self.quoted = False

    def keep_regular(self) -> None:
        """Refuse the lines that have other cells than the header, which is made as wide as the rows are."""
        lines, quotes = self.lines, self.lines.count(QUOTE)
        self._drop(quotes % 2 == 1, "opens a quote that is not closed on the line")
        most = self.limits.max_cell_chars * max(len(self.header) // 4, 1)
        self._drop(lines.ends - lines.starts > most, f"is longer than a row may be ({most:,} characters)")
        self.quoted = bool(quotes.any())
        if not self.quoted:  # else only the parser can tell the separators inside of quotes
            self._keep_even(lines.count(ord(self.separator)) + 1)
        sample = np.flatnonzero(self.kept)[:SNIFFED_LINES]
        self.comma = self.separator != "," and _has_decimal_commas(lines, sample, self.separator)

    def _keep_even(self, cells: IntArray) -> None:
        if self.kept.any() and len(self.header) + 1 == int(np.median(cells[self.kept])):
            self.header = [*self.header, ""]  # every row ends with a separator, which the header does not
        wrong = self.kept & (cells != len(self.header))
        for count in np.unique(cells[wrong])[:SNIFFED_LINES].tolist():
            self._drop(cells == count, f"has {count} cells under a header of {len(self.header)}")
        self._drop(wrong, f"has not the {len(self.header)} cells of the header")

    def parse(self) -> tuple[Any, IntArray]:
        """The cells as an Arrow table, and the line of each row."""
        if not self.kept.any():
            raise FileRefusedError("No row is like the header.")
        numbers, skipped = self.numbers[self.kept], dict[int, Any]()

        def skip(row: Any) -> str:
            skipped[row.number - 1] = row
            return "skip"

        names = [name or UNNAMED for name in self.header]
        parsing = arrow_csv.ParseOptions(delimiter=self.separator, invalid_row_handler=skip)
        table = _typed(self.lines.only(self.kept), names, parsing, comma=self.comma, quoted=self.quoted)
        for place, row in skipped.items():
            reason = f"has {row.actual_columns} cells under a header of {row.expected_columns}"
            self.refusals.add(numbers[place], "", row.text, reason)
        return table, numbers[~_at(len(numbers), np.array(list(skipped), dtype=np.int64))]

    def _drop(self, bad: BoolArray, reason: str) -> None:
        self.refusals.add_rows(self.numbers, self.kept & bad, "", self.lines.text, reason)
        self.kept &= ~bad


def _typed(data: bytes, names: list[str], parsing: arrow_csv.ParseOptions, *, comma: bool, quoted: bool) -> Any:
    """The cells; Arrow tells a column's type by its beginning, so that one that changes later is read once more."""
    # With threads a row that Arrow refuses has no number; without quotes there is none that it could refuse.
    reading = arrow_csv.ReadOptions(use_threads=not quoted, block_size=BLOCK_BYTES, column_names=names)
    types: dict[str, Any] = {}
    while True:
        converting = arrow_csv.ConvertOptions(
            column_types=types, decimal_point="," if comma else ".", strings_can_be_null=True, null_values=NULLS
        )
        try:
            return arrow_csv.read_csv(
                io.BytesIO(data), read_options=reading, parse_options=parsing, convert_options=converting
            )
        except pa.ArrowInvalid as error:
            place = WRONG_TYPE.search(str(error))
            if place is None or types.get(names[int(place[1])]) == pa.string():
                raise FileRefusedError("The rows cannot be read as CSV.") from None
            name = names[int(place[1])]
            types[name] = pa.string() if name in types else _wider(str(error))


def _wider(message: str) -> Any:
    return pa.float64() if "int64" in message else pa.string()


def _at(count: int, places: IntArray) -> BoolArray:
    mask = np.zeros(count, dtype=np.bool_)
    mask[places] = True
    return mask
