"""What must not be in the code or among the packages, whoever reviewed it."""

from __future__ import annotations

import ast
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("fleetflow", "ingest_api", "worker", "dashboard")
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}
"""They run what they read."""
FORBIDDEN_CALLS = {"eval", "exec", "read_pickle", "to_pickle", "extractall"}
RAW_HTML = {"html", "iframe"}
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|ALTER|CREATE|DROP|TRUNCATE|COPY)\s", re.IGNORECASE)


def floors() -> dict[str, Version]:
    lines = (ROOT / "tests" / "security_floors.txt").read_text().splitlines()
    plain = (line.partition("#")[0].split() for line in lines)
    return {each[0]: Version(each[1]) for each in plain if each}


def pinned(file: str) -> dict[str, Version]:
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / file).read_text(), re.MULTILINE)
    return {name.lower(): Version(number) for name, number in found}


def trees() -> Iterator[tuple[Path, ast.AST]]:
    for program in PROGRAMS:
        for path in sorted((ROOT / program).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text())


def faults_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {node.module or ""} if isinstance(node, ast.ImportFrom) else {each.name for each in node.names}
            yield from (f"imports {name}" for name in names if name.split(".")[0] in FORBIDDEN_MODULES)
        if isinstance(node, ast.Call):
            yield from _faults_in_call(node)


def _faults_in_call(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in FORBIDDEN_CALLS:
        yield f"line {call.lineno} calls {name}"
    unsafe = any(each.arg == "unsafe_allow_html" and getattr(each.value, "value", True) for each in call.keywords)
    if (unsafe or name in RAW_HTML) and not all(_is_safe_html(each) for each in call.args):
        yield f"line {call.lineno} puts data into HTML"
    if name in {"execute", "exec_driver_sql", "text", "scalar", "scalars"} and call.args:
        yield from _faults_in_sql(call.args[0])


def _is_safe_html(argument: ast.expr) -> bool:
    """What stands in the code, or a tree that ElementTree writes: data are text in it, never markup."""
    writes = argument.func if isinstance(argument, ast.Call) else None
    return isinstance(argument, ast.Constant) or (
        isinstance(writes, ast.Attribute) and ast.unparse(writes) == "ET.tostring"
    )


def _faults_in_sql(statement: ast.expr) -> Iterator[str]:
    """An f-string may hold names of the module's own constants (in capitals), nothing that was passed in."""
    if not isinstance(statement, ast.JoinedStr) or not statement.values:
        return
    first = statement.values[0]
    if isinstance(first, ast.Constant) and SQL.match(str(first.value)):
        values = [each.value for each in statement.values if isinstance(each, ast.FormattedValue)]
        if not all(isinstance(each, ast.Name) and each.id.isupper() for each in values):
            yield f"line {statement.lineno} makes SQL from strings"


@pytest.mark.parametrize(("name", "floor"), floors().items())
def test_no_package_is_older_than_its_last_known_hole(name: str, floor: Version):
    for file in ("requirements.txt", "requirements-dev.txt"):
        assert pinned(file).get(name, floor) >= floor, file
    try:
        assert Version(version(name)) >= floor
    except PackageNotFoundError:
        assert name not in pinned("requirements.txt")


def test_the_floors_are_those_of_packages_that_fleetflow_uses():
    assert len(floors().keys() & pinned("requirements.txt").keys()) >= 8


def test_no_program_runs_data_or_puts_them_into_html_or_sql():
    faults = [f"{path}: {fault}" for path, tree in trees() for fault in faults_in(tree)]
    assert faults == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "eval(text)",
        "pd.read_pickle(path)",
        "st.markdown(name, unsafe_allow_html=True)",
        "st.markdown(name, unsafe_allow_html=allowed)",
        "st.html(name)",
        "st.html(tostring(name))",
        "st.html(f'<b>{ET.tostring(tree)}{name}</b>')",
        "conn.execute(f'SELECT * FROM trips WHERE id = {trip_id}')",
        "conn.execute(sa.text(f'DELETE FROM {table}'))",
    ],
)
def test_the_check_finds_what_it_is_for(code: str):
    assert list(faults_in(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "st.markdown('<b>plain</b>', unsafe_allow_html=True)",
        "st.html(ET.tostring(tree, encoding='unicode'))",
        "conn.execute(sa.text(f'ALTER SCHEMA {SCHEMA} RENAME TO {ASIDE}'))",
        "conn.execute(f'Hello {name}')",
    ],
)
def test_the_check_lets_pass_what_is_harmless(code: str):
    assert not list(faults_in(ast.parse(code)))
