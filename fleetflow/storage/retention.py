"""Removing the samples of old trips: what was found in them stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

# Trips that still wait keep their samples however old they are: nothing was found in them yet.
REMOVE = """
UPDATE telemetry.trip_logs SET telemetry_blob = '{}', samples_removed_at = clock_timestamp()
WHERE id IN (SELECT id FROM telemetry.trip_logs
             WHERE samples_removed_at IS NULL AND status IN ('COMPLETED', 'FAILED')
               AND received_at < clock_timestamp() - make_interval(days => %(days)s)
             ORDER BY received_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""


def remove_samples(conn: sa.Connection, *, days: int, limit: int) -> int:
    """Remove the samples of the oldest trips received more than `days` days ago, `limit` at most; how many."""
    return conn.exec_driver_sql(REMOVE, {"days": days, "limit": limit}).rowcount
