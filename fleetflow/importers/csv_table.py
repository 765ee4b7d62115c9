"""CSV with any separator: Arrow reads the cells, numpy finds the lines that are not like the others."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from fleetflow.importers.content import Text
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
        before = np.concatenate([[0], np.cumsum(self.data == byte, dtype=np.int64)])
        counts: IntArray = before[self.ends] - before[self.starts]
        return counts

    def text(self, line: int) -> str:
        """The line of this index."""
        return bytes(self.data[self.starts[line] : self.ends[line]]).decode("utf-8", "replace")

    def only(self, kept: BoolArray) -> bytes:
        """The text of the kept lines."""
        lengths = np.diff(np.append(self.starts, len(self.data)))
        return self.data[np.repeat(kept, lengths)].tobytes()


def read_csv(text: Text, limits: FileLimits) -> Table:
    """The rows under their header. Raises FileRefusedError."""
    lines = _Lines.of(text.data)
    filled = lines.ends > lines.starts
    filled[text.broken - 1] = False
    first = _first(lines, filled)
    separator = _separator(lines, filled)
    header = _header(lines.text(first), separator, limits)
    check_rows(int(filled.sum()) - 1, limits)
    refusals = Refusals()
    refusals.add_rows(np.arange(len(filled)) + 1, _at(len(filled), text.broken - 1), "", lambda _: "", "is not UTF-8")
    header, kept = _regular(lines, filled, first, header, separator, limits, refusals)
    comma = separator != "," and _has_decimal_commas(lines, np.flatnonzero(kept)[:SNIFFED_LINES], separator)
    numbers = np.flatnonzero(kept) + 1
    table, numbers = _parse(lines.only(kept), header, separator, comma, numbers, refusals)
    columns = {name: table.column(name) for name in header if name}
    found = f"CSV, separated by {NAMES[separator]}{', decimal commas' if comma else ''}"
    return Table(found, columns, numbers, refusals, notes=text.notes, decimal_comma=comma)


def _first(lines: _Lines, filled: BoolArray) -> int:
    if not filled.any():
        raise FileRefusedError("The file is empty.")
    return int(np.argmax(filled))


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


def _regular(
    lines: _Lines, filled: BoolArray, first: int, header: list[str], separator: str, limits: FileLimits,
    refusals: Refusals,
) -> tuple[list[str], BoolArray]:  # fmt: skip
    """The header as wide as the rows are, and which lines to parse; the others are refused."""
    kept = filled.copy()
    kept[: first + 1] = False
    quotes = lines.count(QUOTE)
    numbers = np.arange(len(filled)) + 1
    _drop(kept, quotes % 2 == 1, numbers, lines, refusals, "opens a quote that is not closed on the line")
    long = lines.ends - lines.starts > limits.max_cell_chars * max(len(header) // 4, 1)
    _drop(kept, long, numbers, lines, refusals, f"is longer than a row may be ({limits.max_cell_chars:,} a cell)")
    if quotes.any():
        return header, kept  # the separators inside of quotes are for the parser to tell
    cells = lines.count(ord(separator)) + 1
    if kept.any() and len(header) + 1 == int(np.median(cells[kept])):
        header = [*header, ""]  # every row ends with a separator, which the header does not
    wrong = cells != len(header)
    for count in np.unique(cells[kept & wrong])[:20].tolist():
        reason = f"has {count} cells under a header of {len(header)}"
        _drop(kept, cells == count, numbers, lines, refusals, reason)
    _drop(kept, wrong, numbers, lines, refusals, f"has not the {len(header)} cells of the header")
    return header, kept


def _drop(
    kept: BoolArray, bad: BoolArray, numbers: IntArray, lines: _Lines, refusals: Refusals, reason: str
) -> None:
    refusals.add_rows(numbers, kept & bad, "", lines.text, reason)
    kept &= ~bad


def _has_decimal_commas(lines: _Lines, sample: npt.NDArray[np.intp], separator: str) -> bool:
    cells = [cell.strip() for line in sample.tolist() for cell in lines.text(line).split(separator)]
    return sum(DECIMAL_COMMA.match(cell) is not None for cell in cells) > 0 and not any(
        re.match(r"[+-]?\d+\.\d+$", cell) for cell in cells
    )


def _parse(
    data: bytes, header: list[str], separator: str, comma: bool, numbers: IntArray, refusals: Refusals  # noqa: FBT001
) -> tuple[Any, IntArray]:
    if not data:
        raise FileRefusedError("No row is like the header." if refusals.count else "No data rows.")
    skipped: dict[int, Any] = {}

    def skip(row: Any) -> str:
        skipped[row.number - 1] = row
        return "skip"

    names = [name or UNNAMED for name in header]
    table = _typed(data, names, arrow_csv.ParseOptions(delimiter=separator, invalid_row_handler=skip), comma=comma)
    for place, row in skipped.items():
        reason = f"has {row.actual_columns} cells under a header of {row.expected_columns}"
        refusals.add(numbers[place], "", row.text, reason)
    return table, numbers[~_at(len(numbers), np.array(list(skipped), dtype=np.int64))]


def _typed(data: bytes, names: list[str], parsing: arrow_csv.ParseOptions, *, comma: bool) -> Any:
    """The cells; Arrow tells a column's type by its beginning, so that one that changes later is read once more."""
    quoted = b'"' in data
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

