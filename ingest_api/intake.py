"""Storing trips: requests that wait at the same moment share one statement and one commit.

A trip's request is answered after the commit that holds it, or with StorageUnavailableError within the deadline;
what was answered that way may have been stored all the same, and sending it again finds it by its content.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from fleetflow.errors import StorageUnavailableError
from fleetflow.storage.database import sever, translated_errors
from fleetflow.storage.trips import NewTrip, Outcome, Stored, insert_trips

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    import sqlalchemy as sa

WRITERS = 2
"""While one waits for its commit the other fills the next statement; a third found nothing left to do."""
BATCH_TRIPS = 256
BATCH_BYTES = 8_000_000
QUICK_FAILURE_S = 1.0
"""A failure slower than this is the server's, not that of a connection that died while idle."""

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Waiting:
    trip: NewTrip
    answer: asyncio.Future[Stored]


class Intake:
    """Owned by one event loop; its writer threads each hold a database connection while they write."""

    def __init__(
        self,
        engine: sa.Engine,
        announce: Callable[[UUID], None],
        *,
        timeout_s: float,
        on_commit: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._announce = announce
        self._timeout_s = timeout_s
        self._on_commit = on_commit
        self._waiting: deque[_Waiting] = deque()
        self._arrived = threading.Condition()
        self._closing = False
        self._writers = [_Writer(self) for _ in range(WRITERS)]

    def start(self) -> None:
        """Start the writers."""
        for writer in self._writers:
            writer.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Let the writers finish what waits, and stop them."""
        with self._arrived:
            self._closing = True
            self._arrived.notify_all()
        for writer in self._writers:
            writer.join(timeout_s)

    async def store(self, trip: NewTrip) -> Stored:
        """Store one trip. Raises StorageUnavailableError when Postgres has not committed it in time."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(trip, loop.create_future())
        with self._arrived:
            self._waiting.append(waiting)
            self._arrived.notify()
        timer = loop.call_later(self._timeout_s, self._time_out, waiting)
        try:
            return await waiting.answer
        finally:
            timer.cancel()

    async def store_all(self, trips: Sequence[NewTrip]) -> list[Stored]:
        """Store several trips; when one of them cannot be stored in time, that error is raised."""
        return list(await asyncio.gather(*(self.store(trip) for trip in trips)))

    def _time_out(self, waiting: _Waiting) -> None:
        if not waiting.answer.done():
            waiting.answer.set_exception(StorageUnavailableError("The database did not answer in time."))
        for writer in self._writers:
            writer.cut_if_stuck(self._timeout_s)

    def take(self) -> list[_Waiting]:
        """What waits now, at most one statement's worth; blocks while nothing does, empty when closing."""
        with self._arrived:
            while not self._waiting and not self._closing:
                self._arrived.wait()
            batch: list[_Waiting] = []
            size = 0
            while self._waiting and len(batch) < BATCH_TRIPS and size < BATCH_BYTES:
                waiting = self._waiting.popleft()
                if not waiting.answer.done():
                    batch.append(waiting)
                    size += len(waiting.trip.blob)
            return batch

    @property
    def closing(self) -> bool:
        """Whether nothing more will come."""
        return self._closing and not self._waiting

    def connect(self) -> sa.Connection:
        """A connection for a writer. Raises StorageUnavailableError."""
        with translated_errors():
            return self._engine.connect()

    def committed(self, stored: Sequence[Stored]) -> None:
        """Announce what is new and count it, now that it cannot be lost any more."""
        self._on_commit(len(stored))
        new = [result.trip_id for result in stored if result.outcome is Outcome.STORED]
        for trip_id in new:
            self._announce(trip_id)
        if new:
            log.info("trips_stored", trip_ids=list(map(str, new)))


class _Writer(threading.Thread):
    """One thread with one connection that stores batch after batch."""

    def __init__(self, intake: Intake) -> None:
        super().__init__(name="intake-writer", daemon=True)
        self._intake = intake
        self._conn: sa.Connection | None = None
        self._busy_since: float | None = None
        self._guard = threading.Lock()

    def run(self) -> None:
        """Write until the intake closes."""
        while not self._intake.closing:
            batch = self._intake.take()
            if batch:
                self._write(batch)
        self._disconnect()

    def cut_if_stuck(self, after_s: float) -> None:
        """Sever the connection when its statement has run longer than `after_s`; called from the event loop."""
        with self._guard:
            if self._conn is None or self._busy_since is None or time.monotonic() - self._busy_since < after_s:
                return
            log.warning("storage_stuck", after_s=after_s)
            sever(self._conn)
            self._busy_since = None

    def _write(self, batch: Sequence[_Waiting]) -> None:
        try:
            stored = self._store([waiting.trip for waiting in batch])
        except StorageUnavailableError as error:
            _answer(batch, [error] * len(batch))
        except Exception as error:  # noqa: BLE001  # whatever it is, the requests must be answered
            self._write_one_by_one(batch, error)
        else:
            self._intake.committed(stored)
            _answer(batch, stored)

    def _write_one_by_one(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """One row spoilt the statement: only that one may suffer for it."""
        if len(batch) == 1:
            log.error("trip_not_stored", trip_id=str(batch[0].trip.id), exc_info=error)
            _answer(batch, [error])
            return
        for waiting in batch:
            self._write([waiting])

    def _store(self, trips: Sequence[NewTrip]) -> list[Stored]:
        """Try twice when the first failure came at once: the connection had died while nobody used it."""
        started = time.monotonic()
        try:
            return self._transaction(trips)
        except StorageUnavailableError:
            if time.monotonic() - started > QUICK_FAILURE_S:
                raise
            return self._transaction(trips)

    def _transaction(self, trips: Sequence[NewTrip]) -> list[Stored]:
        try:
            conn = self._connected()
            with translated_errors(), conn.begin():
                return insert_trips(conn, trips)
        except StorageUnavailableError:
            self._disconnect()
            raise
        finally:
            with self._guard:
                self._busy_since = None

    def _connected(self) -> sa.Connection:
        conn = self._conn or self._intake.connect()
        with self._guard:
            self._conn, self._busy_since = conn, time.monotonic()
        return conn

    def _disconnect(self) -> None:
        with self._guard:
            conn, self._conn = self._conn, None
        if conn is not None:
            with contextlib.suppress(StorageUnavailableError), translated_errors():
                conn.invalidate()
                conn.close()


def _answer(batch: Sequence[_Waiting], results: Sequence[Stored | Exception]) -> None:
    """Hand all results to the event loop in one call: waking it costs more than the rest."""
    loop = batch[0].answer.get_loop()
    try:
        loop.call_soon_threadsafe(_resolve, batch, results)
    except RuntimeError:
        return  # the loop has been closed; nobody waits any more


def _resolve(batch: Sequence[_Waiting], results: Sequence[Stored | Exception]) -> None:
    for waiting, result in zip(batch, results, strict=True):
        if waiting.answer.done():
            continue
        if isinstance(result, Exception):
            waiting.answer.set_exception(result)
        else:
            waiting.answer.set_result(result)
