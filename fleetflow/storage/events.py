"""Harsh events: written once with their trip's analysis, read with a judgement made elsewhere."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.storage.tables import harsh_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

FIELDS = tuple(field.name for field in fields(HarshEvent))

# Arrays, one statement: writing row objects cost a third of the worker's time.
INSERT = """
INSERT INTO telemetry.harsh_events
       (trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, latitude, longitude, doubts)
SELECT trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, latitude, longitude,
       string_to_array(doubts, ',')
FROM unnest(%(trip_id)b::uuid[], %(kind)s::text[], %(start_s)b::float8[], %(peak_s)b::float8[], %(end_s)b::float8[],
            %(peak_g)b::float8[], %(speed_kmh)b::float8[], %(latitude)b::float8[], %(longitude)b::float8[],
            %(doubts)s::text[])
     AS new (trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, latitude, longitude, doubts)
"""


def insert_events(conn: sa.Connection, events_by_trip: Mapping[UUID, Sequence[HarshEvent]]) -> None:
    """Write the events of several trips in one statement."""
    rows = [(trip_id, event) for trip_id, events in events_by_trip.items() for event in events]
    if not rows:
        return
    values: dict[str, list[object]] = {name: [getattr(event, name) for _, event in rows] for name in FIELDS}
    values["trip_id"] = [trip_id for trip_id, _ in rows]
    values["kind"] = [event.kind.value for _, event in rows]
    values["doubts"] = [",".join(event.doubts) for _, event in rows]
    conn.exec_driver_sql(INSERT, values)


def read_events(conn: sa.Connection, trip_id: UUID) -> list[HarshEvent]:
    """The trip's events in the order of their peaks."""
    columns = [harsh_events.c[name] for name in FIELDS]
    statement = sa.select(*columns).where(harsh_events.c.trip_id == trip_id)
    rows = conn.execute(statement.order_by(harsh_events.c.peak_s, harsh_events.c.id)).mappings()
    return [HarshEvent(**{**row, "kind": EventKind(row["kind"]), "doubts": tuple(row["doubts"])}) for row in rows]
