"""Wake-ups that are not settled yet: each waits here until its trip is finished, by whomever."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import structlog

from fleetflow.queue.interface import Consumer, Delivery, Fate
from fleetflow.storage.claims import select_failed, select_open

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    import sqlalchemy as sa

log = structlog.get_logger()


class HeldDeliveries:
    """At most `limit` wait; beyond that the oldest are let go, for the sweep knows their trips as well."""

    def __init__(self, consumer: Consumer, limit: int) -> None:
        self._consumer = consumer
        self._limit = limit
        self._held: OrderedDict[int, Delivery] = OrderedDict()

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Hold what needs settling; a backend without handles settles by itself."""
        self._held.update((delivery.tag, delivery) for delivery in deliveries if delivery.tag is not None)

    def __len__(self) -> int:
        return len(self._held)

    def settle(self, conn: sa.Connection, completed: set[UUID]) -> None:
        """Settle what is finished: `completed` for certain, the others as the database says."""
        asked = [delivery.trip_id for delivery in self._held.values() if delivery.trip_id not in completed]
        still_open = select_open(conn, asked) if asked else set()
        failed = select_failed(conn, asked) if asked else set()
        done = [delivery for delivery in self._held.values() if delivery.trip_id not in still_open | failed]
        self._settle(done, Fate.DONE)
        self._settle([delivery for delivery in self._held.values() if delivery.trip_id in failed], Fate.DEAD)
        self._settle(list(self._held.values())[: max(len(self._held) - self._limit, 0)], Fate.DONE)

    def forget(self) -> None:
        """The connection is gone, and the handles with it; the queue delivers again."""
        self._held.clear()

    def _settle(self, deliveries: list[Delivery], fate: Fate) -> None:
        if not deliveries:
            return
        self._consumer.settle(deliveries, fate)
        for delivery in deliveries:
            if delivery.tag is not None:
                del self._held[delivery.tag]
