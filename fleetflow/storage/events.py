"""Harsh events: written once with their trip's analysis, read with a judgement made elsewhere."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleetflow.safety.events import EventKind, HarshEvent, Review
from fleetflow.storage.tables import harsh_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

FOUND = tuple(field.name for field in fields(HarshEvent) if field.name not in {"id", "review"})
"""What detection knows of an event; its number and its review come later."""

COLUMNS = tuple(harsh_events.c[field.name] for field in fields(HarshEvent))

# Arrays, one statement: writing row objects cost a third of the worker's time.
INSERT = """
INSERT INTO telemetry.harsh_events
       (trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, latitude, longitude, doubts, derived,
        speed_change_kmh)
SELECT trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, latitude, longitude,
       string_to_array(doubts, ','), derived, speed_change_kmh
FROM unnest(%(trip_id)b::uuid[], %(kind)s::text[], %(start_s)b::float8[], %(peak_s)b::float8[], %(end_s)b::float8[],
            %(peak_g)b::float8[], %(speed_kmh)b::float8[], %(latitude)b::float8[], %(longitude)b::float8[],
            %(doubts)s::text[], %(derived)s::boolean[], %(speed_change_kmh)b::float8[])
     AS new (trip_id, kind, start_s, peak_s, end_s, peak_g, speed_kmh, latitude, longitude, doubts, derived,
             speed_change_kmh)
"""


def insert_events(conn: sa.Connection, events_by_trip: Mapping[UUID, Sequence[HarshEvent]]) -> None:
    """Write the events of several trips in one statement."""
    rows = [(trip_id, event) for trip_id, events in events_by_trip.items() for event in events]
    if not rows:
        return
    values: dict[str, list[object]] = {name: [getattr(event, name) for _, event in rows] for name in FOUND}
    values["trip_id"] = [trip_id for trip_id, _ in rows]
    values["kind"] = [event.kind.value for _, event in rows]
    values["doubts"] = [",".join(event.doubts) for _, event in rows]
    conn.exec_driver_sql(INSERT, values)


def delete_events(conn: sa.Connection, trip_ids: Sequence[UUID]) -> None:
    """Make room for the events of a new analysis; what people said of the old ones stays in its history."""
    if trip_ids:
        conn.execute(sa.delete(harsh_events).where(harsh_events.c.trip_id.in_(trip_ids)))


def read_events(conn: sa.Connection, trip_id: UUID) -> list[HarshEvent]:
    """The trip's events in the order of their peaks, each with its number and its review."""
    statement = sa.select(*COLUMNS).where(harsh_events.c.trip_id == trip_id)
    rows = conn.execute(statement.order_by(harsh_events.c.peak_s, harsh_events.c.kind, harsh_events.c.id)).mappings()
    return [as_event(row) for row in rows]


def as_event(row: Mapping[Any, Any]) -> HarshEvent:
    """An event from a row that holds COLUMNS and perhaps more."""
    values = {column.name: row[column.name] for column in COLUMNS}
    review = values["review"]
    return HarshEvent(
        **{
            **values,
            "kind": EventKind(values["kind"]),
            "doubts": tuple(values["doubts"]),
            "review": None if review is None else Review(review),
        }
    )
