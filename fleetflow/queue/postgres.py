"""Being woken through Postgres LISTEN/NOTIFY: nothing is kept for listeners that are away, the sweep is their net."""

from __future__ import annotations

import socket
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fleetflow.errors import QueueUnavailableError
from fleetflow.queue.backoff import Backoff
from fleetflow.queue.interface import QUEUE_NAME, Delivery, Fate, QueueState
from fleetflow.queue.messages import read_message
from fleetflow.queue.wire import InterruptedWaitError, Wire, libpq_conninfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

CHANNEL = QUEUE_NAME
NOTIFY = f"SELECT pg_notify('{CHANNEL}', id) FROM unnest($1::text[]) AS id"  # noqa: S608  # both are constants
LISTEN = f"LISTEN {CHANNEL}"
PROBE = "SELECT 1"
PROBE_AFTER_S = 10.0
"""A listener that heard nothing for so long asks whether the server is still there."""


class _Link:
    """The owner's current connection, and a new one when it was lost, though not too often."""

    def __init__(self, info: str, *, timeout_s: float, interrupter: int | None = None) -> None:
        self._info = info
        self._timeout_s = timeout_s
        self._interrupter = interrupter
        self._backoff = Backoff()
        self._last_error = QueueUnavailableError("Postgres was not tried yet.")
        self._wire: Wire | None = None
        self._since = 0.0

    @property
    def current(self) -> Wire | None:
        """The connection, if there is one."""
        return None if self._wire is None or self._wire.closed else self._wire

    @contextmanager
    def wire(self) -> Iterator[Wire]:
        """The connection, made anew when there is none; let go when what is done with it fails.

        Raises the last failure while it is too early to try again.
        """
        wire = self.current or self._open()
        try:
            yield wire
        except QueueUnavailableError as error:
            self._last_error = error
            self._backoff.ended(time.monotonic() - self._since)
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _open(self) -> Wire:
        if self._backoff.waiting:
            raise self._last_error.with_traceback(None)
        try:
            self._wire = Wire(self._info, timeout_s=self._timeout_s, interrupter=self._interrupter)
        except QueueUnavailableError as error:
            self._last_error = error
            self._backoff.failed()
            raise
        self._since = time.monotonic()
        return self._wire


class PostgresPublisher:
    """Notifies whoever listens; one statement for any number of trips."""

    def __init__(self, database_url: str, *, queue_length: int, timeout_s: float) -> None:
        self._link = _Link(libpq_conninfo(database_url, "fleetflow-publisher"), timeout_s=timeout_s)
        self._queue_length = queue_length
        self._timeout_s = timeout_s

    def publish(self, trip_ids: Sequence[UUID]) -> int:
        """See `Publisher.publish`. Takes `queue_length` trips at most, for a listener keeps no more."""
        deadline = time.monotonic() + self._timeout_s
        announced = trip_ids[: self._queue_length]
        was_idle = self._link.current is not None
        try:
            return self._notify(announced, deadline)
        except QueueUnavailableError:
            if not was_idle or time.monotonic() >= deadline:
                raise
        return self._notify(announced, deadline)  # lost while idle, as after a restart: worth a fresh connection

    def close(self) -> None:
        """See `Publisher.close`."""
        self._link.close()

    def _notify(self, trip_ids: Sequence[UUID], deadline: float) -> int:
        with self._link.wire() as wire:
            timeout_s = max(deadline - time.monotonic(), 0.0)
            if trip_ids:
                wire.execute(NOTIFY, [f"{{{','.join(map(str, trip_ids))}}}"], timeout_s=timeout_s)
            else:
                wire.execute(PROBE, timeout_s=timeout_s)
        return len(trip_ids)


class PostgresConsumer:
    """Listens. Keeps the latest `queue_length` wake-ups that nobody has asked for yet."""

    def __init__(self, database_url: str, *, queue_length: int, timeout_s: float) -> None:
        info = libpq_conninfo(database_url, "fleetflow-listener")
        # Sockets, not a pipe: a late `interrupt` must not write to a descriptor that is somebody else's by then.
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._link = _Link(info, timeout_s=timeout_s, interrupter=self._ear.fileno())
        self._timeout_s = timeout_s
        self._heard: deque[Delivery] = deque(maxlen=queue_length)
        self._last_sign = 0.0

    def receive(self, limit: int, timeout_s: float) -> list[Delivery]:
        """See `Consumer.receive`. Returns at once after connecting: what came before is only in the database."""
        try:
            self._hear(timeout_s)
        except InterruptedWaitError:
            self._silence()
        return [self._heard.popleft() for _ in range(min(limit, len(self._heard)))]

    def settle(self, deliveries: Sequence[Delivery], fate: Fate) -> None:
        """Nothing to do: a notification is gone once it was heard."""

    def interrupt(self) -> None:
        """See `Consumer.interrupt`. When nobody waits, the next `receive` returns at once."""
        try:
            self._bell.send(b"\0")
        except OSError:
            return  # it rings already, or was closed

    def close(self) -> None:
        """See `Consumer.close`."""
        self._link.close()
        self._bell.close()
        self._ear.close()

    def _hear(self, timeout_s: float) -> None:
        is_new = self._link.current is None
        with self._link.wire() as wire:
            if is_new:
                wire.execute(LISTEN, timeout_s=self._timeout_s)
                self._last_sign = time.monotonic()
                return
            self._collect(wire)
            if not self._heard:
                self._probe(wire)
                wire.wait(timeout_s)
                self._collect(wire)

    def _collect(self, wire: Wire) -> None:
        for payload in wire.notifications():
            self._last_sign = time.monotonic()
            trip_id = read_message(payload)
            if trip_id is not None:
                self._heard.append(Delivery(trip_id))

    def _probe(self, wire: Wire) -> None:
        """A server that was frozen or cut off sends nothing, and closes nothing either."""
        if time.monotonic() - self._last_sign < PROBE_AFTER_S:
            return
        wire.execute(PROBE, timeout_s=self._timeout_s)
        self._last_sign = time.monotonic()

    def _silence(self) -> None:
        while True:
            try:
                self._ear.recv(512)
            except BlockingIOError:
                return


def read_postgres_state(database_url: str, *, timeout_s: float) -> QueueState:
    """Whether Postgres would take wake-ups, within `timeout_s`; never raises for a server that is down."""
    try:
        wire = Wire(libpq_conninfo(database_url, "fleetflow-state"), timeout_s=timeout_s)
    except QueueUnavailableError as error:
        return QueueState("postgres", reachable=False, detail=str(error))
    wire.close()
    return QueueState("postgres", reachable=True, detail="Wake-ups are not kept: workers sweep for what they missed.")
