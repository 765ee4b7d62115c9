"""The fault tests as a set: each ends with the five assertions, and each guard has a test that would miss it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS, Mutant, mutated
from tests.faults.programs import ROOT

FAULT_TESTS = [
    (path.name, node)
    for path in sorted((ROOT / "tests" / "faults").glob("test_*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]


def last_statement(node: ast.stmt) -> ast.stmt:
    """The last thing a function does, inside whatever `with` blocks."""
    last = node.body[-1] if isinstance(node, ast.FunctionDef | ast.With) else node
    return last_statement(last) if isinstance(last, ast.With) else last


@pytest.mark.parametrize(("file", "test"), FAULT_TESTS, ids=[f"{name}-{test.name}" for name, test in FAULT_TESTS])
def test_a_fault_test_ends_with_the_five_assertions(file: str, test: ast.FunctionDef):
    assert ast.unparse(last_statement(test)).startswith("assert_the_five("), f"{file}: {test.name}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=[each.guard for each in MUTANTS])
def test_a_guard_is_where_its_mutant_looks_for_it_and_its_test_exists(mutant: Mutant):
    changed = mutated((ROOT / mutant.file).read_text(), mutant)
    ast.parse(changed)
    path, _, name = mutant.test.partition("::")
    assert re.search(rf"^def {name.partition('[')[0]}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_no_two_mutants_are_of_the_same_guard():
    assert len({each.guard for each in MUTANTS}) == len({(each.file, each.text) for each in MUTANTS}) == len(MUTANTS)


def test_the_command_says_so_when_a_guard_has_moved():
    mutant = Mutant("a guard", "fleetflow/errors.py", "no such text", "", "tests/unit/test_guards.py::test_x")
    with pytest.raises(ValueError, match="holds the text of 'a guard' 0 times"):
        mutated(Path(ROOT, mutant.file).read_text(), mutant)
