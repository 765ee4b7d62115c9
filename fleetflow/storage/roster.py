"""Drivers and vehicles: an unknown id in a trip makes a row that shows the id until someone names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from fleetflow.storage.tables import drivers, vehicles

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID


INSERT_UNKNOWN = """
INSERT INTO telemetry.{table} (id) SELECT id FROM unnest(%(ids)b::uuid[]) AS new (id) ON CONFLICT DO NOTHING
"""


def insert_unknown(conn: sa.Connection, driver_ids: Iterable[UUID], vehicle_ids: Iterable[UUID]) -> None:
    """Make rows for the ids that have none; sorted, so that two workers cannot deadlock on each other."""
    for table, ids in (("drivers", driver_ids), ("vehicles", vehicle_ids)):
        known_once = sorted(set(ids))
        if known_once:
            conn.exec_driver_sql(INSERT_UNKNOWN.format(table=table), {"ids": known_once})


def list_roster(conn: sa.Connection, kind: str) -> list[dict[str, str | None]]:
    """All "drivers" or "vehicles": id as text, name, group_name and, of vehicles, vehicle_class; in order of the id."""
    table = {"drivers": drivers, "vehicles": vehicles}[kind]
    columns = [each for each in table.c if each.name != "created_at"]
    rows = conn.execute(sa.select(*columns).order_by(table.c.id)).mappings()
    return [{**row, "id": str(row["id"])} for row in rows]


def read_classes(conn: sa.Connection, vehicle_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The vehicle class of each vehicle that has one."""
    known = sa.and_(vehicles.c.id.in_(list(vehicle_ids)), vehicles.c.vehicle_class.is_not(None))
    return {
        row.id: row.vehicle_class
        for row in conn.execute(sa.select(vehicles.c.id, vehicles.c.vehicle_class).where(known))
    }


def upsert_driver(conn: sa.Connection, driver_id: UUID, *, name: str | None, group_name: str | None = None) -> None:
    """Name a driver, known or not."""
    values = {"name": name, "group_name": group_name}
    conn.execute(
        insert(drivers).values(id=driver_id, **values).on_conflict_do_update(index_elements=["id"], set_=values)
    )


def upsert_vehicle(
    conn: sa.Connection,
    vehicle_id: UUID,
    *,
    name: str | None,
    group_name: str | None = None,
    vehicle_class: str | None = None,
) -> None:
    """Name a vehicle, known or not."""
    values = {"name": name, "group_name": group_name, "vehicle_class": vehicle_class}
    conn.execute(
        insert(vehicles).values(id=vehicle_id, **values).on_conflict_do_update(index_elements=["id"], set_=values)
    )


def list_driver_groups(conn: sa.Connection) -> list[str]:
    """The groups that drivers are in, by name."""
    named = sa.select(drivers.c.group_name).where(drivers.c.group_name.is_not(None))
    return list(conn.scalars(named.distinct().order_by(drivers.c.group_name)))
