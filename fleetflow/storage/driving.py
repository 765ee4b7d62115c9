"""What drivers drove and what it cost, a row per driver and local day: what ranking is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

if TYPE_CHECKING:
    from datetime import datetime

# Trips whose distance is unknown are rows of their own, so that it can be filled in from their hours.
DAYS = """
SELECT trip.driver_id::text AS driver_id,
       timezone(:zone, COALESCE(trip.started_at, trip.received_at))::date - DATE '1970-01-01' AS day,
       sum(score.points)::float8 AS points,
       sum(trip.distance_km) AS distance_km,
       sum(trip.duration_s) / 3600 AS hours,
       count(*) AS trips,
       avg(score.safety_score)::float8 AS mean_score,
       sum(score.harsh_braking_count)::float8 AS braking, sum(score.rapid_accel_count)::float8 AS acceleration,
       sum(score.harsh_cornering_count)::float8 AS cornering, sum(score.speeding_count)::float8 AS speeding,
       trip.quality IS DISTINCT FROM 'unusable' AS usable
FROM telemetry.trip_logs AS trip
JOIN telemetry.driver_scores AS score ON score.trip_id = trip.id AND score.profile_version = :version
WHERE (:unusable OR trip.quality IS DISTINCT FROM 'unusable')
  AND (CAST(:since AS timestamptz) IS NULL OR COALESCE(trip.started_at, trip.received_at) >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR COALESCE(trip.started_at, trip.received_at) < :until)
  AND (CAST(:group_name AS text) IS NULL
       OR trip.driver_id IN (SELECT id FROM telemetry.drivers WHERE group_name = :group_name))
  AND (CAST(:vehicle_class AS text) IS NULL
       OR trip.vehicle_id IN (SELECT id FROM telemetry.vehicles WHERE vehicle_class = :vehicle_class))
GROUP BY 1, 2, trip.distance_km IS NULL, usable
ORDER BY 1, 2
"""
COUNTED = ("points", "distance_km", "hours", "mean_score", "braking", "acceleration", "cornering", "speeding")


def read_driver_days(
    conn: sa.Connection,
    profile_version: int,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    zone: str = "UTC",
    group_name: str | None = None,
    vehicle_class: str | None = None,
    with_unusable: bool = False,
) -> pd.DataFrame:
    """One row per driver and day in the IANA time zone `zone`, and one more for that day's trips of unknown distance.

    Columns: driver_id, day (days since 1970), points (penalty points under the profile), distance_km and hours (NaN
    where unknown), trips, mean_score (over trips), braking, acceleration, cornering, speeding (harsh events), usable.
    Trips whose signals are unusable are left out, or are rows of their own. None is every group, every class.
    """
    values = {
        "version": profile_version, "since": since, "until": until, "zone": zone, "group_name": group_name,
        "vehicle_class": vehicle_class, "unusable": with_unusable,
    }  # fmt: skip
    result = conn.execute(sa.text(DAYS), values)
    frame = pd.DataFrame.from_records(result.fetchall(), columns=list(result.keys()))
    types = {
        "driver_id": "str", "day": "int64", "trips": "int64", "usable": "bool", **dict.fromkeys(COUNTED, "float64"),
    }  # fmt: skip
    return frame.astype(types)
