"""Many trips at once: parcels are read on a thread, sent over a few connections, and never pile up in memory."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from fleetflow.sending.client import Line, open_client, send_trip
from fleetflow.sending.outcomes import Fate, Outcome, Parcel, SendReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx

FEWEST_BEFORE_STOP = 3


def send_trips(parcels: Iterable[Parcel], line: Line) -> SendReport:
    """Send every parcel and report; stops early when one trip after the other is given up.

    Raises ConfigurationError for an address that is none, and whatever reading `parcels` raises.
    """
    return asyncio.run(_send_all(parcels, line))


async def _send_all(parcels: Iterable[Parcel], line: Line) -> SendReport:
    async with open_client(line.url, line.connections, line.timeout_s, line.key) as client:
        source = _Source(parcels, line.connections)
        try:
            return await _Run(client, source, line).finish()
        finally:
            source.close()


class _Run:
    """One call of `send_trips`."""

    def __init__(self, client: httpx.AsyncClient, source: _Source, line: Line) -> None:
        self._client = client
        self._source = source
        self._line = line
        self._given_up_in_a_row = 0
        self._report = SendReport()

    async def finish(self) -> SendReport:
        await asyncio.gather(*(self._carry() for _ in range(self._line.connections)))
        return self._report

    async def _carry(self) -> None:
        while not self._report.stopped and (parcel := await self._source.next()) is not None:
            outcome = await send_trip(self._client, parcel, self._line.attempts)
            self._report.add(outcome)
            self._line.on_outcome(outcome)
            self._watch(outcome)

    def _watch(self, outcome: Outcome) -> None:
        self._given_up_in_a_row = self._given_up_in_a_row + 1 if outcome.fate is Fate.GAVE_UP else 0
        if self._given_up_in_a_row >= max(self._line.connections, FEWEST_BEFORE_STOP):
            self._report.stopped = True


class _Source:
    """Reads parcels on a thread of its own, so that a slow file or pipe never holds up the trips under way.

    The thread is a daemon, because nothing can wake it from reading a pipe that stays silent.
    """

    def __init__(self, parcels: Iterable[Parcel], ahead: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Queue[Parcel | None] = asyncio.Queue()
        self._room = threading.Semaphore(ahead)
        self._closed = False
        self._error: BaseException | None = None
        threading.Thread(target=self._read, args=[parcels], name="parcels", daemon=True).start()

    async def next(self) -> Parcel | None:
        """The next parcel, None after the last. Raises what reading raised."""
        parcel = await self._ready.get()
        if parcel is None:
            self._ready.put_nowait(None)  # for the other connections
            if self._error is not None:
                raise self._error
        self._room.release()
        return parcel

    def close(self) -> None:
        """Let the thread end as soon as it has its next parcel."""
        self._closed = True
        self._room.release()

    def _read(self, parcels: Iterable[Parcel]) -> None:
        try:
            for parcel in parcels:
                self._room.acquire()
                if self._closed:
                    return
                self._hand_over(parcel)
        except BaseException as error:  # noqa: BLE001  # raised again by next()
            self._error = error
        self._hand_over(None)

    def _hand_over(self, parcel: Parcel | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._ready.put_nowait, parcel)
        except RuntimeError:  # the loop is closed: nobody waits any more
            self._closed = True
