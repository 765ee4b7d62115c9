"""Reading trips from files for sending: the contract's JSON and NDJSON as they are, CSV with the contract's names.

JSON goes through as the bytes it is, for the API to judge; a line that is no JSON object is located and reported.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import msgspec
import orjson

from fleetflow.errors import ConfigurationError
from fleetflow.sending import Parcel
from fleetflow.trips.samples import OPTIONAL_CHANNELS, REQUIRED_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

STDIN = "-"
NUMBERS = (*REQUIRED_CHANNELS, *OPTIONAL_CHANNELS)
IDENTITY = ("vehicle_id", "driver_id", "trip")


@dataclass(frozen=True, slots=True)
class Missing:
    """What a CSV file does not say itself."""

    vehicle_id: str | None = None
    driver_id: str | None = None
    sample_hz: float | None = None


def read_parcels(path: str, missing: Missing) -> Iterator[Parcel]:
    """The trips of one file, one at a time. Raises ConfigurationError when it cannot be read."""
    kind = Path(path.removesuffix(".gz")).suffix.lower()
    try:
        with _opened(path) as file:
            if kind == ".csv":
                with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
                    yield from _read_csv(text, path, missing)
            else:
                yield from _read_json(file, path)
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} cannot be read: it is not UTF-8.") from None
    except (OSError, EOFError) as error:
        raise ConfigurationError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _opened(path: str) -> AbstractContextManager[IO[bytes]]:
    if path == STDIN:
        return nullcontext(sys.stdin.buffer)
    return cast("IO[bytes]", gzip.open(path)) if path.endswith(".gz") else Path(path).open("rb")


def _read_json(file: IO[bytes], path: str) -> Iterator[Parcel]:
    """One trip a line when the first line is a whole one, else one document: a trip or a list of trips."""
    first = file.readline()
    while first and not first.strip():
        first = file.readline()
    if not _is_document(first):
        yield from _read_document(first + file.read(), path)
        return
    for number, line in enumerate(_chain(first, file), start=1):
        if line.strip():
            yield _parcel(f"{path}:{number}", line.strip())


def _chain(first: bytes, rest: IO[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _is_document(line: bytes) -> bool:
    """Whether the line is a JSON object by itself, as in NDJSON."""
    try:
        msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _read_document(text: bytes, path: str) -> Iterator[Parcel]:
    try:
        trips = msgspec.json.decode(text, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        yield _parcel(path, text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        lines = text.split(b"\n")
        if len(lines) > 1 and any(_is_document(line) for line in lines):
            yield from (_parcel(f"{path}:{number}", line) for number, line in enumerate(lines, 1) if line.strip())
        else:
            yield Parcel(path, error=f"is not JSON: {error}")
    else:
        yield from (_parcel(f"{path}[{number}]", bytes(trip)) for number, trip in enumerate(trips))


def _parcel(source: str, body: bytes) -> Parcel:
    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return Parcel(source, error="is not a JSON object")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Parcel(source, error=f"is not JSON: {error}")
    return Parcel(source, body)


def _read_csv(text: IO[str], path: str, missing: Missing) -> Iterator[Parcel]:
    """Rows that follow each other with the same vehicle, driver and `trip` are a trip."""
    reader = csv.DictReader(text)
    absent = [name for name in REQUIRED_CHANNELS if name not in (reader.fieldnames or ())]
    if absent:
        yield Parcel(f"{path}:1", error=f"the header has no column {' and '.join(absent)}")
        return
    for key, numbered in groupby(_numbered(reader), key=lambda row: tuple(row[1].get(name) for name in IDENTITY)):
        rows = list(numbered)
        yield _csv_trip(f"{path}:{rows[0][0]}", dict(zip(IDENTITY, key, strict=True)), rows, missing)


def _numbered(reader: csv.DictReader[str]) -> Iterator[tuple[int, dict[str, str | None]]]:
    for row in reader:
        yield reader.line_num, row


def _csv_trip(
    source: str, key: Mapping[str, str | None], rows: list[tuple[int, dict[str, str | None]]], missing: Missing
) -> Parcel:
    trip: dict[str, Any] = {
        "vehicle_id": key["vehicle_id"] or missing.vehicle_id,
        "driver_id": key["driver_id"] or missing.driver_id,
    }
    for name, value in trip.items():
        if not value:
            return Parcel(source, error=f"has no {name}; add a column or --{name.replace('_', '-')}")
    if missing.sample_hz is not None:
        trip["sample_hz"] = missing.sample_hz
    points = []
    for number, row in rows:
        try:
            points.append(_csv_point(row))
        except ValueError as error:
            return Parcel(source, error=f"row {number}: {error}")
    return Parcel(source, orjson.dumps({**trip, "data": points}))


def _csv_point(row: Mapping[str, str | None]) -> dict[str, Any]:
    point: dict[str, Any] = {name: _number(name, row[name]) for name in NUMBERS if row.get(name)}
    if row.get("timestamp"):
        point["timestamp"] = row["timestamp"]
    return point


def _number(name: str, text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        raise ValueError(f"{name} is no number: {text!r}") from None
