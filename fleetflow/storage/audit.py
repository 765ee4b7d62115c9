"""The audit log: who did what, when, from where. Entries are added, chained by the database, and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from fleetflow.storage.tables import audit_log

if TYPE_CHECKING:
    from collections.abc import Mapping

INSERT_ENTRY = """
INSERT INTO telemetry.audit_log (actor, address, action, subject, before, after)
VALUES (%(actor)s, %(address)s, %(action)s, %(subject)s, %(before)s::jsonb, %(after)s::jsonb)
"""

# Details that were erased cannot be checked any more. An entry of the erasure, which is in the chain, has to name them.
FIND_BROKEN = """
SELECT min(id) FROM (
    SELECT entry.id, entry.previous IS DISTINCT FROM coalesce(lag(entry.hash) OVER by_id, ''::bytea)
        OR entry.id <> coalesce(lag(entry.id) OVER by_id, 0) + 1
        OR (entry.details_hash IS NOT NULL OR NOT entry.erased)
           AND entry.hash IS DISTINCT FROM telemetry.audit_hash(entry)
        OR NOT entry.erased AND entry.details_hash IS DISTINCT FROM telemetry.audit_details_hash(entry)
        OR entry.erased AND NOT EXISTS (
            SELECT FROM telemetry.audit_log AS erasure
            WHERE erasure.action = 'erase_driver' AND NOT erasure.erased AND erasure.id > entry.id
              AND erasure.after -> 'entries' @> to_jsonb(entry.id)) AS broken
    FROM telemetry.audit_log AS entry
    WINDOW by_id AS (ORDER BY entry.id)
) AS checked WHERE broken
"""
COUNT_ERASED = "SELECT count(*) FROM telemetry.audit_log WHERE erased"


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who acts: a person's name and address, or a command's."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry: its number and hash, in hexadecimal."""

    id: int
    hash: str


def insert_entry(
    conn: sa.Connection,
    who: Who,
    action: str,
    subject: str = "",
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry, as the last statement of the transaction that it tells of: the log is locked until its end."""
    values = {
        "actor": who.name,
        "address": who.address,
        "action": action,
        "subject": subject,
        "before": _json(before),
        "after": _json(after),
    }
    conn.exec_driver_sql(INSERT_ENTRY, values)


def find_broken(conn: sa.Connection) -> int | None:
    """The first entry that was changed, or before which one was taken away; None for a chain that holds."""
    first: int | None = conn.scalar(sa.text(FIND_BROKEN))
    return first


def count_erased(conn: sa.Connection) -> int:
    """How many entries have no details any more, because they were about drivers who were erased."""
    return int(conn.exec_driver_sql(COUNT_ERASED).scalar_one())


def read_head(conn: sa.Connection) -> Head | None:
    """The newest entry, which stands for all before it."""
    row = conn.execute(
        sa.select(audit_log.c.id, audit_log.c.hash).order_by(audit_log.c.id.desc()).limit(1)
    ).one_or_none()
    return None if row is None else Head(row.id, row.hash.hex())


def has_entry(conn: sa.Connection, head: Head) -> bool:
    """Whether an entry that was noted elsewhere is still in the log as it was."""
    same = sa.and_(audit_log.c.id == head.id, audit_log.c.hash == bytes.fromhex(head.hash))
    return bool(conn.scalar(sa.select(sa.exists().where(same))))


def _json(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else orjson.dumps(values).decode()
