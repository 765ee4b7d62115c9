"""Kill, freeze and restart at random, under load: `python -m tests.faults.chaos [--seconds N] [--seed N]`.

What runs is what `make run` starts, with two workers and a RabbitMQ of its own; the supervisor heals it, nobody else
but the broker's owner. Every trip that was answered 202 is written down and looked up at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx
import psycopg
from rich.console import Console

from fleetflow.embedded import find_running
from fleetflow.safety.detection import find_events
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.scores import score_trip
from fleetflow.trips.clock import with_clock
from fleetflow.trips.columns import unpack
from tests.support.children import children_of
from tests.support.ports import free_port
from tests.support.rabbitmq import PrivateBroker
from tests.support.trips import trip_body
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
SENDERS = 4
FREEZE_S = 3.0
"""Longer than the lease, so that a frozen worker comes back to a claim that is not its own any more."""
PAUSE_S = 0.5, 2.5
HEAL_S = 60.0
POSTERS_TIMEOUT_S = 15.0
SETTINGS = {"WORKERS": 2, "DEMO": "false", "LEASE_S": 2, "SWEEP_S": 1, "STORAGE_TIMEOUT_S": 2, "LOG_LEVEL": "warning"}
PROGRAMS = {"api": "ingest_api", "worker": "worker", "postgres": "postgres"}


say = Console(highlight=False, markup=False, soft_wrap=True).print


@dataclass
class Ledger:
    """What clients were promised, and what they saw."""

    accepted: list[UUID] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, answer: str, took_s: float, trip_id: str | None = None) -> None:
        with self._lock:
            self.answers[answer] += 1
            self.slowest_s = max(self.slowest_s, took_s)
            if trip_id:
                self.accepted.append(UUID(trip_id))


def main(argv: list[str] | None = None) -> int:
    """Run, check, say what was seen; 0 when nothing was lost, doubled or wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to do harm")
    parser.add_argument("--seed", type=int, default=None, help="the same harm in the same order")
    args = parser.parse_args(argv)
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    say(f"Chaos for {args.seconds:g} s, seed {seed}")
    faults = run(args.seconds, seed)
    say("Nothing lost, doubled or wrong." if not faults else "\n".join(faults))
    return bool(faults)


def run(seconds: float, seed: int) -> list[str]:
    """Do harm for so long, let it heal, and return what is wrong, in sentences."""
    ledger, harm = Ledger(), Counter[str]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(PrivateBroker(folder / "rabbitmq"))
        port, supervisor = stack.enter_context(_fleetflow(folder, broker.url()))
        with _senders(port, ledger):
            _do_harm(supervisor.pid, broker, seconds, random.Random(seed), harm)  # noqa: S311 - dice, no secret
        say(f"{sum(harm.values())} faults: {dict(harm)}")
        say(f"answers: {dict(ledger.answers)}, the slowest after {ledger.slowest_s:.1f} s")
        assert supervisor.poll() is None, "the supervisor itself ended"
        with psycopg.connect(_database(folder), autocommit=True) as conn:
            return [*_unhealed(conn), *_lost(conn, ledger), *_doubled(conn), *_wrong(conn)]


@contextmanager
def _fleetflow(folder: Path, rabbitmq_url: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    own = {
        **SETTINGS,
        "RABBITMQ_URL": rabbitmq_url,
        "DATA_DIR": folder / "data",
        "API_PORT": port,
        "DASHBOARD_PORT": free_port(),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLEETFLOW_")}
    environment |= {f"FLEETFLOW_{name}": str(value) for name, value in own.items()}
    with (folder / "fleetflow.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fleetflow", "up"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: process.poll() is not None or _ready(port), HEAL_S, what="FleetFlow")
        yield port, process
    finally:
        process.terminate()
        process.wait(30)


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=1).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def _senders(port: int, ledger: Ledger) -> Iterator[None]:
    """Vehicles that send trip after trip, each until it is accepted."""
    stop = threading.Event()
    threads = [threading.Thread(target=_send, args=(port, ledger, stop)) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(2 * POSTERS_TIMEOUT_S)


def _send(port: int, ledger: Ledger, stop: threading.Event) -> None:
    chance = random.Random(threading.get_ident())  # noqa: S311 - dice, no secret
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=POSTERS_TIMEOUT_S) as client:
        while not stop.is_set():
            g = [round(chance.uniform(-0.7, 0.7), 2) for _ in range(chance.randrange(2, 40))]
            body = trip_body([{"speed_kmh": 50, "g_force_long": each} for each in g])
            headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
            while not _accepted(client, body, headers, ledger) and not stop.wait(0.2):
                pass


def _accepted(client: httpx.Client, body: bytes, headers: dict[str, str], ledger: Ledger) -> bool:
    started = time.monotonic()
    try:
        answer = client.post("/api/v1/telemetry", content=body, headers=headers)
    except httpx.HTTPError as error:
        ledger.note(type(error).__name__, time.monotonic() - started)
        return False
    accepted = answer.status_code == httpx.codes.ACCEPTED
    ledger.note(str(answer.status_code), time.monotonic() - started, answer.json()["trip_id"] if accepted else None)
    return accepted


def _do_harm(supervisor: int, broker: PrivateBroker, seconds: float, chance: random.Random, harm: Counter[str]) -> None:
    deeds: dict[str, Callable[[], object]] = {
        "worker killed": lambda: _signal(supervisor, "worker", chance, signal.SIGKILL),
        "worker frozen": lambda: _freeze(supervisor, "worker", chance),
        "api killed": lambda: _signal(supervisor, "api", chance, signal.SIGKILL),
        "api frozen": lambda: _freeze(supervisor, "api", chance),
        "postgres killed": lambda: _signal(supervisor, "postgres", chance, signal.SIGKILL),
        "broker restarted": lambda: _restart(broker),
        "broker frozen": lambda: _freeze_broker(broker),
    }  # fmt: skip
    weights = {"worker killed": 4, "worker frozen": 2, "api killed": 3}
    names = list(deeds)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        name = chance.choices(names, [weights.get(each, 1) for each in names])[0]
        deeds[name]()
        harm[name] += 1
        time.sleep(chance.uniform(*PAUSE_S))


def _signal(supervisor: int, program: str, chance: random.Random, number: signal.Signals) -> int | None:
    """Send a signal to one process of the program; None while there is none (it is being started again)."""
    pids = sorted(pid for pid in children_of(supervisor) if _is(pid, program))
    if not pids:
        return None
    pid = chance.choice(pids)
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return None
    return pid


def _is(pid: int, program: str) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    if program == "postgres":
        return arguments[0].endswith(b"/postgres") and b"-D" in arguments
    return arguments[1:3] == [b"-m", PROGRAMS[program].encode()]


def _freeze(supervisor: int, program: str, chance: random.Random) -> None:
    pid = _signal(supervisor, program, chance, signal.SIGSTOP)
    time.sleep(FREEZE_S)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _restart(broker: PrivateBroker) -> None:
    broker.kill()
    broker.start()


def _freeze_broker(broker: PrivateBroker) -> None:
    broker.freeze()
    time.sleep(FREEZE_S)
    broker.thaw()


def _database(folder: Path) -> str:
    url = wait_until(lambda: find_running(folder / "data"), HEAL_S, what="Postgres")
    assert url
    return url


def _unhealed(conn: psycopg.Connection) -> Iterator[str]:
    unfinished = "SELECT status, count(*) FROM telemetry.trip_logs WHERE status <> 'COMPLETED' GROUP BY status"
    started = time.monotonic()
    try:
        wait_until(lambda: not conn.execute(unfinished).fetchall(), HEAL_S, what="the end of the backlog")
    except AssertionError:
        yield f"Not completed after {HEAL_S:g} s: {dict(conn.execute(unfinished).fetchall())}"
    say(f"healed after {time.monotonic() - started:.1f} s")


def _lost(conn: psycopg.Connection, ledger: Ledger) -> Iterator[str]:
    stored = {row[0] for row in conn.execute("SELECT id FROM telemetry.trip_logs")}
    lost = set(ledger.accepted) - stored
    say(f"{len(ledger.accepted)} trips accepted, {len(stored)} stored")
    if lost:
        yield f"{len(lost)} accepted trips are not there: {sorted(map(str, lost))[:3]} ..."
    if len(set(ledger.accepted)) != len(ledger.accepted):
        yield "Two different trips were given the same id."


def _doubled(conn: psycopg.Connection) -> Iterator[str]:
    queries = (
        "SELECT count(*) FROM telemetry.trip_logs",
        "SELECT count(*) FROM telemetry.driver_scores",
        "SELECT count(DISTINCT trip_id) FROM telemetry.driver_scores",
        "SELECT count(DISTINCT content_hash) FROM telemetry.trip_logs",
    )
    trips, scores, scored, contents = (_number(conn, query) for query in queries)
    if not trips == scores == scored:
        yield f"{trips} trips have {scores} scores, of {scored} different trips."
    if contents != trips:
        yield f"{trips - contents} trips are stored twice."


def _number(conn: psycopg.Connection, query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def _wrong(conn: psycopg.Connection) -> Iterator[str]:
    rows = conn.execute(
        "SELECT t.id, t.telemetry_blob::text, t.sample_hz, s.safety_score, s.points,"
        " (SELECT count(*) FROM telemetry.harsh_events e WHERE e.trip_id = t.id)"
        " FROM telemetry.trip_logs t JOIN telemetry.driver_scores s ON s.trip_id = t.id ORDER BY t.id"
    ).fetchall()
    found = find_events([with_clock(unpack(row[1]), row[2]) for row in rows])
    for row, events in zip(rows, found, strict=True):
        score = score_trip(events, DEFAULT_PROFILE)
        if (score.safety_score, score.points, len(events)) != (row[3], row[4], row[5]):
            yield f"Trip {row[0]} has score {row[3]}, {row[5]} events; anew {score.safety_score}, {len(events)}."


if __name__ == "__main__":
    sys.exit(main())
