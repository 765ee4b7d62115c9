"""Trips that are due at a given rate, however slow the answers: what is held, and what happens at twice that.

Arrivals do not wait for answers (an open loop): a trip for which no connection is free waits in the client, and its
time counts from when it was due.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

import uvloop

from tests.support.ports import HOST
from tests.support.trips import trip_body
from tests.support.wire import request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONNECTIONS = 2_000
CLOSED_LOOP = 48
"""Connections of a run at full speed, where each sends its next trip when the last one is answered."""
VEHICLES = 500
PATIENCE_S = 15.0
"""So long the client waits for the last answers; what has none by then counts as unanswered."""
TICK_S = 0.002
UNANSWERED, HUNG_UP = 0, 1
"""Beside the statuses: no answer at all, and a connection that broke while its answer was awaited."""
REFUSALS = {429, 503}

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
POINTS = [{"speed_kmh": 50 + at % 7, "g_force_long": (at % 11 - 5) / 10} for at in range(60)]
MOMENT = b"2026-01-01T00:00:00Z"
HEADERS_END = b"\r\n\r\n"
LENGTH, RETRY_AFTER, CLOSE = b"content-length: ", b"\r\nretry-after: ", b"\r\nconnection: close"
TRIP_ID = b'"trip_id":"'


@dataclass
class Outcome:
    """What became of a run's trips."""

    offered: int = 0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    rude: int = 0
    """Refusals that do not say when to come back."""
    accepted: list[UUID] = field(default_factory=list)
    taken_s: array[float] = field(default_factory=lambda: array("d"))
    refused_s: array[float] = field(default_factory=lambda: array("d"))

    @property
    def accepted_per_s(self) -> float:
        """Trips answered 202 a second."""
        return self.statuses[202] / self.seconds

    @property
    def all_taken(self) -> bool:
        """Whether every trip was answered 202."""
        return self.statuses[202] == self.offered

    def shares(self) -> str:
        """What part of the trips was answered how."""
        names = {UNANSWERED: "no answer", HUNG_UP: "broken off"}
        parts = sorted(self.statuses.items())
        return ", ".join(f"{names.get(status, status)} {count / self.offered:.1%}" for status, count in parts)

    def times_ms(self) -> str:
        """Median and 99th percentile of the answers: of those that took the trip, and of those that did not."""
        kinds = {"202": self.taken_s, "refusals": self.refused_s}
        return ", ".join(
            f"{name} p50 {1000 * quantile(times, 0.5):.0f} p99 {1000 * quantile(times, 0.99):.0f} ms"
            for name, times in kinds.items()
            if times
        )

    def p99_s(self) -> float:
        """What 99 of 100 answers took at most, of whatever kind."""
        return quantile(self.taken_s + self.refused_s, 0.99)


def quantile(times_s: array[float], share: float) -> float:
    """The time within which this share of the answers came."""
    return sorted(times_s)[min(int(share * len(times_s)), len(times_s) - 1)] if times_s else 0.0


class Trips:
    """Trips of a fleet of its own, each of its vehicle's next minute, no two the same. `key`: an API key, or none."""

    def __init__(self, key: str = "") -> None:
        self._made = 0
        self._who = f"{uuid4()}"[:-4].encode() + b"%04d"
        nobody = (self._who % 0).decode()
        body = trip_body(POINTS, vehicle_id=nobody, driver_id=nobody, timestamp=MOMENT.decode(), sample_hz=1)
        head = {"Connection": "keep-alive", "Authorization": f"Bearer {key}" if key else ""}
        self._head, self._tail = request(body, **head).split(MOMENT)

    def next_request(self) -> bytes:
        """A POST, ready for the wire."""
        round_, vehicle = divmod(self._made, VEHICLES)
        self._made += 1
        moment = f"{BEGAN + timedelta(minutes=round_):%Y-%m-%dT%H:%M:%SZ}".encode()
        nobody, who = self._who % 0, self._who % vehicle
        return b"".join((self._head.replace(nobody, who), moment, self._tail.replace(nobody, who)))


def offer(port: int, trips: Trips, per_s: float | None, seconds: float) -> Outcome:
    """Send at this rate, or (None) as fast as answers come; returns when all are answered or patience is over."""
    (outcome,) = offer_side_by_side(port, [(trips, per_s)], seconds)
    return outcome


def offer_side_by_side(port: int, fleets: Sequence[tuple[Trips, float | None]], seconds: float) -> list[Outcome]:
    """The same of several fleets at once, each at a rate of its own."""

    async def together() -> list[Outcome]:
        return await asyncio.gather(*(_Offer(port, trips, per_s).run(seconds) for trips, per_s in fleets))

    return uvloop.run(together())


class _Offer:
    """One run: what is due, and the connections that take it."""

    def __init__(self, port: int, trips: Trips, per_s: float | None) -> None:
        self._port = port
        self._trips = trips
        self._per_s = per_s
        self._limit = CONNECTIONS if per_s else CLOSED_LOOP
        self._outcome = Outcome()
        self._idle: list[_Connection] = []
        self._open = self._answered = 0
        self._due: deque[float] = deque()

    async def run(self, seconds: float) -> Outcome:
        """Send for so long, then wait for the answers that are still to come."""
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < seconds:
            self._arrive(started, elapsed)
            await self._send_waiting()
            await asyncio.sleep(TICK_S)
        self._outcome.seconds = seconds
        while self._answered < self._outcome.offered and time.monotonic() < started + seconds + PATIENCE_S:
            await self._send_waiting()
            await asyncio.sleep(TICK_S)
        if self._answered < self._outcome.offered:
            self._outcome.statuses[UNANSWERED] = self._outcome.offered - self._answered
        for connection in self._idle:
            connection.close()
        return self._outcome

    def _arrive(self, started: float, elapsed: float) -> None:
        """So many trips are due after so many seconds; at full speed, one for each connection that has none."""
        goal = int(elapsed * self._per_s) if self._per_s else self._answered + self._limit
        while self._outcome.offered < goal:
            self._due.append(started + self._outcome.offered / self._per_s if self._per_s else time.monotonic())
            self._outcome.offered += 1

    async def _send_waiting(self) -> None:
        while self._due:
            connection = self._reusable() or await self._connected()
            if connection is None:
                return
            connection.send(self._due.popleft(), self._trips.next_request())

    def _reusable(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:  # the API ends one that was idle for long
                return connection
        return None

    async def _connected(self) -> _Connection | None:
        if self._open == self._limit:
            return None
        loop = asyncio.get_running_loop()
        self._open += 1
        _, connection = await loop.create_connection(lambda: _Connection(self._free, self._told), HOST, self._port)
        return connection

    def _free(self, connection: _Connection | None) -> None:
        """This one can take the next trip; None: one is gone."""
        if connection:
            self._idle.append(connection)
        else:
            self._open -= 1

    def _told(self, due: float, status: int, answer: bytes) -> None:
        took_s = time.monotonic() - due
        self._answered += 1
        self._outcome.statuses[status] += 1
        if status == 202:
            self._outcome.taken_s.append(took_s)
            at = answer.index(TRIP_ID) + len(TRIP_ID)
            self._outcome.accepted.append(UUID(answer[at : at + 36].decode()))
        else:
            self._outcome.refused_s.append(took_s)
            self._outcome.rude += status in REFUSALS and RETRY_AFTER not in answer.lower()


class _Connection(asyncio.Protocol):
    """One connection, which takes one trip after the other."""

    def __init__(self, free: Callable[[_Connection | None], None], told: Callable[[float, int, bytes], None]) -> None:
        self._free = free
        self._told = told
        self._due: float | None = None
        self._received = b""
        self._transport: asyncio.Transport | None = None

    @property
    def usable(self) -> bool:
        """Whether it can take a trip."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, but no subclass

    def send(self, due: float, request_: bytes) -> None:
        """Send a trip that was due then."""
        assert self._transport
        self._due = due
        self._transport.write(request_)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(HEADERS_END)
        if not end or len(body) < self._length(head):
            return
        self._answer(int(head[9:12]))
        if CLOSE in head.lower():
            self.close()
        else:
            self._free(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._answer(HUNG_UP)
        self._free(None)

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.close()

    def _answer(self, status: int) -> None:
        due, self._due = self._due, None
        received, self._received = self._received, b""
        if due is not None:
            self._told(due, status, received)

    @staticmethod
    def _length(head: bytes) -> int:
        at = head.lower().index(LENGTH) + len(LENGTH)
        return int(head[at:].split(b"\r", 1)[0])
