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


def insert_events(conn: sa.Connection, events_by_trip: Mapping[UUID, Sequence[HarshEvent]]) -> None:
    """Write the events of several trips in one statement."""
    rows = [
        {"trip_id": trip_id, **{name: getattr(event, name) for name in FIELDS}, "doubts": list(event.doubts)}
        for trip_id, events in events_by_trip.items()
        for event in events
    ]
    if rows:
        conn.execute(sa.insert(harsh_events), rows)


def read_events(conn: sa.Connection, trip_id: UUID) -> list[HarshEvent]:
    """The trip's events in the order of their peaks."""
    columns = [harsh_events.c[name] for name in FIELDS]
    statement = sa.select(*columns).where(harsh_events.c.trip_id == trip_id)
    rows = conn.execute(statement.order_by(harsh_events.c.peak_s, harsh_events.c.id)).mappings()
    return [HarshEvent(**{**row, "kind": EventKind(row["kind"]), "doubts": tuple(row["doubts"])}) for row in rows]
