"""How hard the fleet's harsh events are: peaks as multiples of their thresholds, the whole fleet in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from fleetflow.safety.judging import CLASSES
from fleetflow.safety.profiles import TOLERANCE

if TYPE_CHECKING:
    from datetime import datetime

    from fleetflow.safety.profiles import ScoringProfile

SEVERITY = """
WITH rule AS (
    SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:classes AS text[]), CAST(:thresholds AS float8[]))
        AS each (kind, vehicle_class, threshold)
), harsh AS (
    SELECT event.kind,
           CASE event.kind WHEN 'speeding' THEN event.speed_kmh ELSE event.peak_g END / threshold AS multiple
    FROM telemetry.trip_logs AS trip
    JOIN telemetry.harsh_events AS event ON event.trip_id = trip.id
    LEFT JOIN telemetry.vehicles AS vehicle ON vehicle.id = trip.vehicle_id
    JOIN rule ON rule.kind = event.kind AND rule.vehicle_class =
        CASE WHEN vehicle.vehicle_class = ANY(CAST(:classes AS text[])) THEN vehicle.vehicle_class ELSE '' END
    WHERE trip.quality IS DISTINCT FROM 'unusable'
      AND (CAST(:since AS timestamptz) IS NULL OR COALESCE(trip.started_at, trip.received_at) >= :since)
      AND (event.review = 'confirmed' OR (event.review IS NULL AND (event.doubts = '{}' OR :counts_doubtful)))
      AND CASE event.kind WHEN 'speeding' THEN event.speed_kmh ELSE event.peak_g END > threshold + :tolerance
)
SELECT kind, count(*) AS events, percentile_cont(0.5) WITHIN GROUP (ORDER BY multiple) AS median
FROM harsh GROUP BY kind
"""


def read_severity(conn: sa.Connection, profile: ScoringProfile, since: datetime | None = None) -> pd.DataFrame:
    """A row per kind that has harsh events: kind, events, median (of the peaks, as multiples of the threshold)."""
    rules = [(kind.value, name, rule.threshold) for name in CLASSES for kind, rule in profile.rules_for(name).items()]
    kinds, classes, thresholds = zip(*rules, strict=True)
    values: dict[str, Any] = {
        "kinds": list(kinds), "classes": list(classes), "thresholds": list(thresholds), "since": since,
        "counts_doubtful": profile.counts_doubtful, "tolerance": TOLERANCE,
    }  # fmt: skip
    rows = conn.execute(sa.text(SEVERITY), values).fetchall()
    frame = pd.DataFrame.from_records(rows, columns=["kind", "events", "median"])
    return frame.astype({"kind": "object", "events": "int64", "median": "float64"})
