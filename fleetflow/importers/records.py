"""JSON: the API's own trips, or records that become columns with dotted names; a WKT point becomes two."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Raw

from fleetflow.importers.table import (
    ContractTrips,
    FileLimits,
    FileRefusedError,
    Refusals,
    Table,
    check_columns,
    check_rows,
    column_of,
)
from fleetflow.trips.wire import TripDecoder, TripRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from fleetflow.importers.content import Text

    Lines = Iterable[tuple[int, bytes]]

POINT = re.compile(r"\s*(?:SRID=\d+;)?\s*POINT\s*Z?\s*\(\s*(-?[\d.]+(?:[eE][-+]?\d+)?)\s+(-?[\d.]+(?:[eE][-+]?\d+)?)")
DEEPEST = 12
BSM = "payload.data.coreData."
BSM_UNITS = {
    f"{BSM}speed": "m/s",
    f"{BSM}accelSet.accelLong": "m/s2",
    f"{BSM}accelSet.accelLat": "m/s2",
    f"{BSM}heading": "degrees",
}
"""SAE J2735 as the ODE writes it; its core data carry no units in their names."""


def read_json(text: Text, limits: FileLimits, latest: datetime) -> Table | ContractTrips:
    """Trips of the API's form, or a table of records. Raises FileRefusedError."""
    refusals = Refusals()
    for line in text.broken.tolist():
        refusals.add(line, "", "", "is not UTF-8")
    elements = list(_elements(text.data, refusals))
    if any(_is_trip(raw) for _, raw in elements[:20]):
        return _contract(elements, limits, latest, refusals)
    return table_of(((place, _decoded(raw)) for place, raw in elements), "JSON records", limits, refusals)


def _elements(data: bytes, refusals: Refusals) -> Iterator[tuple[int, bytes]]:
    """The objects of a list, of a document that wraps a list, or of one line each; with their line or number."""
    document = _document(data)
    if document is None:
        yield from _objects_of_lines(data, refusals)
    elif isinstance(document, list):
        yield from enumerate(document, 1)
    else:
        inner = None if _is_trip(data) else _wrapped(document)
        yield from enumerate(inner, 1) if inner is not None else ((1, data),)


def _document(data: bytes) -> list[bytes] | dict[str, bytes] | None:
    """The whole as one JSON value; None where it is none, as NDJSON is not."""
    kind: Any = list[Raw] if data.lstrip().startswith(b"[") else dict[str, Raw]
    try:
        decoded: Any = msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise FileRefusedError("The JSON is nested too deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        if kind == list[Raw]:
            raise FileRefusedError("This begins as a JSON list and is none: it ends early or is damaged.") from None
        return None
    return [bytes(each) for each in decoded] if isinstance(decoded, list) else {k: bytes(v) for k, v in decoded.items()}


def _wrapped(document: dict[str, bytes]) -> list[bytes] | None:
    """The longest list of objects in the document."""
    lists = [value for value in document.values() if re.match(rb"\s*\[\s*\{", value)]
    return None if not lists else [bytes(each) for each in msgspec.json.decode(max(lists, key=len), type=list[Raw])]


def _objects_of_lines(data: bytes, refusals: Refusals) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            msgspec.json.decode(line, type=dict[str, Raw])
        except RecursionError:
            refusals.add(number, "", "", "is nested too deeply")
        except (msgspec.DecodeError, UnicodeDecodeError):
            refusals.add(number, "", line[:100].decode("utf-8", "replace"), "is not a JSON object")
        else:
            yield number, line


def _is_trip(raw: bytes) -> bool:
    try:
        fields = msgspec.json.decode(raw, type=dict[str, Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return "data" in fields and ("vehicle_id" in fields or "driver_id" in fields)


def _contract(
    elements: list[tuple[int, bytes]], limits: FileLimits, latest: datetime, refusals: Refusals
) -> ContractTrips:
    decoder = TripDecoder()
    trips = []
    for place, raw in elements[: limits.max_trips]:
        try:
            trips.append((f"trip {place}", decoder.decode(raw, latest=latest)))
        except TripRefusedError as error:
            for fault in error.faults[:1]:
                refusals.add(place, fault.path, "", fault.message)
            if not error.faults:
                refusals.add(place, "", "", error.detail)
    return ContractTrips("FleetFlow JSON", trips, refusals)


def _decoded(raw: bytes) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(raw)
    except RecursionError:
        raise FileRefusedError("The JSON is nested too deeply.") from None
    return value if isinstance(value, dict) else None


def table_of(
    records: Iterable[tuple[int, dict[str, Any] | None]], form: str, limits: FileLimits, refusals: Refusals
) -> Table:
    """A column for every name that any record has. Raises FileRefusedError."""
    values: dict[str, list[Any]] = {}
    lines: list[int] = []
    for place, record in records:
        if record is None:
            refusals.add(place, "", "", "is not an object")
            continue
        if any(isinstance(value, str) and len(value) > limits.max_cell_chars for value in record.values()):
            refusals.add(place, "", "", f"holds a text of more than {limits.max_cell_chars:,} characters")
            continue
        _add(values, record, len(lines))
        lines.append(place)
        check_columns(values, limits) if len(values) > limits.max_columns else None
    check_rows(len(lines), limits)
    for column in values.values():
        column.extend([None] * (len(lines) - len(column)))
    columns = {name: column_of(column) for name, column in values.items()}
    is_bsm = f"{BSM}speed" in columns
    units = {name: unit for name, unit in BSM_UNITS.items() if name in columns}
    return Table("SAE J2735 messages" if is_bsm else form, columns, np.array(lines, dtype=np.int64), refusals, units)


def _add(values: dict[str, list[Any]], record: dict[str, Any], row: int) -> None:
    for name, value in _flat(record, "", 0):
        column = values.setdefault(name, [])
        column.extend([None] * (row - len(column)))
        if len(column) == row:
            column.append(value)


def _flat(record: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Dotted names and plain values; lists are left out, a point becomes two numbers."""
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and depth < DEEPEST:
            yield from _flat(value, f"{name}.", depth + 1)
        elif isinstance(value, str) and (point := POINT.match(value)):
            yield f"{name}.longitude", float(point[1])
            yield f"{name}.latitude", float(point[2])
        elif not isinstance(value, dict | list):
            yield name, value
