"""How hard the fleet's harsh events are: peaks as multiples of their thresholds, the whole fleet in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from fleetflow.safety.profiles import TOLERANCE
from fleetflow.storage.peaks import ABOVE, RULE, least_of, rules_of

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa

    from fleetflow.safety.profiles import ScoringProfile

SEVERITY = f"""
SELECT event.kind, count(*) AS events, percentile_cont(0.5) WITHIN GROUP (ORDER BY event.peak / threshold) AS median
FROM ({ABOVE}) AS event
JOIN telemetry.trip_logs AS trip ON trip.id = event.trip_id
LEFT JOIN telemetry.vehicles AS vehicle ON vehicle.id = trip.vehicle_id
{RULE}
WHERE trip.quality IS DISTINCT FROM 'unusable'
  AND (%(since)s::timestamptz IS NULL OR COALESCE(trip.started_at, trip.received_at) >= %(since)s)
  AND (event.review = 'confirmed' OR (event.review IS NULL AND (event.doubts = '{{}}' OR %(counts_doubtful)s)))
  AND event.peak > threshold + %(tolerance)s
GROUP BY event.kind
"""  # noqa: S608 - put together from the words of this package


def read_severity(conn: sa.Connection, profile: ScoringProfile, since: datetime | None = None) -> pd.DataFrame:
    """A row per kind that has harsh events: kind, events, median (of the peaks, as multiples of the threshold)."""
    values = {
        **least_of(profile), **rules_of(profile), "since": since, "counts_doubtful": profile.counts_doubtful,
        "tolerance": TOLERANCE,
    }  # fmt: skip
    rows = conn.exec_driver_sql(SEVERITY, values).fetchall()
    frame = pd.DataFrame.from_records(rows, columns=["kind", "events", "median"])
    return frame.astype({"kind": "object", "events": "int64", "median": "float64"})
