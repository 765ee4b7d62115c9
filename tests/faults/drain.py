"""How fast a backlog goes through the queue, beside what a worker could do at most: `make acceptance ARGS="drain"`.

The API stores the trips. Each round works on two copies of that database: over one a worker drains what waits, woken
by RabbitMQ; over the other a process does nothing but a worker's work (`tests.faults.bare`). Both rates are by the
database's clock, from the end of the first batch to that of the last, so that neither program's start counts. The
best round of each is compared: what else the machine does makes rounds slower, never faster.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import httpx
import psycopg

from fleetflow.embedded import EmbeddedPostgres
from fleetflow.queue import open_publisher
from fleetflow.storage.migrate import upgrade
from tests.faults.figures import Figure
from tests.faults.load import BEGAN, POINTS, VEHICLES
from tests.faults.overload import unscored
from tests.faults.programs import ROOT, Programs
from tests.faults.site import AS_SHIPPED
from tests.support.ports import PLAIN
from tests.support.postgres import temporary_database, url_of
from tests.support.queues import make_settings
from tests.support.rabbitmq import PrivateBroker
from tests.support.trips import trip_body
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TRIPS, PORTION = 10_000, 250
ROUNDS = 3
SHARE = 0.9
PATIENCE_S = 240.0
LOOK_S = 1.0
"""Looking costs the database time, and only a worker is looked after."""
WHO = "00000000-0000-4000-8000-00000000%04d"
IDS: LiteralString = "SELECT id FROM telemetry.trip_logs ORDER BY id"
RATE: LiteralString = """
SELECT count(*) / extract(epoch FROM max(completed_at) - min(completed_at))::float8, count(*),
       (SELECT count(*) FROM telemetry.driver_scores)
FROM telemetry.trip_logs WHERE status = 'COMPLETED'
"""


@dataclass(frozen=True, slots=True)
class Backlog:
    """Trips that wait in a database nobody works on, and where their wake-ups go."""

    admin: psycopg.Connection[Any]
    server_url: str
    stored_in: str
    rabbitmq_url: str
    folder: Path

    def drained_per_s(self) -> float:
        """By a worker that is woken, on a copy."""
        with temporary_database(self.admin, template=self.stored_in) as copy:
            url = url_of(self.server_url, copy)
            self._announce(url)
            with Programs(url, self.folder, RABBITMQ_URL=self.rabbitmq_url, **AS_SHIPPED) as programs:
                programs.start("worker")
                with psycopg.connect(url, autocommit=True) as conn:
                    wait_until(lambda: unscored(conn) == 0, PATIENCE_S, what="the end of the backlog", pause_s=LOOK_S)
            return _rate(url)

    def possible_per_s(self) -> float:
        """By the work alone, on another copy."""
        with temporary_database(self.admin, template=self.stored_in) as copy:
            url = url_of(self.server_url, copy)
            subprocess.run([sys.executable, "-m", "tests.faults.bare", url], cwd=ROOT, check=True, timeout=PATIENCE_S)
            return _rate(url)

    def _announce(self, url: str) -> None:
        """Fill the queue; it refuses what is beyond its bound."""
        with psycopg.connect(url) as conn:
            ids = [trip_id for (trip_id,) in conn.execute(IDS)]
        publisher = open_publisher(make_settings(rabbitmq_url=self.rabbitmq_url, queue_timeout_s=PATIENCE_S), url)
        publisher.publish(ids)
        publisher.close()


def figures(_: float) -> Iterator[Figure]:
    """Both rates, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        drained, possible = zip(*_rounds(Path(folder)), strict=True)
    share = max(drained) / max(possible)
    text = f"{share:.0%}; {_told(drained)} trips/s drained, {_told(possible)} by the work alone"
    name = f"{TRIPS:,} waiting trips are drained at {SHARE:.0%} of the pace of a worker's work alone"
    yield Figure(name, text, share >= SHARE)


def _rounds(folder: Path) -> Iterator[tuple[float, float]]:
    """Trips a second, drained by a worker and by its work alone."""
    with (
        EmbeddedPostgres(folder / "postgres") as server,
        PrivateBroker(folder / "rabbitmq") as broker,
        psycopg.connect(server.url, autocommit=True) as admin,
        temporary_database(admin) as stored_in,
    ):
        url = url_of(server.url, stored_in)
        upgrade(url)
        with Programs(url, folder, RABBITMQ_URL=broker.url(), **AS_SHIPPED) as programs:
            programs.start_api()
            _post(programs.port)
        backlog = Backlog(admin, server.url, stored_in, broker.url(), folder)
        for _ in range(ROUNDS):
            yield backlog.drained_per_s(), backlog.possible_per_s()


def _post(port: int) -> None:
    bodies = [
        trip_body(
            POINTS,
            vehicle_id=WHO % (at % VEHICLES),
            driver_id=WHO % (at % VEHICLES),
            timestamp=(BEGAN + timedelta(minutes=at // VEHICLES)).isoformat(),
            sample_hz=1,
        )
        for at in range(TRIPS)
    ]
    headers = {"Content-Type": "application/x-ndjson"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S, verify=PLAIN) as client:
        for at in range(0, TRIPS, PORTION):
            lines = b"\n".join(bodies[at : at + PORTION])
            client.post("/api/v1/telemetry/batch", content=lines, headers=headers).raise_for_status()


def _rate(url: str) -> float:
    with psycopg.connect(url) as conn:
        ((per_s, completed, scores),) = conn.execute(RATE)
    assert completed == scores == TRIPS, f"{completed} completed, {scores} scores"
    return float(per_s)


def _told(rates: Sequence[float]) -> str:
    return " ".join(f"{each:.0f}" for each in rates)
