"""What an admin looks through, as frames: the roster and the audit log. Apart, as only the dashboard loads pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from fleetflow.storage.frames import frame_of
from fleetflow.storage.tables import audit_log, drivers, vehicles

if TYPE_CHECKING:
    from datetime import datetime

ENTRY_COLUMNS = ("id", "at", "actor", "address", "action", "subject", "before", "after")


def list_drivers(conn: sa.Connection) -> pd.DataFrame:
    """Every driver: id (as text), name, group_name; those without a name last."""
    c = drivers.c
    rows = conn.execute(sa.select(c.id, c.name, c.group_name).order_by(c.name.nulls_last(), c.id)).all()
    return pd.DataFrame([(str(row.id), *row[1:]) for row in rows], columns=["id", "name", "group_name"], dtype="object")


def list_vehicles(conn: sa.Connection) -> pd.DataFrame:
    """Every vehicle: id (as text), name, group_name, vehicle_class; those without a name last."""
    c = vehicles.c
    statement = sa.select(c.id, c.name, c.group_name, c.vehicle_class).order_by(c.name.nulls_last(), c.id)
    columns = ["id", "name", "group_name", "vehicle_class"]
    return pd.DataFrame([(str(row.id), *row[1:]) for row in conn.execute(statement)], columns=columns, dtype="object")


def list_audit_entries(
    conn: sa.Connection, *, text: str = "", action: str | None = None, since: datetime | None = None, limit: int = 500
) -> pd.DataFrame:
    """The newest entries, the newest first; `text` is looked for in actor, subject, address and values."""
    c = audit_log.c
    everything = sa.func.concat_ws(" ", c.actor, c.subject, c.address, c.action, c.before, c.after)
    wanted = [
        everything.icontains(text, autoescape=True) if text else sa.true(),
        c.action == action if action else sa.true(),
        c.at >= since if since else sa.true(),
    ]
    statement = sa.select(*(c[name] for name in ENTRY_COLUMNS)).where(*wanted).order_by(c.id.desc()).limit(limit)
    return frame_of(conn.execute(statement))


def list_audit_actions(conn: sa.Connection) -> list[str]:
    """Every kind of entry that there is."""
    return list(conn.scalars(sa.select(audit_log.c.action).distinct().order_by(audit_log.c.action)))
