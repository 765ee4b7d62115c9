"""How fast trips are done and which failed, as frames: apart, since the API needs no pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetflow.storage.frames import frame_of

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

THROUGHPUT = """
SELECT slot.begin AS begin_at, count(trip.completed_at)::float8 AS trips
FROM generate_series(date_bin(%(slot)s::interval, clock_timestamp(), TIMESTAMPTZ 'epoch')
                     - %(slot)s::interval * (%(slots)s - 1),
                     clock_timestamp(), %(slot)s::interval) AS slot (begin)
LEFT JOIN telemetry.trip_logs AS trip
       ON trip.status = 'COMPLETED' AND trip.completed_at >= slot.begin
      AND trip.completed_at < slot.begin + %(slot)s::interval
GROUP BY 1 ORDER BY 1
"""
FAILED = """
SELECT trip.id::text AS trip_id, telemetry.shown_name(driver.name) AS driver_name, trip.driver_id::text AS driver_id,
       vehicle.name AS vehicle_name, trip.vehicle_id::text AS vehicle_id, trip.source,
       trip.received_at, trip.completed_at AS failed_at, trip.attempts, trip.error
FROM telemetry.trip_logs AS trip
LEFT JOIN telemetry.drivers AS driver ON driver.id = trip.driver_id
LEFT JOIN telemetry.vehicles AS vehicle ON vehicle.id = trip.vehicle_id
WHERE trip.status = 'FAILED'
ORDER BY trip.id DESC LIMIT %(limit)s
"""


def read_throughput(conn: sa.Connection, *, slot_s: int, slots: int) -> pd.DataFrame:
    """Trips completed in each of the newest `slots` stretches of time, the last of which is not over.

    Columns: begin_at, trips.
    """
    frame = frame_of(conn.exec_driver_sql(THROUGHPUT, {"slot": f"{slot_s} seconds", "slots": slots}))
    return frame.astype({"begin_at": "datetime64[us, UTC]", "trips": "float64"})


def list_failed(conn: sa.Connection, limit: int) -> pd.DataFrame:
    """The newest trips that FAILED.

    Columns: trip_id, driver_name, driver_id, vehicle_name, vehicle_id, source, received_at, failed_at, attempts, error.
    """
    frame = frame_of(conn.exec_driver_sql(FAILED, {"limit": limit}))
    moments = dict.fromkeys(("received_at", "failed_at"), "datetime64[us, UTC]")
    return frame.astype({**dict.fromkeys(frame.columns, "object"), **moments})
