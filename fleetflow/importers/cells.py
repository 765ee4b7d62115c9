"""What the cells of a table's columns look like: numbers, labels, yes or no; told by a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fleetflow.importers.numbers import numbers

if TYPE_CHECKING:
    from fleetflow.importers.table import Table
    from fleetflow.trips.samples import FloatArray

SAMPLE_ROWS = 2000
MIN_NUMERIC = 0.9
YES_NO = frozenset(
    [
        "yes",
        "no",
        "y",
        "n",
        "true",
        "false",
        "1",
        "0",
        "valid",
        "invalid",
        "a",
        "v",
        "ok",
        "sim",
        "nao",
        "não",
        "oui",
        "non",
        "ja",
        "nein",
    ]
)


class Cells:
    """The cells of one table, by column."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def _sample(self, name: str) -> Any:
        column = self._table.columns[name]
        step = max(len(column) // SAMPLE_ROWS, 1)
        return column.take(pa.array(np.arange(0, len(column), step)))

    def is_number(self, name: str) -> bool:
        """Whether nearly all cells are numbers."""
        sample = self._sample(name)
        values, bad = numbers(sample, decimal_comma=self._table.decimal_comma)
        known = np.isfinite(values).sum()
        return bool(known > 0 and known >= MIN_NUMERIC * (known + bad.sum()))

    def is_yes_no(self, name: str) -> bool:
        """Whether the cells say yes or no, in any of the usual words."""
        return {str(each).lower() for each in pc.unique(self._sample(name)).to_pylist() if each is not None} <= YES_NO

    def is_label(self, name: str) -> bool:
        """Whether the values name things: few of them, and not measured."""
        sample = self._sample(name)
        if pa.types.is_floating(sample.type) and bool(np.any(np.mod(numbers(sample)[0], 1) > 0)):
            return False
        return len(pc.unique(sample)) <= max(len(sample) // 4, 1)

    def values(self, name: str) -> FloatArray:
        """The numbers, NaN where there is none."""
        return numbers(self._table.columns[name], decimal_comma=self._table.decimal_comma)[0]
