"""The Makefile and the set-up scripts, as far as they can be judged without installing anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.spreading import LONGEST_FIRST, TOGETHER

ROOT = Path(__file__).parents[2]
COMMANDS = (
    "run",
    "test",
    "faults",
    "mutants",
    "chaos",
    "acceptance",
    "lint",
    "fmt",
    "bench",
    "pictures",
    "lock",
    "clean",
)


def run(*command: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    # A make that runs the tests would tell the make under test that it is its child.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")} | changes
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_bare_make_lists_every_command_in_one_line_each():
    listing = run("make")
    assert listing.stderr == ""
    assert re.findall(r"^make (\S+) +\S.*\.$", listing.stdout, re.MULTILINE) == list(COMMANDS)
    assert len(listing.stdout.splitlines()) == len(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_listed_command_has_a_recipe(command):
    assert run("make", "--dry-run", command).stdout.strip()


def test_what_starts_is_what_the_documentation_says():
    assert run("make", "--dry-run", "run").stdout.splitlines() == ["scripts/setup", ".venv/bin/python -m fleetflow up"]


def test_the_long_tests_that_make_test_leaves_out_are_run_by_make_faults():
    assert "not long" in (ROOT / "scripts" / "test").read_text()
    assert '-m "faults or long"' in run("make", "--dry-run", "faults").stdout


@pytest.mark.parametrize("script", ["scripts/setup", "scripts/uv", "scripts/install-services", "scripts/test"])
def test_the_scripts_are_posix_shell_and_executable(script):
    path = ROOT / script
    assert path.read_text().startswith("#!/bin/sh\n")
    assert os.access(path, os.X_OK)
    assert run("sh", "-n", path).returncode == 0


@pytest.mark.parametrize(("mypy", "tests"), [(0, 0), (1, 0), (0, 5), (2, 1)])
def test_the_tests_fail_when_the_types_or_the_tests_do_and_both_are_shown(tmp_path, mypy, tests):
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "$@"\n[ "$2" = mypy ] && exit {mypy}\nexit {tests}\n')
    python.chmod(0o755)
    script = tmp_path / "scripts" / "test"
    script.parent.mkdir()
    shutil.copy(ROOT / "scripts" / "test", script)
    answer = run(script, "-k", "one or two")
    assert (answer.returncode == 0) == (mypy == tests == 0)
    pytest_line, mypy_line = answer.stdout.splitlines()
    assert re.fullmatch(r"-m pytest -k one or two", pytest_line)
    assert mypy_line == "-m mypy"


def test_what_is_said_of_how_tests_are_spread_is_true_of_the_files_there_are():
    assert [each for each in LONGEST_FIRST if not (ROOT / each).exists()] == []
    integration = (ROOT / "tests" / "integration").glob("test_*.py")
    needing = {str(each.relative_to(ROOT)) for each in integration if "pytest.mark.rabbitmq" in each.read_text()}
    assert needing == set(TOGETHER["rabbitmq"])


def test_requirements_are_pinned_by_hash_and_name_no_registry():
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "index-url" not in text
        pinned = re.findall(r"^[a-z0-9][a-z0-9._-]*(?:\[[a-z,]+\])?==", text, re.MULTILINE | re.IGNORECASE)
        assert len(pinned) == len(re.findall(r"^\S", text, re.MULTILINE)) > 10
        assert text.count("--hash=sha256:") >= len(pinned)


def test_the_development_requirements_contain_the_runtime_ones_at_the_same_versions():
    runtime, development = (
        set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-dev.txt")
    )
    assert runtime < development


def test_a_machine_without_a_new_python_is_told_so_in_one_line(tmp_path):
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    answer = run(ROOT / "scripts" / "uv", "--version", PATH=f"{tmp_path}:/usr/bin:/bin", PYTHON="")
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        "setup: Python 3.11 or newer is missing; install it, or set PYTHON to where it is."
    ]


def test_an_ordinary_user_is_told_what_the_tests_need(tmp_path):
    for name in ("id", "uname", "find", "head"):
        (tmp_path / name).write_text('#!/bin/sh\n[ "$0" = "${0%/id}" ] || echo 1000\n')
        (tmp_path / name).chmod(0o755)
    if Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists():
        expected = "The tests need: chromium."
    else:
        expected = "The tests need: rabbitmq-server chromium."
    answer = run("/bin/sh", ROOT / "scripts" / "install-services", PATH=str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr.startswith(expected)
    assert len(answer.stderr.splitlines()) == 1
