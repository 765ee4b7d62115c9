"""Columns -> numbers, NaN where a cell is empty; a cell that is no number is told apart from an empty one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from fleetflow.importers.table import BoolArray, IntArray
    from fleetflow.trips.samples import FloatArray

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def numbers(column: Any, *, decimal_comma: bool = False) -> tuple[FloatArray, BoolArray]:
    """The values and which cells are no number; an infinite value is none."""
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        values = _floats(column)
        infinite = np.isinf(values)
        return np.where(infinite, np.nan, values), infinite
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan), np.zeros(len(column), dtype=np.bool_)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return np.full(len(column), np.nan), ~np.asarray(pc.is_null(column))
    text = pc.utf8_trim_whitespace(column)
    if decimal_comma:
        text = pc.replace_substring(text, ",", ".")
    good = pc.match_substring_regex(text, NUMBER)
    values = _floats(pc.if_else(good, text, None).cast(pa.float64()))
    filled = pc.fill_null(pc.not_equal(text, ""), False)  # Arrow's way to say it
    return values, np.asarray(filled) & np.isnan(values)


def labels(column: Any) -> tuple[IntArray, list[str]]:
    """A number for each cell and the texts that they stand for; the first is that of empty cells."""
    text = column.cast(pa.string())
    if isinstance(text, pa.ChunkedArray):
        text = text.combine_chunks()
    coded = text.dictionary_encode()
    codes: IntArray = np.asarray(pc.fill_null(coded.indices, -1), dtype=np.int64) + 1
    return codes, ["", *(each.strip() for each in coded.dictionary.to_pylist())]


def _floats(column: Any) -> FloatArray:
    values: FloatArray = np.asarray(column.cast(pa.float64()), dtype=np.float64)
    return values
