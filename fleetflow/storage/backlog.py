"""Trips on their way to a score: how many wait and since when; and a way back for those that failed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    import sqlalchemy as sa

# Each figure comes through a small partial index of its own. Ids rise with the time of receipt. A failed trip that was
# given back waits since then: its age is no sign that workers do not keep up.
BACKLOG = """
WITH waiting AS (
    SELECT (SELECT count(*) FROM telemetry.trip_logs WHERE status = 'PENDING' AND attempts = 0) AS fresh,
           (SELECT count(*) FROM telemetry.trip_logs WHERE status = 'PENDING' AND attempts > 0) AS tried,
           LEAST((SELECT received_at FROM telemetry.trip_logs
                  WHERE status = 'PENDING' AND attempts = 0 AND retried_at IS NULL ORDER BY id LIMIT 1),
                 (SELECT received_at FROM telemetry.trip_logs
                  WHERE status = 'PENDING' AND attempts > 0 AND retried_at IS NULL ORDER BY id LIMIT 1),
                 (SELECT min(retried_at) FROM telemetry.trip_logs
                  WHERE status = 'PENDING' AND retried_at IS NOT NULL)) AS oldest_at
)
SELECT fresh + tried,
       (SELECT count(*) FROM telemetry.trip_logs WHERE status = 'PROCESSING'),
       (SELECT count(*) FROM telemetry.trip_logs WHERE status = 'FAILED'),
       oldest_at, extract(epoch FROM clock_timestamp() - oldest_at)::float8
FROM waiting
"""
RETRY = """
UPDATE telemetry.trip_logs
SET status = 'PENDING', attempts = 0, error = NULL, completed_at = NULL, retried_at = clock_timestamp()
WHERE status = 'FAILED' AND samples_removed_at IS NULL AND (%(ids)s::uuid[] IS NULL OR id = ANY(%(ids)s::uuid[]))
RETURNING id
"""

ANALYSED = "SELECT count(*) FROM telemetry.trip_logs WHERE status = 'COMPLETED'"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Trips by how far they are; the oldest has waited since `oldest_at`, `oldest_s` seconds ago."""

    waiting: int
    in_work: int
    failed: int
    oldest_at: datetime | None
    oldest_s: float | None

    @property
    def unscored(self) -> int:
        """Trips whose score is still to come."""
        return self.waiting + self.in_work


def read_backlog(conn: sa.Connection) -> Backlog:
    """How many trips wait, are in work and have failed."""
    return Backlog(*conn.exec_driver_sql(BACKLOG).one())


def retry_failed(conn: sa.Connection, trip_ids: Sequence[UUID] | None = None) -> list[UUID]:
    """Give failed trips back to the workers as if never tried: these, or all that have samples; whom it reached."""
    values = {"ids": None if trip_ids is None else list(trip_ids)}
    return list(conn.exec_driver_sql(RETRY, values).scalars())


def count_analysed(conn: sa.Connection) -> int:
    """How many trips are COMPLETED: so many a run over all of them has to score."""
    return int(conn.exec_driver_sql(ANALYSED).scalar_one())
