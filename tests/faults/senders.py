"""Vehicles that send trip after trip, each until it is accepted; and a ledger of what they were promised."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import httpx

from tests.faults.programs import ROOT
from tests.support.ports import PLAIN
from tests.support.trips import trip_body

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 15.0
RETRY_S = 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, or the name of the error that came instead; when, on the monotonic clock, and after how long."""

    said: str
    at: float
    took_s: float


@dataclass
class Ledger:
    """What clients were promised, and what they saw."""

    accepted: list[UUID] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, said: str, took_s: float, trip_id: str | None = None) -> None:
        with self._lock:
            self.answers.append(Answer(said, time.monotonic(), took_s))
            if trip_id:
                self.accepted.append(UUID(trip_id))

    def said(self, since: float = 0.0) -> Counter[str]:
        """How often each answer was given."""
        return Counter(each.said for each in self.answers if each.at >= since)

    def p99_s(self, since: float = 0.0) -> float:
        """What 99 of 100 answers took at most."""
        return p99([each.took_s for each in self.answers if each.at >= since])


def p99(times_s: list[float]) -> float:
    """The 99th percentile, the largest where there are fewer than a hundred."""
    return sorted(times_s)[max(int(len(times_s) * 0.99) - 1, 0) if len(times_s) >= 100 else -1]


@contextmanager
def sending(port: int, ledger: Ledger, *, senders: int = 4, pause_s: float = 0.0) -> Iterator[None]:
    """Have so many vehicles send while the block runs."""
    stop = threading.Event()
    threads = [threading.Thread(target=_send, args=(port, ledger, stop, pause_s)) for _ in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(2 * TIMEOUT_S)


@contextmanager
def probing(port: int, times_s: list[float]) -> Iterator[None]:
    """Ask whether the API is alive while the block runs, and keep how long each answer took."""
    command = [sys.executable, "-m", "tests.faults.alive", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield
        finally:
            told, _ = process.communicate("", timeout=TIMEOUT_S)
    assert process.returncode == 0
    times_s.extend(map(float, told.split()))


def _send(port: int, ledger: Ledger, stop: threading.Event, pause_s: float) -> None:
    chance = random.Random(threading.get_ident())  # noqa: S311 - dice, no secret
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=TIMEOUT_S, verify=PLAIN) as client:
        while not stop.wait(pause_s):
            g = [round(chance.uniform(-0.7, 0.7), 2) for _ in range(chance.randrange(2, 40))]
            body = trip_body([{"speed_kmh": 50, "g_force_long": each} for each in g])
            headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
            while not _accepted(client, body, headers, ledger) and not stop.wait(RETRY_S):
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
