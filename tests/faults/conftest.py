"""Programs as processes of their own, that tests may kill."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import sqlalchemy as sa

from fleetflow.storage.database import connection, create_engine
from tests.support.ports import free_port
from tests.support.programs import is_ready
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"LEASE_S": 1, "SWEEP_S": 0.3, "STORAGE_TIMEOUT_S": 2, "LOG_LEVEL": "info"}


class Programs:
    """Starts programs with short times on one database and queue; kills what is left at the end."""

    def __init__(self, database_url: str, folder: Path, **settings: Any) -> None:
        self.port = free_port()
        self._folder = folder
        self._settings = {**QUICK, "DATABASE_URL": database_url, "API_PORT": self.port, **settings}
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, *module: str, **settings: Any) -> subprocess.Popen[bytes]:
        """`python -m module ...`; its log goes to a file that `log` reads."""
        merged = {**self._settings, **settings}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FLEETFLOW_")}
        environment |= {f"FLEETFLOW_{name}": str(value) for name, value in merged.items()}
        with (self._folder / f"{len(self._started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *module], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        self._started.append(process)
        return process

    def start_api(self, *module: str) -> subprocess.Popen[bytes]:
        """The API, ready to take trips."""
        process = self.start(*(module or ("ingest_api",)))
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}") as client:
            wait_until(lambda: process.poll() is not None or is_ready(client), 20, what="the API")
        assert process.poll() is None, self.log(process)
        return process

    def log(self, process: subprocess.Popen[bytes]) -> str:
        """What the program wrote so far."""
        return (self._folder / f"{self._started.index(process)}.log").read_text()

    def close(self) -> None:
        """Kill what runs."""
        for process in self._started:
            process.kill()
            process.wait()


@pytest.fixture
def programs(database_url: str, tmp_path: Path) -> Iterator[Programs]:
    programs = Programs(database_url, tmp_path)
    yield programs
    programs.close()


@pytest.fixture
def client(programs: Programs) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{programs.port}", timeout=20) as client:
        yield client


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = create_engine(database_url, application_name="tests")
    yield engine
    engine.dispose()


def rows(engine: sa.Engine, query: str) -> list[Any]:
    with connection(engine) as conn:
        return [tuple(row) for row in conn.execute(sa.text(query))]


def states(engine: sa.Engine) -> dict[str, int]:
    """How many trips are in each state."""
    return dict(rows(engine, "SELECT status, count(*) FROM telemetry.trip_logs GROUP BY status"))


def assert_all_scored_once(engine: sa.Engine, trips: int) -> None:
    """Every trip ends COMPLETED with one score and the events of one analysis."""
    wait_until(lambda: states(engine) == {"COMPLETED": trips}, 40, what=f"{trips} completed trips")
    assert rows(engine, "SELECT count(*), count(DISTINCT trip_id) FROM telemetry.driver_scores") == [(trips, trips)]
    repeated = "SELECT trip_id FROM telemetry.harsh_events GROUP BY trip_id, kind, peak_s HAVING count(*) > 1"
    assert rows(engine, repeated) == []
