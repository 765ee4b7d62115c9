"""CSV with the contract's names: the rows of a trip may stand anywhere, and only unfinished trips are in memory."""

from __future__ import annotations

import csv
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import orjson

from fleetflow.sending import Parcel
from fleetflow.trips.samples import OPTIONAL_CHANNELS, REQUIRED_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Key = tuple[str, ...]

IDENTITY = ("vehicle_id", "driver_id", "trip", "trip_id")
"""Rows that agree in all of these are one trip; files name the last one either way, or leave it out."""
NUMBERS = (*REQUIRED_CHANNELS, *OPTIONAL_CHANNELS)
CLOCK = "timestamp"


@dataclass(frozen=True, slots=True)
class Missing:
    """What a CSV file does not say itself."""

    vehicle_id: str | None = None
    driver_id: str | None = None
    sample_hz: float | None = None


class BrokenCsvError(Exception):
    """A line that no row can be made of, so that nothing behind it can be trusted."""

    def __init__(self, line: int, detail: str) -> None:
        super().__init__(detail)
        self.line = line


@dataclass(slots=True)
class _OpenTrip:
    """A trip whose rows are still being read; `error` is its first fault."""

    first_line: int
    rows: int = 0
    points: list[dict[str, Any]] = field(default_factory=list)
    error: str | None = None


class _Header:
    """Where each column stands."""

    def __init__(self, names: Sequence[str]) -> None:
        at = {name.strip(): index for index, name in enumerate(names)}
        self.absent = [name for name in REQUIRED_CHANNELS if name not in at]
        self.has_clock = CLOCK in at
        self.width = len(names)
        self._identity = [at.get(name) for name in IDENTITY]
        self._numbers = [(name, at[name]) for name in NUMBERS if name in at]
        self._clock = at.get(CLOCK)

    def key(self, row: Sequence[str]) -> Key:
        """What the row says of IDENTITY, in its order; empty where it says nothing."""
        return tuple(_cell(row, index) for index in self._identity)

    def point(self, row: Sequence[str]) -> dict[str, Any]:
        """The row as the contract's point. Raises ValueError for a cell that is no number."""
        if len(row) > self.width:
            raise ValueError(f"has {len(row)} cells under a header of {self.width}")
        values = ((name, _number(name, _cell(row, index))) for name, index in self._numbers)
        point: dict[str, Any] = {name: value for name, value in values if value is not None}
        if clock := _cell(row, self._clock):
            point[CLOCK] = clock
        return point


def trip_sizes(file: IO[bytes]) -> Counter[Key]:
    """How many rows each trip has. Raises BrokenCsvError."""
    rows = _rows(file)
    _, names = next(rows, (1, []))
    header = _Header(names)
    return Counter(header.key(row) for _, row in rows)


def read_csv(file: IO[bytes], path: str, missing: Missing, sizes: Counter[Key]) -> Iterator[Parcel]:
    """The file's trips, each as soon as its last row is read; `sizes` are those of `trip_sizes`."""
    rows = _rows(file)
    line, names = next(rows, (1, []))
    header = _Header(names)
    if header.absent:
        yield Parcel(f"{path}:{line}", error=f"the header has no column {' and '.join(header.absent)}")
        return
    unfinished: dict[Key, _OpenTrip] = {}
    for line, row in rows:
        key = header.key(row)
        trip = unfinished.setdefault(key, _OpenTrip(line))
        _add_row(trip, header, row, line)
        if trip.rows == sizes[key]:
            yield _parcel(f"{path}:{trip.first_line}", key, unfinished.pop(key), header, missing)
    for trip in unfinished.values():
        yield Parcel(f"{path}:{trip.first_line}", error="the file changed while it was read")


def _add_row(trip: _OpenTrip, header: _Header, row: Sequence[str], line: int) -> None:
    trip.rows += 1
    if trip.error is not None:
        return
    try:
        trip.points.append(header.point(row))
    except ValueError as error:
        trip.error = f"line {line}: {error}"
        trip.points.clear()


def _parcel(source: str, key: Key, trip: _OpenTrip, header: _Header, missing: Missing) -> Parcel:
    if trip.error is not None:
        return Parcel(source, error=trip.error)
    ids = {"vehicle_id": key[0] or missing.vehicle_id, "driver_id": key[1] or missing.driver_id}
    for name, value in ids.items():
        if not value:
            return Parcel(source, error=f"has no {name}; add a column or --{name.replace('_', '-')}")
    rate = {} if missing.sample_hz is None or header.has_clock else {"sample_hz": missing.sample_hz}
    return Parcel(source, orjson.dumps({**ids, **rate, "data": trip.points}))


def _rows(file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the number of its line. Raises BrokenCsvError.

    What is not UTF-8 becomes a mark that no field takes, so that it is refused where it stands.
    """
    reader = csv.reader(line.decode("utf-8", "replace") for line in file)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise BrokenCsvError(reader.line_num, str(error)) from None


def _cell(row: Sequence[str], index: int | None) -> str:
    return row[index].strip() if index is not None and index < len(row) else ""


def _number(name: str, text: str) -> float | None:
    """The number, None for an empty cell or NaN, which is how some tools write one."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} is no number: {text!r}") from None
    if math.isinf(value):
        raise ValueError(f"{name} is infinite")
    return None if math.isnan(value) else value
