"""The table: each row a measurement beside a floor of the same run, and their ratio."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(__file__).with_name("results")
HEADINGS = ("what", "woken by", "floor", "floor's figure", "FleetFlow", "unit", "ratio")


@dataclass(frozen=True, slots=True)
class Row:
    """`floor` says what `floor_value` is of; both values are in `unit`."""

    what: str
    woken_by: str
    floor: str
    floor_value: float
    value: float
    unit: str

    def cells(self) -> tuple[str, ...]:
        """The row as text."""
        ratio = self.value / self.floor_value
        return (
            self.what, self.woken_by, self.floor, f"{self.floor_value:,.3g}", f"{self.value:,.4g}", self.unit,
            f"{ratio:.3g}x",
        )  # fmt: skip


def show(rows: Sequence[Row]) -> Path:
    """Print the table and write it as Markdown; the path of the file."""
    table = Table(*HEADINGS)
    for row in rows:
        table.add_row(*row.cells())
    Console(width=160).print(table)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "latest.md"
    path.write_text(_markdown(rows))
    return path


def _markdown(rows: Sequence[Row]) -> str:
    lines = [HEADINGS, ["---"] * len(HEADINGS), *(row.cells() for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    when = datetime.now(UTC).date().isoformat()
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"# `make bench`, {when}\n\n{machine}; client, API, Postgres, broker and worker share them.\n\n{table}\n"
