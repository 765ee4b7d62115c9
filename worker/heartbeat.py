"""The worker's word that it is alive, for whoever watches; scoring never waits for it or fails with it."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING
from uuid import uuid4

from fleetflow.storage.heartbeats import Heartbeat, delete_heartbeat, upsert_heartbeat

if TYPE_CHECKING:
    import sqlalchemy as sa

    from fleetflow.settings import Settings


class Pulse:
    """What this process says of itself at each sweep."""

    def __init__(self, settings: Settings) -> None:
        self._id = uuid4()
        self._queue = "Postgres" if settings.rabbitmq_url is None else "RabbitMQ"
        self._silent_after_s = settings.batch_time_limit_s + 2 * settings.sweep_s
        self.queue_reachable = True
        self.completed_trips = 0

    def beat(self, conn: sa.Connection) -> None:
        """Say that the worker lives and how it is doing."""
        upsert_heartbeat(
            conn,
            Heartbeat(
                self._id, socket.gethostname(), os.getpid(), self._queue, self.queue_reachable, self.completed_trips,
                self._silent_after_s,
            ),
        )  # fmt: skip

    def stop(self, conn: sa.Connection) -> None:
        """Say that the worker ends in order: from now on nobody waits for it."""
        delete_heartbeat(conn, self._id)
