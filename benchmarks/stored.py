"""A large fleet in a real Postgres, put there as workers would have left it, in seconds."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import psycopg

from benchmarks.fleets import DRIVERS, QUARTER_DAYS, TRIPS, large_fleet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from fleetflow.safety.judging import EventColumns, TripColumns

HEADER, TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"

TABLES = """
CREATE UNLOGGED TABLE new_trips (n int4, driver int4, class int4, distance_km float8, duration_s float8, usable int4);
CREATE UNLOGGED TABLE new_events (n int4, kind int4, peak float8, standing int4);
"""
# Nothing is missing that the fleet's trips refer to, and two million look-ups for that would take most of the time.
ROWS = """
SET session_replication_role = replica;
INSERT INTO telemetry.drivers (id, name, group_name)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'Simulated driver ' || n, 'Depot ' || n % 5
FROM generate_series(0, {drivers} - 1) AS n;
INSERT INTO telemetry.vehicles (id, vehicle_class)
SELECT lpad(to_hex(n), 32, '0')::uuid, ('{{NULL,passenger,light commercial}}'::text[])[1 + n]
FROM generate_series(0, 2) AS n;
INSERT INTO telemetry.trip_logs (id, vehicle_id, driver_id, telemetry_blob, status, started_at, received_at,
    completed_at, point_count, distance_km, duration_s, sample_hz, quality, detection_version, content_hash)
SELECT (lpad(to_hex(1 + n), 12, '0') || substr(md5(n::text), 13))::uuid, lpad(to_hex(class), 32, '0')::uuid,
       lpad(to_hex(driver), 32, '0')::uuid, samples.blob, 'COMPLETED', began_at, began_at, began_at,
       100, distance_km, duration_s, 1, CASE usable WHEN 1 THEN 'good' ELSE 'unusable' END, 4, sha256(n::text::bytea)
FROM new_trips,
     LATERAL (SELECT now() - n * interval '{days} days' / {trips}) AS _ (began_at),
     (SELECT jsonb_build_object('speed_kmh', array_fill(50.5, ARRAY[100]),
                                'g_force_long', array_fill(0.123, ARRAY[100]),
                                'g_force_lat', array_fill(0.1, ARRAY[100]))) AS samples (blob)
ORDER BY n;
INSERT INTO telemetry.harsh_events (trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, doubts)
SELECT (lpad(to_hex(1 + n), 12, '0') || substr(md5(n::text), 13))::uuid,
       ('{{braking,acceleration,cornering,speeding}}'::text[])[1 + kind], 1, 2, 3,
       CASE WHEN kind < 3 THEN peak END, CASE kind WHEN 3 THEN peak ELSE 50 END,
       CASE standing WHEN 0 THEN '{{}}'::text[] ELSE '{{turn}}'::text[] END
FROM new_events ORDER BY n;
DROP TABLE new_trips, new_events;
SET session_replication_role = DEFAULT
"""
INDEXES = """
SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""
SCORES = """
INSERT INTO telemetry.driver_scores (trip_id, profile_version, driver_id, safety_score, points, harsh_braking_count,
                                     rapid_accel_count, harsh_cornering_count, speeding_count)
SELECT id, 1, driver_id, greatest(100 - 5 * (braking + acceleration), 0), 5 * (braking + acceleration), braking,
       acceleration, cornering, speeding
FROM (SELECT trip.id, driver_id, count(*) FILTER (WHERE kind = 'braking' AND peak_g > 0.4) AS braking,
             count(*) FILTER (WHERE kind = 'acceleration' AND peak_g > 0.4) AS acceleration,
             count(*) FILTER (WHERE kind = 'cornering' AND peak_g > 0.45) AS cornering,
             count(*) FILTER (WHERE kind = 'speeding' AND event.speed_kmh > 130) AS speeding
      FROM telemetry.trip_logs AS trip LEFT JOIN telemetry.harsh_events AS event ON trip_id = trip.id AND doubts = '{}'
      GROUP BY trip.id) AS counted
"""


def store_large_fleet(database_url: str, count: int = TRIPS) -> None:
    """So many trips of the last three months and their events, without a score under any profile."""
    events, trips = large_fleet(np.random.default_rng(1), count)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(TABLES.encode())
        _copy(conn, "new_trips", _trip_columns(trips))
        _copy(conn, "new_events", _event_columns(events))
        with _without_indexes(conn, "telemetry.harsh_events"):
            for statement in ROWS.format(drivers=DRIVERS, trips=count, days=QUARTER_DAYS).split(";"):
                conn.execute(statement.encode())
        conn.execute(b"VACUUM ANALYZE")


@contextmanager
def _without_indexes(conn: psycopg.Connection[tuple[object, ...]], table: str) -> Iterator[None]:
    """Make a table's indexes anew afterwards: one by one, twenty million events would take most of an hour."""
    found = conn.execute(INDEXES.encode(), [table]).fetchall()
    for name, _ in found:
        conn.execute(f"DROP INDEX {name}".encode())
    yield
    for _, definition in found:
        conn.execute(str(definition).encode())


def store_scores(database_url: str) -> None:
    """The scores that workers would have given under the first profile."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(SCORES.encode())
        conn.execute(b"VACUUM ANALYZE telemetry.driver_scores")


def _trip_columns(trips: TripColumns) -> list[npt.NDArray[np.generic]]:
    number = np.arange(len(trips), dtype=np.int32)
    vehicle_class, usable = trips.vehicle_class.astype(np.int32), trips.usable.astype(np.int32)
    return [number, trips.driver, vehicle_class, trips.distance_km, trips.duration_s, usable]


def _event_columns(events: EventColumns) -> list[npt.NDArray[np.generic]]:
    return [events.trip, events.kind.astype(np.int32), events.peak, events.standing.astype(np.int32)]


def _copy(conn: psycopg.Connection[tuple[object, ...]], table: str, columns: Sequence[npt.NDArray[np.generic]]) -> None:
    """All rows as one piece of COPY's binary format."""
    kinds = [column.dtype.newbyteorder(">") for column in columns]
    fields = [part for at, kind in enumerate(kinds) for part in ((f"length {at}", ">i4"), (f"value {at}", kind))]
    rows = np.empty(len(columns[0]), dtype=[("fields", ">i2"), *fields])
    rows["fields"] = len(columns)
    for at, column in enumerate(columns):
        rows[f"length {at}"], rows[f"value {at}"] = column.dtype.itemsize, column
    with conn.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT binary)".encode()) as copy:
        copy.write(HEADER + rows.tobytes() + TRAILER)
