"""Announcing stored trips from a thread of its own, so that a sick queue never delays an answer.

The rule: after each `announce` at least one wake-up is published, unless the queue is down or full. It need not
name that trip, for a woken worker takes everything that waits; so a burst costs a few messages, and the
latest trip of it is always named.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

import structlog

from fleetflow.errors import FleetFlowError
from fleetflow.queue.backoff import Backoff

if TYPE_CHECKING:
    from uuid import UUID

    from fleetflow.queue.interface import Publisher

log = structlog.get_logger(__name__)

ROUND_TRIPS = 4
"""Messages a round, which wake as many workers side by side; more of them only cost CPU (measured with pika)."""
ROUND_S = 0.05
"""The time between two rounds of a burst; a trip that comes alone does not wait."""
REFUSED_S = 0.5
"""The pause after a refusal: a full queue means that workers are awake, a newborn one is ready after this."""
PROBE_S = 5.0
"""How often an idle announcer asks whether the queue can be reached."""


class Announcer:
    """Publishes the ids of stored trips: `start`, `announce` from any thread, `close`. It owns the publisher.

    Counts for metrics: `published`, `refused_full` (the queue was full), `dropped` (others of the same burst spoke
    for them) and `failures` (tries with a queue that was down). `reachable` is what the last try showed.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        round_trips: int = ROUND_TRIPS,
        round_s: float = ROUND_S,
        probe_s: float = PROBE_S,
        refused_s: float = REFUSED_S,
    ) -> None:
        self._publisher = publisher
        self._round_s = round_s
        self._probe_s = probe_s
        self._refused_s = refused_s
        self._waiting: deque[UUID] = deque(maxlen=round_trips)
        self._lock = threading.Lock()
        self._arrived = threading.Event()
        self._closing = threading.Event()
        self._backoff = Backoff()
        self._thread = threading.Thread(target=self._run, name="announcer", daemon=True)
        self.published = 0
        self.refused_full = 0
        self.dropped = 0
        self.failures = 0
        self.reachable = True

    def start(self) -> None:
        """Begin to publish; connects at once, so that the first trip need not wait for it."""
        self._thread.start()

    def announce(self, trip_id: UUID) -> None:
        """Have the trip announced soon. To be called after its commit; never blocks, never raises."""
        with self._lock:
            self.dropped += len(self._waiting) == self._waiting.maxlen
            self._waiting.append(trip_id)
        self._arrived.set()

    def close(self, timeout_s: float = 7.0) -> None:
        """Publish what waits, once, and end; returns after `timeout_s` even if the queue does not answer."""
        self._closing.set()
        self._arrived.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closing.is_set():
            pause_s = self._round()
            self._closing.wait(pause_s)
            if self.reachable:
                self._arrived.wait(self._probe_s)
        if self._waiting:
            self._round()
        self._publisher.close()

    def _round(self) -> float:
        """Publish what waits, or ask whether the queue is there; the seconds until the next round."""
        self._arrived.clear()  # before taking: a trip that comes meanwhile gets a round of its own
        trip_ids = self._take()
        began = time.monotonic()
        try:
            taken = self._publisher.publish(trip_ids)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next trips have to be announced
            return self._failed(trip_ids, error)
        self._succeeded(len(trip_ids), taken)
        if taken < len(trip_ids):
            return self._refused(trip_ids[-1])
        return max(began + self._round_s - time.monotonic(), 0.0)

    def _refused(self, latest: UUID) -> float:
        """Offer the latest trip again a little later: a queue refuses when it is full, but also when it is newborn."""
        with self._lock:
            if not self._waiting:
                self._waiting.append(latest)
        self._arrived.set()
        return self._refused_s

    def _take(self) -> list[UUID]:
        with self._lock:
            trip_ids = list(self._waiting)
            self._waiting.clear()
        return trip_ids

    def _succeeded(self, offered: int, taken: int) -> None:
        self.published += taken
        self.refused_full += offered - taken
        self._backoff.succeeded()
        if not self.reachable:
            log.info("queue_reachable")
        self.reachable = True

    def _failed(self, trip_ids: list[UUID], error: Exception) -> float:
        """Keep the latest trips for the next try, and say what is wrong when it begins."""
        self.failures += 1
        if self.reachable:
            log.warning("queue_unavailable", reason=str(error), exc_info=not isinstance(error, FleetFlowError))
        self.reachable = False
        with self._lock:
            room = (self._waiting.maxlen or 0) - len(self._waiting)
            kept = trip_ids[len(trip_ids) - min(room, len(trip_ids)) :]
            self._waiting.extendleft(reversed(kept))
            self.dropped += len(trip_ids) - len(kept)
        return self._backoff.failed()
