"""The real API and the real worker, on free loopback ports, inside the test's process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

from fleetflow.queue import open_consumer
from fleetflow.settings import Settings
from fleetflow.storage.database import create_engine
from ingest_api.app import create_app
from ingest_api.server import server_config
from tests.support.ports import PLAIN, free_port
from tests.support.waiting import wait_until
from worker.loop import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID


def make_settings(**changes: Any) -> Settings:
    """Settings that no file or variable of the machine disturbs, with short times."""
    quick = {"sweep_s": 0.5, "lease_s": 2.0, "storage_timeout_s": 2.0, "body_timeout_s": 1.0}
    return Settings(_env_file=None, **{**quick, **changes})


@contextmanager
def running_api(settings: Settings, database_url: str) -> Iterator[httpx.Client]:
    """A client of an API that serves while the block runs."""
    server = uvicorn.Server(server_config(create_app(settings, database_url), "127.0.0.1", 0))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, what="the API")
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, verify=PLAIN) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=15)


@contextmanager
def api_processes(settings: Settings, database_url: str, count: int) -> Iterator[list[httpx.Client]]:
    """Clients of so many APIs, each a process of its own, while the block runs."""
    ports = [free_port() for _ in range(count)]
    each = [settings.with_database(database_url).model_copy(update={"api_port": port}) for port in ports]
    command = [sys.executable, "-m", "ingest_api"]
    children = [
        subprocess.Popen(command, env={**os.environ, **one.as_environment()}, stdout=subprocess.DEVNULL) for one in each
    ]
    clients = [httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, verify=PLAIN) for port in ports]
    try:
        for client in clients:
            wait_until(partial(is_ready, client), 30, what="an API")
        yield clients
    finally:
        for child in children:
            child.kill()
            child.wait()
        for client in clients:
            client.close()


def is_ready(client: httpx.Client) -> bool:
    """Whether an API takes trips."""
    try:
        return client.get("/readyz").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@contextmanager
def running_worker(settings: Settings, database_url: str) -> Iterator[Worker]:
    """A worker that works while the block runs."""
    engine = create_engine(database_url, application_name="tests-worker", pool_size=2)
    worker = Worker(settings, engine, open_consumer(settings, database_url))
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(timeout=15)
        engine.dispose()


def wait_for_score(client: httpx.Client, trip_id: str | UUID, timeout_s: float = 10.0) -> dict[str, Any]:
    """The trip's score, as soon as it is there."""

    def score() -> dict[str, Any] | None:
        answer = client.get(f"/api/v1/trip/{trip_id}/score")
        assert answer.status_code in {200, 202}, answer.text
        return answer.json() if answer.status_code == 200 else None

    found = wait_until(score, timeout_s, what=f"the score of trip {trip_id}")
    assert found
    return found
