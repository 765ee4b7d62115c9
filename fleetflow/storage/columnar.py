"""Columns between Postgres and numpy: each goes as one binary array, without a Python object per value.

A million rows as Python objects take seconds and a gigabyte; as columns they take neither. COPY in binary hands rows
over one by one, and those calls alone take a second per million.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.sql import SQL, Identifier

from fleetflow.storage.database import driver_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    import numpy.typing as npt
    import sqlalchemy as sa

EPOCH_US = 946_684_800_000_000
"""Postgres counts from 2000, in microseconds; numpy from 1970."""
HEADER_BYTES = 20
"""Dimensions, whether there are nulls, the type, the length and the first index, four bytes each."""
TYPES = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float8": ">f8", "timestamptz": ">i8", "uuid": "V16"}
"""A timestamptz is for `local_days`; a uuid keeps its 16 bytes."""
TYPE_NUMBERS = {"int4": 23, "uuid": 2950}
"""Of what is sent."""
DAY_S = 86_400

Columns = dict[str, "npt.NDArray[Any]"]


class Column(bytes):
    """A column as a parameter of `read_columns` or `execute`; the statement says of what: `%(name)s::uuid[]`."""

    __slots__ = ()


class _ColumnDumper(Dumper):
    """The bytes are those of an array already; the statement's cast says of what."""

    format = Format.BINARY

    def dump(self, obj: Column) -> Column:
        return obj


def read_columns(conn: sa.Connection, select: str, values: Mapping[str, Any], types: Mapping[str, str]) -> Columns:
    """The columns of a statement by name, in the order of its rows; no value may be null.

    `types` gives each column's Postgres type. Errors are those of any other statement on `conn`.
    """
    arrays = SQL(", ").join(
        SQL("array_agg({}::{})").format(Identifier(name), SQL(kind)) for name, kind in types.items()
    )
    with driver_errors(), _cursor(conn) as cursor:
        # Not prepared: Postgres would plan it once for all values, and a fleet is not read as a trip is.
        cursor.execute(SQL("SELECT {} FROM ({}) AS rows").format(arrays, SQL(select)), values, prepare=False)
        return {
            name: _column(cursor.pgresult.get_value(0, place), np.dtype(TYPES[kind]))
            for place, (name, kind) in enumerate(types.items())
        }


def execute(conn: sa.Connection, statement: str, values: Mapping[str, Any]) -> None:
    """A statement whose parameters may be columns (`as_column`)."""
    with driver_errors(), _cursor(conn) as cursor:
        cursor.execute(statement, values)


def as_column(values: npt.NDArray[Any], kind: str) -> Column:
    """An array as Postgres takes it: none of the values is null."""
    rows = np.empty(len(values), [("length", ">i4"), ("value", TYPES[kind])])
    rows["length"], rows["value"] = rows.dtype["value"].itemsize, values
    header = np.array([1, 0, TYPE_NUMBERS[kind], len(values), 1], ">i4")
    return Column(header.tobytes() + rows.tobytes())


def as_ids(values: Iterable[UUID]) -> npt.NDArray[np.void]:
    """Ids as a column of them."""
    return np.frombuffer(b"".join(value.bytes for value in values), TYPES["uuid"])


def _cursor(conn: sa.Connection) -> Any:
    driver: Any = conn.connection.driver_connection
    cursor = driver.cursor(binary=True)
    cursor.adapters.register_dumper(Column, _ColumnDumper)
    return cursor


def _column(content: bytes | None, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """An array as Postgres sends it: each value with its length in front."""
    if content is None:
        return np.empty(0, kind.newbyteorder("="))
    row = np.dtype([("length", ">i4"), ("value", kind)])
    if (len(content) - HEADER_BYTES) % row.itemsize:
        raise ValueError("A column that must not hold nulls does.")
    return np.frombuffer(content, row, offset=HEADER_BYTES)["value"].astype(kind.newbyteorder("="))


def number_ids(ids: npt.NDArray[np.void]) -> tuple[npt.NDArray[np.void], npt.NDArray[np.intp]]:
    """Each id once, in their order, and for every row the number of its id."""
    halves = np.ascontiguousarray(ids).view(">u8").reshape(-1, 2).astype(np.uint64)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    ordered = halves[order]
    begins = np.ones(len(ids), dtype=bool)
    begins[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    numbers = np.empty(len(ids), dtype=np.intp)
    numbers[order] = np.cumsum(begins) - 1
    return ids[order[begins]], numbers


def local_days(moments: npt.NDArray[np.int64], zone: str) -> npt.NDArray[np.int64]:
    """The days since 1970 of a column of timestamptz, by the calendar of an IANA zone."""
    seconds = (moments + EPOCH_US) // 1_000_000
    days, which = np.unique(seconds // DAY_S, return_inverse=True)
    calendar = [_clock_of_day(ZoneInfo(zone), day) for day in days.tolist()]
    before, change, after = np.array(calendar, dtype=np.int64).reshape(-1, 3).T
    offset = np.where(seconds < change[which], before[which], after[which])
    local: npt.NDArray[np.int64] = (seconds + offset) // DAY_S
    return local


def _clock_of_day(zone: ZoneInfo, day: int) -> tuple[int, int, int]:
    """How far the zone is ahead of UTC as a UTC day begins, in seconds, when that changes, and how far it is then.

    No zone changes its clock twice within a day.
    """
    start, end = day * DAY_S, (day + 1) * DAY_S
    before, after = _ahead_s(zone, start), _ahead_s(zone, end)
    while before != after and end - start > 1:
        middle = (start + end) // 2
        start, end = (middle, end) if _ahead_s(zone, middle) == before else (start, middle)
    return before, end, after


def _ahead_s(zone: ZoneInfo, second: int) -> int:
    offset = datetime.fromtimestamp(second, zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())
