"""What each program may do in the database: a group role a program, with what it needs and no more.

Group roles belong to the whole cluster and are shared by its databases; rights in them are given in each by `migrate`,
every time, so that a restored database has them too. What is in no table here is allowed to no program.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from psycopg import sql

from fleetflow.errors import ConfigurationError
from fleetflow.storage.tables import SCHEMA, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg
    import sqlalchemy as sa


class Program(StrEnum):
    """Who connects with rights of its own; `migrate` and the commands are the owner."""

    INGEST = "ingest"
    WORKER = "worker"
    DASHBOARD = "dashboard"

    @property
    def group(self) -> str:
        """The role that holds the rights; nobody signs in as it."""
        return f"fleetflow_{self.value}"


S, I, U, D = "SELECT", "INSERT", "UPDATE", "DELETE"  # noqa: E741
RIGHTS: Mapping[str, Mapping[Program, tuple[str, ...]]] = MappingProxyType(
    {
        "alembic_version": {Program.INGEST: (S,), Program.WORKER: (S,), Program.DASHBOARD: (S,)},
        "trip_logs": {Program.INGEST: (S, I), Program.WORKER: (S, U), Program.DASHBOARD: (S, U, D)},
        "harsh_events": {Program.INGEST: (S,), Program.WORKER: (S, I, U, D), Program.DASHBOARD: (S, U)},
        "event_reviews": {Program.WORKER: (S, U), Program.DASHBOARD: (S, I, U)},
        "scoring_profiles": {Program.INGEST: (S,), Program.WORKER: (S,), Program.DASHBOARD: (S, I, U)},
        "profile_activations": {Program.INGEST: (S,), Program.WORKER: (S, I), Program.DASHBOARD: (S, I, U)},
        "drivers": {Program.WORKER: (S, I), Program.DASHBOARD: (S, I, U, D)},
        "vehicles": {Program.INGEST: (S,), Program.WORKER: (S, I), Program.DASHBOARD: (S, I, U)},
        "driver_scores": {Program.INGEST: (S,), Program.WORKER: (S, I, U), Program.DASHBOARD: (S, I, U)},
        "rescore_runs": {Program.WORKER: (S, U), Program.DASHBOARD: (S, I, U)},
        "reanalyses": {Program.WORKER: (S, U), Program.DASHBOARD: (S,)},
        "coaching_notes": {Program.DASHBOARD: (S, I, U)},
        "worker_heartbeats": {Program.INGEST: (S,), Program.WORKER: (S, I, U, D), Program.DASHBOARD: (S,)},
        "policy": {Program.WORKER: (S,), Program.DASHBOARD: (S, I, U, D)},
        "import_mappings": {Program.DASHBOARD: (S, I, U)},
        "uploads": {Program.DASHBOARD: (S, I, U, D)},
        "upload_trips": {Program.DASHBOARD: (S, I)},
        "accounts": {Program.DASHBOARD: (S, I, U)},
        "sessions": {Program.DASHBOARD: (S, I, U, D)},
        "api_keys": {Program.INGEST: (S, U), Program.DASHBOARD: (S, I, U)},
        "audit_log": {Program.DASHBOARD: (S, I)},
        "erased_drivers": {Program.DASHBOARD: (S, I)},
        "erased_totals": {Program.DASHBOARD: (S, U)},
        "erasure_keys": {},
    }
)
"""By table; every table of the schema is here."""
WITHHELD: Mapping[tuple[str, Program], frozenset[str]] = MappingProxyType(
    {
        ("drivers", Program.WORKER): frozenset({"name", "group_name"}),
        ("vehicles", Program.INGEST): frozenset({"name", "group_name"}),
        ("vehicles", Program.WORKER): frozenset({"name", "group_name"}),
        ("api_keys", Program.DASHBOARD): frozenset({"key_hash"}),
    }
)
"""Columns that a program may not read, of a table that it may: who analyses trips needs no names."""
TIMEOUTS: Mapping[Program, Mapping[str, str]] = MappingProxyType(
    {
        Program.INGEST: {"statement_timeout": "10s"},
        Program.WORKER: {"statement_timeout": "60s"},
        Program.DASHBOARD: {"statement_timeout": "30s"},
    }
)
EVERYWHERE = {"lock_timeout": "2s", "idle_in_transaction_session_timeout": "10s"}
"""A net under the programs' own, shorter deadlines."""

# Several migrations of one cluster may make the same role at once.
MAKE_GROUP = """
DO $$ BEGIN
    CREATE ROLE {name} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
OWNER_ONLY = (
    "REVOKE ALL ON FUNCTION telemetry.erase_audit_details FROM PUBLIC",
    "REVOKE ALL ON FUNCTION telemetry.erased_hash FROM PUBLIC",
    "REVOKE ALL ON telemetry.audit_log FROM PUBLIC",
    "REVOKE UPDATE, DELETE, TRUNCATE ON telemetry.audit_log FROM CURRENT_USER",
    "GRANT UPDATE (subject, before, after, salt, erased) ON telemetry.audit_log TO CURRENT_USER",
    "GRANT EXECUTE ON FUNCTION telemetry.erase_audit_details, telemetry.erased_hash TO fleetflow_dashboard",
)
MISSING = (
    "SELECT name FROM unnest(%(names)s::text[]) AS name WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)"
)
MAY_MAKE = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
IS_MEMBER = """
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %(user)s AND pg_has_role(oid, to_regrole(%(name)s), 'MEMBER'))
"""
IS_TOO_MIGHTY = "SELECT rolsuper OR rolname = current_user FROM pg_roles WHERE rolname = %(name)s"


def ensure_rights(conn: sa.Connection) -> bool:
    """Make the group roles and give each what it may; False, and nothing is done, where roles may not be made."""
    missing = conn.exec_driver_sql(MISSING, {"names": [each.group for each in Program]}).scalars().all()
    if missing and not may_make_roles(conn):
        return False
    for name in missing:
        _run(conn, sql.SQL(MAKE_GROUP).format(name=sql.Identifier(name)))
    for program in Program:
        for statement in _grants(program):
            _run(conn, statement)
    for plain in OWNER_ONLY:
        conn.exec_driver_sql(plain)
    return True


def has_groups(conn: sa.Connection) -> bool:
    """Whether all group roles are there."""
    return not conn.exec_driver_sql(MISSING, {"names": [each.group for each in Program]}).scalars().all()


def may_make_roles(conn: sa.Connection) -> bool:
    """Whether this user may."""
    return bool(conn.exec_driver_sql(MAY_MAKE).scalar_one())


def is_member(conn: sa.Connection, user: str, program: Program) -> bool:
    """Whether a user has a program's rights already."""
    return bool(conn.exec_driver_sql(IS_MEMBER, {"user": user, "name": program.group}).scalar_one())


def ensure_login(conn: sa.Connection, program: Program, user: str, password: str) -> None:
    """Make a user with a program's rights, deadlines and this password, or give them to the one there is.

    The password is hashed here: the server's log never sees it. Raises ConfigurationError for a user who can do more.
    """
    known = conn.exec_driver_sql(IS_TOO_MIGHTY, {"name": user}).scalar_one_or_none()
    if known:
        raise ConfigurationError(f"{user} owns the database or is a superuser; give {program.value} a user of its own.")
    role, group = sql.Identifier(user), sql.Identifier(program.group)
    if known is None:
        _run(conn, sql.SQL("CREATE ROLE {} LOGIN").format(role))
    hashed = _raw(conn).pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()
    _run(conn, sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(hashed)))
    _run(conn, sql.SQL("GRANT {} TO {}").format(group, role))
    for name, value in {**EVERYWHERE, **TIMEOUTS[program]}.items():
        _run(conn, sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), sql.Literal(value)))


def _grants(program: Program) -> Iterator[sql.Composed]:
    schema, group = sql.Identifier(SCHEMA), sql.Identifier(program.group)
    yield sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(schema, group)
    yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, group)
    for table, rights in RIGHTS.items():
        for right in rights.get(program, ()):
            what = sql.SQL("{} {}").format(sql.SQL(right), _columns(table, program, right))
            yield sql.SQL("GRANT {} ON {}.{} TO {}").format(what, schema, sql.Identifier(table), group)


def _columns(table: str, program: Program, right: str) -> sql.Composable:
    withheld = WITHHELD.get((table, program))
    if right != S or withheld is None:
        return sql.SQL("")
    names = [each.name for each in metadata.tables[f"{SCHEMA}.{table}"].columns if each.name not in withheld]
    return sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, names)))


def _run(conn: sa.Connection, statement: sql.Composed) -> None:
    _raw(conn).execute(statement)


def _raw(conn: sa.Connection) -> psycopg.Connection[tuple[object, ...]]:
    """Names and passwords cannot be parameters; psycopg quotes them."""
    raw: psycopg.Connection[tuple[object, ...]] = conn.connection.driver_connection  # type: ignore[assignment]
    return raw
