"""A numpy array of rows and columns: numbers without names, which somebody has to give; objects are never opened."""

from __future__ import annotations

import io
import tokenize
from typing import Any

import numpy as np
import pyarrow as pa

from fleetflow.importers.table import FileLimits, FileRefusedError, Refusals, Table, check_columns, check_rows

FEWEST_COLUMNS = 3
"""Time, and something that moves, and one more: fewer are one signal, whose time is in another file."""
UNREADABLE = (ValueError, TypeError, KeyError, EOFError, SyntaxError, RecursionError, tokenize.TokenError)
"""The header is a Python literal, which numpy reads without running it; these tell that it is none."""
NAMELESS = "A numpy array has no names for its columns; say what they are."


def read_array(data: bytes, limits: FileLimits) -> Table:
    """The array's columns by number. Raises FileRefusedError, before anything is read, for what is no table."""
    file = io.BytesIO(data)
    rows, count, kind = _head(file)
    columns = [f"column {number}" for number in range(1, count + 1)]
    check_columns(columns, limits)
    check_rows(rows, limits)
    if rows * count * kind.itemsize > len(data) - file.tell():
        raise FileRefusedError("The numpy array ends early: it was not copied whole.")
    file.seek(0)
    values = np.asarray(np.lib.format.read_array(file, allow_pickle=False), dtype=np.float64)
    found = {name: pa.array(np.ascontiguousarray(values[:, at])) for at, name in enumerate(columns)}
    return Table("numpy array", found, np.arange(1, rows + 1), Refusals(), notes=(NAMELESS,))


def _head(file: io.BytesIO) -> tuple[int, int, np.dtype[Any]]:
    """Rows, columns and type, as the file itself says."""
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, kind = read(file)
    except UNREADABLE:
        raise FileRefusedError("The numpy array is damaged.") from None
    if any(size < 0 for size in shape):
        raise FileRefusedError("The numpy array is damaged.")
    if kind.kind not in "fiu":
        raise FileRefusedError("This is a numpy array of something else than numbers.")
    if len(shape) != 2 or shape[1] < FEWEST_COLUMNS:  # noqa: PLR2004  # rows and columns
        raise FileRefusedError(
            "This is a numpy array of one signal, without its time; save all signals as one CSV or Parquet file."
        )
    return shape[0], shape[1], kind
