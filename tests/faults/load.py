"""Trips at a given rate, however slow the answers: what is held, and what happens at twice that."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from tests.faults.senders import p99
from tests.support.ports import HOST
from tests.support.trips import trip_body
from tests.support.wire import request

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 48
POINTS = [{"speed_kmh": 50 + at % 7, "g_force_long": (at % 11 - 5) / 10} for at in range(60)]
PLACE = "00000000-0000-4000-8000-000000000000"
TEMPLATE = request(trip_body(POINTS, vehicle_id=PLACE, sample_hz=1), Connection="keep-alive")
REFUSED_WITHOUT_TIME = 1
"""Beside the statuses: a 503 or 429 that does not say when to come back."""


@dataclass
class Outcome:
    """What became of a run's requests. Times count from when a request was due, not from when it could be sent."""

    offered: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    times_s: list[float] = field(default_factory=list)

    @property
    def accepted_per_s(self) -> float:
        """Trips answered 202 a second."""
        return self.statuses[202] / self.seconds

    @property
    def p99_s(self) -> float:
        """What 99 of 100 answers took at most."""
        return p99(self.times_s)


def offer(port: int, per_s: float | None, seconds: float) -> Outcome:
    """Send trips of 60 points at this rate, or as fast as they are answered; all have been answered when it returns."""
    return asyncio.run(_offer(port, per_s, seconds))


async def _offer(port: int, per_s: float | None, seconds: float) -> Outcome:
    outcome = Outcome()
    due = _due(per_s, seconds)
    started = time.monotonic()
    await asyncio.gather(*(_connection(port, due, started, outcome) for _ in range(CONNECTIONS)))
    outcome.seconds = time.monotonic() - started
    return outcome


def _due(per_s: float | None, seconds: float) -> Iterator[float | None]:
    """When each request is due, from the start; None for at once."""
    started = time.monotonic()
    at = 0.0
    while (at if per_s else time.monotonic() - started) < seconds:
        yield at if per_s else None
        at += 1 / per_s if per_s else 0.0


async def _connection(port: int, due: Iterator[float | None], started: float, outcome: Outcome) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    for at in due:
        began = time.monotonic() if at is None else started + at
        if began > time.monotonic():
            await asyncio.sleep(began - time.monotonic())
        writer.write(TEMPLATE.replace(PLACE.encode(), str(uuid4()).encode()))
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        await reader.readexactly(int(fields[b"content-length"]))
        status = int(head[9:12])
        outcome.offered += 1
        outcome.statuses[status] += 1
        outcome.statuses[REFUSED_WITHOUT_TIME] += status in {429, 503} and b"retry-after" not in fields
        outcome.times_s.append(time.monotonic() - began)
        if fields.get(b"connection") == b"close":
            writer.close()
            reader, writer = await asyncio.open_connection(HOST, port)
    writer.close()
