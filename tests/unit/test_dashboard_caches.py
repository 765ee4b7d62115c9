"""Every cache of the dashboard has an age and a bound, and its key says all that an answer depends on."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2] / "dashboard"
CACHES = {"cache_data", "cache_resource"}
PERSONAL = {"session_state", "query_params", "context", "secrets", "user"}
"""What Streamlit knows of the person or the browser: an answer made of it belongs to nobody else."""
LEFT_OUT = {("preview", "_content")}
"""Parameters that are in no key: a file's hash is, in the place of its content."""


def cached() -> Iterator[tuple[str, ast.FunctionDef, ast.expr]]:
    for path in sorted(ROOT.rglob("*.py")):
        functions = [each for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.FunctionDef)]
        for each in functions:
            for decorator in each.decorator_list:
                called = decorator.func if isinstance(decorator, ast.Call) else decorator
                if isinstance(called, ast.Attribute) and called.attr in CACHES:
                    yield str(path.relative_to(ROOT)), each, decorator


FOUND = list(cached())


def test_the_search_finds_them():
    assert len(FOUND) > 20
    assert {path.split("/")[0] for path, _, _ in FOUND} == {"data"}


@pytest.mark.parametrize(("path", "function", "decorator"), FOUND, ids=lambda each: getattr(each, "name", ""))
def test_a_cache_has_an_age_a_bound_and_a_whole_key(path: str, function: ast.FunctionDef, decorator: ast.expr):
    given = {each.arg for each in decorator.keywords} if isinstance(decorator, ast.Call) else set()
    assert {"ttl", "max_entries"} <= given, f"{path}: {function.name} grows or ages without a limit"
    names = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
    assert {(function.name, each) for each in names if each.startswith("_")} <= LEFT_OUT, "Streamlit leaves _x out"


@pytest.mark.parametrize("path", sorted((ROOT / "data").glob("*.py")), ids=lambda path: path.stem)
def test_no_answer_is_made_of_who_asks(path: Path):
    tree = ast.parse(path.read_text())
    asked = {each.attr for each in ast.walk(tree) if isinstance(each, ast.Attribute)} & PERSONAL
    assert not asked, f"{path.name} asks Streamlit for {asked}: the key of a cache would lie"
    imported = {each.module for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)}
    assert not imported & {"dashboard.viewers", "dashboard.components"}
