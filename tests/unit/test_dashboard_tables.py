"""What all tables of the dashboard have in common."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2] / "dashboard"


def tables() -> Iterator[tuple[str, set[str | None]]]:
    """Where a table is shown, and with which options."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "st.dataframe":
                yield f"{path.relative_to(ROOT)}:{node.lineno}", {each.arg for each in node.keywords}


def test_a_cell_without_a_value_shows_the_same_dash_in_every_table():
    found = dict(tables())
    assert len(found) > 15
    assert [place for place, options in found.items() if "placeholder" not in options] == []
