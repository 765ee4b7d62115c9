"""Which workers are alive: each says so at every sweep, and takes its row away when it ends in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import sqlalchemy as sa

FORGOTTEN_AFTER = "1 hour"
"""A worker that died without a word is shown as silent for so long."""

BEAT = f"""
WITH forgotten AS (
    DELETE FROM telemetry.worker_heartbeats
    WHERE seen_at < clock_timestamp() - interval '{FORGOTTEN_AFTER}' AND worker_id <> %(worker_id)s
)
INSERT INTO telemetry.worker_heartbeats AS known
    (worker_id, host, pid, queue, queue_reachable, completed_trips, silent_after_s)
VALUES (%(worker_id)s, %(host)s, %(pid)s, %(queue)s, %(queue_reachable)s, %(completed_trips)s, %(silent_after_s)s)
ON CONFLICT (worker_id) DO UPDATE
SET queue_reachable = excluded.queue_reachable, completed_trips = excluded.completed_trips,
    seen_at = clock_timestamp()
"""  # noqa: S608 - a constant of ours
LIST = """
SELECT worker_id, host, pid, queue, queue_reachable, completed_trips, started_at, seen_at,
       extract(epoch FROM clock_timestamp() - seen_at)::float8 AS silence_s, silent_after_s
FROM telemetry.worker_heartbeats
ORDER BY host, pid, started_at
"""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a worker says of itself. It may be silent for `silent_after_s` while it works on a batch."""

    worker_id: UUID
    host: str
    pid: int
    queue: str
    queue_reachable: bool
    completed_trips: int
    silent_after_s: float


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """A worker as the database last heard of it; `silence_s` is by the database's clock."""

    worker_id: UUID
    host: str
    pid: int
    queue: str
    queue_reachable: bool
    completed_trips: int
    started_at: datetime
    seen_at: datetime
    silence_s: float
    silent_after_s: float

    @property
    def alive(self) -> bool:
        """Whether it was heard of lately enough."""
        return self.silence_s <= self.silent_after_s


def upsert_heartbeat(conn: sa.Connection, beat: Heartbeat) -> None:
    """Say that a worker is alive, and forget those that have been silent for an hour."""
    conn.exec_driver_sql(BEAT, {name: getattr(beat, name) for name in Heartbeat.__slots__})


def delete_heartbeat(conn: sa.Connection, worker_id: UUID) -> None:
    """Take a worker's row away."""
    conn.exec_driver_sql("DELETE FROM telemetry.worker_heartbeats WHERE worker_id = %(id)s", {"id": worker_id})


def list_workers(conn: sa.Connection) -> list[SeenWorker]:
    """The workers heard of within the last hour, by host."""
    return [SeenWorker(*row) for row in conn.exec_driver_sql(LIST)]
