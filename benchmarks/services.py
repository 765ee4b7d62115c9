"""Real services for one run: Postgres with its durability on, RabbitMQ, and programs as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg

from fleetflow.embedded import EmbeddedPostgres
from fleetflow.storage.migrate import upgrade
from tests.support.ports import free_port
from tests.support.rabbitmq import PrivateBroker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 120.0
POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class Stack:
    """Where trips are stored and how workers are woken; `rabbitmq_url` is None for the wake-up by Postgres."""

    name: str
    database_url: str
    rabbitmq_url: str | None

    def environment(self, prefix: str) -> dict[str, str]:
        """The addresses as variables."""
        urls = {f"{prefix}_DATABASE_URL": self.database_url}
        return {**urls, f"{prefix}_RABBITMQ_URL": self.rabbitmq_url} if self.rabbitmq_url else urls


@contextmanager
def stacks() -> Iterator[list[Stack]]:
    """The default stack and the one for a server, each with a database of its own on one Postgres."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        broker = stack.enter_context(PrivateBroker(folder / "rabbitmq"))
        yield [
            Stack("Postgres", fresh_database(server.url, "bench_postgres"), None),
            Stack("RabbitMQ", fresh_database(server.url, "bench_rabbitmq"), broker.url()),
        ]


def fresh_database(server_url: str, name: str) -> str:
    """A new database of that name with FleetFlow's tables; its URL."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}".encode())
    url = f"{server_url.rpartition('/')[0]}/{name}"
    upgrade(url)
    return url


@contextmanager
def running_api(stack: Stack) -> Iterator[tuple[int, int]]:
    """FleetFlow's API; its port and process id."""
    port = free_port()
    with _running(["ingest_api"], {**stack.environment("FLEETFLOW"), "FLEETFLOW_API_PORT": str(port)}) as process:
        _wait_for(f"http://127.0.0.1:{port}/readyz")
        yield port, process.pid


@contextmanager
def running_worker(stack: Stack) -> Iterator[int]:
    """FleetFlow's worker, listening; its process id."""
    with (
        _running(["worker"], stack.environment("FLEETFLOW")) as process,
        psycopg.connect(stack.database_url) as conn,
    ):
        _wait_until(lambda: _workers(conn) > 0)
        yield process.pid


@contextmanager
def running_dashboard(database_url: str) -> Iterator[str]:
    """FleetFlow's dashboard on that database; its address."""
    port = free_port()
    settings = {"FLEETFLOW_DATABASE_URL": database_url, "FLEETFLOW_DASHBOARD_PORT": str(port)}
    with _running(["dashboard"], settings, stderr=subprocess.DEVNULL):  # Streamlit's lines on every request
        base = f"http://127.0.0.1:{port}"
        _wait_for(f"{base}/_stcore/health")
        yield base


@contextmanager
def running_naive(stack: Stack) -> Iterator[int]:
    """The baseline; its port."""
    port = free_port()
    command = ["uvicorn", "benchmarks.naive:app", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    with _running(command, stack.environment("NAIVE")):
        _wait_for(f"http://127.0.0.1:{port}/openapi.json")
        yield port


def wait_until_scored(stack: Stack, count: int, timeout_s: float = 120.0) -> None:
    """Wait until no stored trip waits any more, then see that so many have a score in all."""
    with psycopg.connect(stack.database_url, autocommit=True) as conn:
        _wait_until(lambda: not _unfinished(conn), timeout_s)
        assert completed(conn) == count


def _unfinished(conn: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Asked often while others work hard, hence by the small indexes of unfinished trips and not by counting scores."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM telemetry.trip_logs WHERE status = 'PENDING' AND attempts = 0)"
        " OR EXISTS (SELECT FROM telemetry.trip_logs WHERE status = 'PENDING' AND attempts > 0)"
        " OR EXISTS (SELECT FROM telemetry.trip_logs WHERE status = 'PROCESSING')"
    ).fetchone()
    return bool(row and row[0])


def completed(conn: psycopg.Connection[tuple[object, ...]]) -> int:
    """How many trips are scored."""
    row = conn.execute("SELECT count(*) FROM telemetry.driver_scores").fetchone()
    return int(str(row[0])) if row else 0


def peak_memory_mb(pid: int) -> float:
    """The most memory a process has held, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("This system does not tell a process's peak memory.")


def _workers(conn: psycopg.Connection[tuple[object, ...]]) -> int:
    row = conn.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'fleetflow-worker'"
        " AND datname = current_database()"
    ).fetchone()
    conn.commit()
    return int(str(row[0])) if row else 0


@contextmanager
def _running(
    module: list[str], environment: Mapping[str, str], stderr: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLEETFLOW_")}
    quiet = {"FLEETFLOW_LOG_LEVEL": "error"}
    process = subprocess.Popen(
        [sys.executable, "-m", *module], cwd=ROOT, env={**inherited, **quiet, **environment}, stderr=stderr
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=12)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str) -> None:
    def answers() -> bool:
        try:
            return httpx.get(url).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    _wait_until(answers)


def _wait_until(condition: object, timeout_s: float = START_TIMEOUT_S) -> None:
    assert callable(condition)
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("A service of the benchmark did not come up, or did not finish, in time.")
        time.sleep(POLL_S)
