"""A statement's rows straight into numpy: each column comes as one binary array, without a Python object per value.

A million rows as Python objects take seconds and a gigabyte; as columns they take neither. COPY in binary hands rows
over one by one, and those calls alone take a second per million.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from psycopg.sql import SQL, Identifier

from fleetflow.storage.database import driver_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import sqlalchemy as sa

EPOCH_US = 946_684_800_000_000
"""Postgres counts from 2000, in microseconds; numpy from 1970."""
HEADER_BYTES = 20
"""Dimensions, whether there are nulls, the type, the length and the first index, four bytes each."""
TYPES = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "float8": ">f8", "timestamptz": ">i8", "uuid": "V16"}
"""A timestamptz is for `local_days`; a uuid keeps its 16 bytes."""

Columns = dict[str, "npt.NDArray[Any]"]


def read_columns(conn: sa.Connection, select: str, values: Mapping[str, Any], types: Mapping[str, str]) -> Columns:
    """The columns of a statement by name, in the order of its rows; no value may be null.

    `types` gives each column's Postgres type. Errors are those of any other statement on `conn`.
    """
    arrays = SQL(", ").join(
        SQL("array_agg({}::{})").format(Identifier(name), SQL(kind)) for name, kind in types.items()
    )
    driver: Any = conn.connection.driver_connection
    with driver_errors(), driver.cursor(binary=True) as cursor:
        cursor.execute(SQL("SELECT {} FROM ({}) AS rows").format(arrays, SQL(select)), values)
        return {
            name: _column(cursor.pgresult.get_value(0, place), np.dtype(TYPES[kind]))
            for place, (name, kind) in enumerate(types.items())
        }


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
    utc = pd.DatetimeIndex((moments + EPOCH_US).view("datetime64[us]"), tz="UTC")
    local = utc.tz_convert(zone).tz_localize(None).to_numpy()
    return local.astype("datetime64[D]").astype(np.int64)
