"""What may be wrong with an installation, and what to do about it: each part is looked at, none is changed."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import httpx

from fleetflow.embedded import find_running
from fleetflow.errors import FleetFlowError, StorageUnavailableError
from fleetflow.queue import read_state
from fleetflow.settings import local_url
from fleetflow.storage import condition
from fleetflow.storage.backlog import Backlog, read_backlog
from fleetflow.storage.database import check_schema, connection, create_engine
from fleetflow.storage.heartbeats import SeenWorker, list_workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

    from fleetflow.settings import Settings

OLDEST_POSTGRES = 150_000
CLOCK_OFF_S = 2.0
"""Whether a point lies in the future is judged by the database's clock, so that one should be right."""
DISK_LOW, DISK_FULL = 0.2, 0.05
"""Free share of the disk: a Postgres without space for its log stops and does not start again."""
LATE_S, VERY_LATE_S = 60.0, 300.0
HTTP_TIMEOUT_S = 3.0


class State(StrEnum):
    """FAILED keeps FleetFlow from its work; WARNING will, or keeps something lesser."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: what was found, and what to do unless it is well."""

    part: str
    state: State
    found: str
    advice: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, part by part, as they are made; a part that does not answer is a finding, never an error."""
    url = _database_url(settings)
    if url is None:
        yield Finding("database", State.FAILED, "none is configured and the embedded one does not run",
                      "Start FleetFlow with `make run`, or set FLEETFLOW_DATABASE_URL.")  # fmt: skip
    else:
        yield from _database(url)
        yield _queue(settings, url)
    if settings.database_url is None:
        yield _disk(settings)
    yield _program("API", f"{local_url(settings.api_host, settings.api_port)}/readyz")
    yield _program("dashboard", f"{local_url(settings.dashboard_host, settings.dashboard_port)}/_stcore/health")


def _database_url(settings: Settings) -> str | None:
    return settings.database_url.get_secret_value() if settings.database_url else find_running(settings.data_dir)


def _database(url: str) -> Iterator[Finding]:
    try:
        engine = create_engine(url, application_name="fleetflow-doctor", pool_size=1)
    except FleetFlowError as error:
        yield Finding("database", State.FAILED, str(error), "Correct FLEETFLOW_DATABASE_URL.")
        return
    try:
        with connection(engine) as conn:
            server = condition.read_server(conn)
            yield from _server(server)
            yield from _schema(conn)
    except StorageUnavailableError as error:
        advice = "Is it running, and are host, port, user and password in FLEETFLOW_DATABASE_URL right?"
        yield Finding("database", State.FAILED, str(error), advice)
    finally:
        engine.dispose()


def _server(server: condition.Server) -> Iterator[Finding]:
    old = server.version_num < OLDEST_POSTGRES
    yield Finding("database", State.FAILED if old else State.OK, f"PostgreSQL {server.version} answers",
                  "FleetFlow needs PostgreSQL 15 or newer." if old else "")  # fmt: skip
    if server.off:
        yield Finding("durability", State.FAILED, f"{', '.join(server.off)} switched off",
                      "Switch it on: a trip that was accepted may be lost with the power.")  # fmt: skip
    else:
        yield Finding("durability", State.OK, "what is committed survives a power cut")
    off_s = abs((server.clock - datetime.now(UTC)).total_seconds())
    if off_s > CLOCK_OFF_S:
        yield Finding("clock", State.WARNING, f"the database's differs from this machine's by {off_s:.0f} s",
                      "Let both follow a time server (NTP).")  # fmt: skip
    else:
        yield Finding("clock", State.OK, "the database's and this machine's agree")


def _schema(conn: sa.Connection) -> Iterator[Finding]:
    try:
        check_schema(conn)
    except FleetFlowError as error:
        yield Finding("schema", State.FAILED, str(error))
        return
    yield Finding("schema", State.OK, "of this version")
    yield from _work(read_backlog(conn), list_workers(conn))


def _work(work: Backlog, workers: list[SeenWorker]) -> Iterator[Finding]:
    alive = sum(worker.alive for worker in workers)
    if alive:
        yield Finding("workers", State.OK, f"{alive} at work")
    else:
        state = State.FAILED if work.waiting else State.WARNING
        yield Finding("workers", state, "none has been heard of lately", "Start one: python -m worker")
    oldest_s = work.oldest_s or 0.0
    state = State.FAILED if oldest_s > VERY_LATE_S else State.WARNING if oldest_s > LATE_S else State.OK
    trips = "1 trip" if work.waiting == 1 else f"{work.waiting:,} trips"
    waits = f"{trips}, the oldest for {oldest_s:.0f} s" if work.waiting else "nothing"
    yield Finding("waiting", state, waits, "" if state is State.OK else "Start more workers, and look at their logs.")
    if work.failed:
        yield Finding("failed trips", State.WARNING, f"{work.failed} could not be scored",
                      "The operations page names the reasons and tries again.")  # fmt: skip


def _queue(settings: Settings, url: str) -> Finding:
    try:
        state = read_state(settings, url)
    except FleetFlowError as error:
        return Finding("queue", State.FAILED, str(error))
    if not state.reachable:
        return Finding("queue", State.WARNING, f"{state.backend} does not answer. {state.detail}".strip(),
                       "Trips are taken and scored meanwhile, some seconds later.")  # fmt: skip
    return Finding("queue", State.OK, f"{state.backend} answers, {state.ready or 0} wake-ups wait")


def _disk(settings: Settings) -> Finding:
    try:
        usage = shutil.disk_usage(settings.data_dir.absolute())
    except FileNotFoundError:
        return Finding("disk", State.OK, f"{settings.data_dir} is made with the first start")
    free = usage.free / usage.total
    state = State.FAILED if free < DISK_FULL else State.WARNING if free < DISK_LOW else State.OK
    advice = "" if state is State.OK else "Make room: Postgres stops when it cannot write its log."
    return Finding("disk", state, f"{usage.free / 1e9:.1f} GB ({free:.0%}) free for {settings.data_dir}", advice)


def _program(name: str, url: str) -> Finding:
    try:
        status = httpx.get(url, timeout=HTTP_TIMEOUT_S).status_code
    except httpx.HTTPError:
        return Finding(name, State.WARNING, f"nothing answers at {url}",
                       "Start it, or set its host and port here as they are there.")  # fmt: skip
    if status == httpx.codes.OK:
        return Finding(name, State.OK, f"answers at {url}")
    return Finding(name, State.FAILED, f"answers {status} at {url}", "Open the address: it tells the reason.")
