"""The samples around events: a page of events shows a trace of each, and reads no more than what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

AROUND_S = 6.0
LONGEST_S = 150.0
"""Of a long event (speeding may last for minutes) so much is shown before and after its peak."""
CHANNELS = ("t_s", "speed_kmh", "g_force_long", "g_force_lat")

PARTS = ", ".join(
    f"jsonb_path_query_array(telemetry_blob, '$.{name}[$first to $last]', part.ends)::text AS {name}"
    for name in CHANNELS
)
# The blob is not compressed: Postgres cuts a part out of it much faster than it sends the whole to be cut here.
MOMENTS = f"""
WITH event AS MATERIALIZED (
    SELECT id, trip_id, peak_s, greatest(%(around_s)s, least(1.2 * (end_s - start_s), %(longest_s)s)) AS reach_s
    FROM telemetry.harsh_events WHERE id = ANY(%(ids)b::bigint[])
)
SELECT event.id, COALESCE(trip.sample_hz, 1) AS hz, part.first,
       {PARTS}
FROM event JOIN telemetry.trip_logs AS trip ON trip.id = event.trip_id
CROSS JOIN LATERAL (
    SELECT min(place) - 1 AS first, max(place) - 1 AS last
    FROM jsonb_array_elements(telemetry_blob -> 't_s') WITH ORDINALITY AS sample (t_s, place)
    WHERE t_s::float8 BETWEEN peak_s - reach_s AND peak_s + reach_s
    UNION ALL
    SELECT greatest(ceil((peak_s - reach_s) * COALESCE(sample_hz, 1)), 0)::bigint,
           floor((peak_s + reach_s) * COALESCE(sample_hz, 1))::bigint
    WHERE NOT telemetry_blob ? 't_s'
) AS found
CROSS JOIN LATERAL (
    SELECT found.first, jsonb_build_object('first', found.first, 'last', found.last) AS ends
) AS part
WHERE found.first IS NOT NULL AND trip.samples_removed_at IS NULL
"""  # noqa: S608 - put together from this file's own words


def read_moments(conn: sa.Connection, event_ids: Sequence[int]) -> dict[int, pd.DataFrame]:
    """By event the samples from some seconds before its peak to some after; an unknown one is left out.

    Columns as in reports.read_samples: t_s (seconds from the trip's start), speed_kmh, g_force_long and, where the
    trip has it, g_force_lat.
    """
    values = {"ids": list(event_ids), "around_s": AROUND_S, "longest_s": LONGEST_S}
    rows = conn.exec_driver_sql(MOMENTS, values).mappings()
    return {row["id"]: _frame(row) for row in rows}


def _frame(row: sa.RowMapping) -> pd.DataFrame:
    columns = {name: np.array(orjson.loads(row[name]), dtype=np.float64) for name in CHANNELS}
    present: dict[str, Any] = {name: column for name, column in columns.items() if len(column)}
    if "t_s" not in present:
        present = {"t_s": (row["first"] + np.arange(len(columns["speed_kmh"]))) / row["hz"], **present}
    return pd.DataFrame(present)
