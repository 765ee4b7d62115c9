"""Forgetting a driver: everything about him goes, sums stay, and a tombstone keeps late trips from bringing him back.

A tombstone is a keyed hash of the id. It is committed first; from then on triggers leave his trips out, so that what
is deleted afterwards stays deleted.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleetflow.errors import FleetFlowError
from fleetflow.storage.replacing import ASIDE
from fleetflow.storage.tables import SCHEMA, drivers, erased_totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

BATCH_TRIPS = 500
TIMEOUT_S = 60
"""How long one statement of an erasure may take; a batch of trips takes well under a second."""
AUDIT_LOCK = 418046307412
FREE_TEXTS = (
    ("coaching_notes", "note"), ("event_reviews", "reason"), ("vehicles", "name"), ("uploads", "file_name"),
    ("import_mappings", "name"), ("scoring_profiles", "note"), ("profile_activations", "note"),
    ("rescore_runs", "note"),
)  # fmt: skip
"""Where people may have written a driver's name."""
GONE = "(erased)"


class DriverMissingError(FleetFlowError):
    """Nobody of that id is here; whoever named it looks at the roster."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What went with a driver; `entries` are those of the audit log whose details were erased.

    `files` are the SHA-256 of uploaded files that held trips of his: whoever keeps such files has to delete them.
    """

    trips: int
    distance_km: float
    events: int
    notes: int
    uploads: int
    entries: list[int]
    files: list[str]

    def as_plain(self) -> dict[str, Any]:
        """For the audit log, which then names the entries that it lost details of, and no file."""
        return {name: value for name, value in asdict(self).items() if name != "files"}


@dataclass(frozen=True, slots=True)
class Totals:
    """The sum of all that was ever erased."""

    drivers: int
    trips: int
    distance_km: float
    events: int


KNOWN = """
SELECT EXISTS (SELECT FROM telemetry.drivers WHERE id = %(id)s)
    OR EXISTS (SELECT FROM telemetry.trip_logs WHERE driver_id = %(id)s)
"""
ERASED_AMONG = "SELECT id FROM unnest(%(ids)s::uuid[]) AS id WHERE telemetry.is_erased(id)"
INSERT_TOMBSTONE = """
INSERT INTO telemetry.erased_drivers (id_hash) VALUES (telemetry.erased_hash(%(id)s)) ON CONFLICT DO NOTHING
"""
NUMBERED = {
    "event": """
        SELECT event.id FROM telemetry.harsh_events AS event
        JOIN telemetry.trip_logs AS trip ON trip.id = event.trip_id WHERE trip.driver_id = %(id)s""",
    "note": "SELECT id FROM telemetry.coaching_notes WHERE driver_id = %(id)s",
    "upload": """
        SELECT DISTINCT came.upload_id FROM telemetry.upload_trips AS came
        JOIN telemetry.trip_logs AS trip ON trip.id = came.trip_id WHERE trip.driver_id = %(id)s""",
}
"""The numbers of what a driver has, by the word that the audit log puts before them."""
FILES = "SELECT DISTINCT encode(file_hash, 'hex') FROM telemetry.uploads WHERE id = ANY(%(ids)s::bigint[])"
TRIPS = "SELECT id FROM telemetry.trip_logs WHERE driver_id = %(id)s"
# What an entry says of a person: an id or a name in its values, or the number of an event, note or upload of his.
FIND_ENTRIES = """
WITH entry AS (
    SELECT id, subject, before, concat_ws(' ', subject, before, after) AS said
    FROM telemetry.audit_log WHERE NOT erased AND action <> 'erase_driver'
)
SELECT id FROM entry
WHERE said ~* %(pattern)s OR subject = ANY(%(subjects)s::text[])
   OR jsonb_typeof(before -> 'reviews') = 'object' AND before -> 'reviews' ?| %(events)s::text[]
   OR EXISTS (SELECT FROM regexp_matches(said, %(uuid)s, 'gi') AS found
              WHERE lower(found[1])::uuid = ANY(%(trips)s::uuid[]))
ORDER BY id
"""
UUID_PATTERN = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
DELETE_TRIPS = """
WITH gone AS (
    DELETE FROM telemetry.trip_logs
    WHERE id IN (SELECT id FROM telemetry.trip_logs WHERE driver_id = %(id)s ORDER BY id LIMIT %(limit)s)
    RETURNING distance_km
)
SELECT count(*), coalesce(sum(distance_km), 0) FROM gone
"""
# A file with trips of others too stays as their origin; what it was called may tell whose trips it held.
DELETE_UPLOADS = """
DELETE FROM telemetry.uploads WHERE id = ANY(%(ids)s::bigint[])
   AND NOT EXISTS (SELECT FROM telemetry.upload_trips WHERE upload_id = uploads.id)
"""
FORGET_FILES = "UPDATE telemetry.uploads SET file_name = %(gone)s, mapping = NULL WHERE id = ANY(%(ids)s::bigint[])"
FORGET_IN_MAPPINGS = """
UPDATE telemetry.import_mappings SET content = jsonb_set(content, '{driver}', '""')
WHERE lower(content ->> 'driver') IN (%(id)s::text, lower(%(name)s::text))
"""
FORGET_IN_TEXT = """
UPDATE telemetry.{table} SET {column} = regexp_replace({column}, %(pattern)s, %(gone)s, %(flags)s)
WHERE {column} ~* %(pattern)s
"""
ADD_TOTALS = """
UPDATE telemetry.erased_totals
SET drivers = drivers + 1, trips = trips + %(trips)s, distance_km = distance_km + %(distance_km)s,
    events = events + %(events)s
"""
CARRY = tuple(
    f"INSERT INTO {SCHEMA}.{table} SELECT * FROM {ASIDE}.{table} ON CONFLICT DO NOTHING"  # noqa: S608 - constants
    for table in ("erasure_keys", "erased_drivers")
)
RETURNED = """
SELECT id FROM (SELECT driver_id FROM telemetry.trip_logs UNION SELECT id FROM telemetry.drivers) AS known (id)
WHERE telemetry.is_erased(id)
"""


def check_driver(conn: sa.Connection, driver_id: UUID) -> None:
    """Raises DriverMissingError for an id that nobody here has."""
    if not conn.exec_driver_sql(KNOWN, {"id": driver_id}).scalar_one():
        was = conn.exec_driver_sql("SELECT telemetry.is_erased(%(id)s)", {"id": driver_id}).scalar_one()
        raise DriverMissingError("This driver was erased before." if was else "There is no driver with this id.")


def find_erased(conn: sa.Connection, driver_ids: Iterable[UUID]) -> list[UUID]:
    """Those of the ids whose drivers were erased."""
    return list(conn.exec_driver_sql(ERASED_AMONG, {"ids": list(driver_ids)}).scalars())


def insert_tombstone(conn: sa.Connection, driver_id: UUID) -> None:
    """From this transaction's end on no trip of the driver is stored; commit it at once, for writers wait for it."""
    conn.exec_driver_sql("SET LOCAL lock_timeout = '5s'")
    _lock_audit_log(conn)  # first: whoever waits for the log must not hold up the writers
    conn.exec_driver_sql("LOCK TABLE telemetry.trip_logs IN SHARE ROW EXCLUSIVE MODE")
    conn.exec_driver_sql(INSERT_TOMBSTONE, {"id": driver_id})


def erase_driver(conn: sa.Connection, driver_id: UUID) -> Erased:
    """Delete what is known of a driver who has a tombstone, and take him out of what others wrote and logged.

    The audit log is locked until the transaction's end. Raises DriverMissingError.
    """
    check_driver(conn, driver_id)
    conn.exec_driver_sql(f"SET LOCAL statement_timeout = '{TIMEOUT_S}s'")
    conn.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
    name = conn.scalar(sa.select(drivers.c.name).where(drivers.c.id == driver_id))
    mine = {noun: _ids(conn, statement, driver_id) for noun, statement in NUMBERED.items()}
    trip_ids = _ids(conn, TRIPS, driver_id)
    files = list(conn.exec_driver_sql(FILES, {"ids": mine["upload"]}).scalars())
    trips, distance_km = _delete_trips(conn, driver_id)
    _forget_uploads(conn, mine["upload"])
    conn.execute(sa.delete(drivers).where(drivers.c.id == driver_id))
    conn.exec_driver_sql(FORGET_IN_MAPPINGS, {"id": driver_id, "name": name})
    if name:
        _forget_name(conn, name)
    conn.exec_driver_sql(ADD_TOTALS, {"trips": trips, "distance_km": distance_km, "events": len(mine["event"])})
    entries = _erase_entries(conn, _said_of(driver_id, name), trip_ids, mine)
    return Erased(trips, distance_km, len(mine["event"]), len(mine["note"]), len(mine["upload"]), entries, files)


def read_totals(conn: sa.Connection) -> Totals:
    """The sum of all that was ever erased."""
    return Totals(*conn.execute(sa.select(*(erased_totals.c[name] for name in Totals.__slots__))).one())


def carry_tombstones(conn: sa.Connection) -> list[UUID]:
    """After a restore: take over the tombstones of the data that were set aside; the drivers who have come back."""
    if conn.scalar(sa.text(f"SELECT to_regclass('{ASIDE}.erased_drivers') IS NOT NULL")):
        for statement in CARRY:
            conn.exec_driver_sql(statement)
    return list(conn.exec_driver_sql(RETURNED).scalars())


def _said_of(driver_id: UUID, name: str | None) -> str:
    """A pattern for a text that names the driver."""
    return "|".join([str(driver_id), *([_pattern(name)] if name else [])])


def _erase_entries(
    conn: sa.Connection, pattern: str, trip_ids: Sequence[UUID], mine: Mapping[str, Sequence[int]]
) -> list[int]:
    """Empty the entries that are about the driver; their numbers."""
    _lock_audit_log(conn)
    values = {
        "pattern": pattern,
        "uuid": UUID_PATTERN,
        "subjects": [f"{noun} {number}" for noun, numbers in mine.items() for number in numbers],
        "events": [str(each) for each in mine["event"]],
        "trips": list(trip_ids),
    }
    entries = list(conn.exec_driver_sql(FIND_ENTRIES, values).scalars())
    conn.exec_driver_sql("SELECT telemetry.erase_audit_details(%(entries)s)", {"entries": entries})
    return entries


def _lock_audit_log(conn: sa.Connection) -> None:
    """What its trigger takes: no entry is added between looking through them and the transaction's end."""
    conn.execute(sa.select(sa.func.pg_advisory_xact_lock(AUDIT_LOCK)))


def _ids(conn: sa.Connection, statement: str, driver_id: UUID) -> list[Any]:
    return list(conn.exec_driver_sql(statement, {"id": driver_id}).scalars())


def _delete_trips(conn: sa.Connection, driver_id: UUID) -> tuple[int, float]:
    """With samples, events, scores and reviews; how many, and how far they went."""
    trips, distance_km = 0, 0.0
    while True:
        count, km = conn.exec_driver_sql(DELETE_TRIPS, {"id": driver_id, "limit": BATCH_TRIPS}).one()
        if not count:
            return trips, distance_km
        trips, distance_km = trips + count, distance_km + km


def _forget_uploads(conn: sa.Connection, ids: Sequence[int]) -> None:
    conn.exec_driver_sql(DELETE_UPLOADS, {"ids": list(ids)})
    conn.exec_driver_sql(FORGET_FILES, {"ids": list(ids), "gone": GONE})


def _forget_name(conn: sa.Connection, name: str) -> None:
    """A name of one word may be a word of the language too, so it has to be written as the name is."""
    values = {"pattern": _pattern(name), "gone": GONE, "flags": "gi" if " " in name.strip() else "g"}
    for table, column in FREE_TEXTS:
        conn.exec_driver_sql(FORGET_IN_TEXT.format(table=table, column=column), values)


def _pattern(name: str) -> str:
    r"""The name as a word of its own, in Postgres's regular expressions: `Ann` is not in `Annual`."""
    return rf"(?<!\w){re.escape(name.strip())}(?!\w)"
