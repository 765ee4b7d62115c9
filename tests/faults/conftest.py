"""What the fault tests share: programs on a database of the test's own, and questions to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
import sqlalchemy as sa

from fleetflow.storage.database import connection, create_engine
from tests.faults.programs import Programs
from tests.support.ports import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def programs(database_url: str, tmp_path: Path) -> Iterator[Programs]:
    with Programs(database_url, tmp_path) as programs:
        yield programs


@pytest.fixture
def client(programs: Programs) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{programs.port}", timeout=20, verify=PLAIN) as client:
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
