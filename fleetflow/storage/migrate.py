"""Bringing a database to today's schema: safe to run again, and by two starters at once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from fleetflow.storage import profiles, rights
from fleetflow.storage.database import create_engine, read_revision, too_new, translated_errors
from fleetflow.storage.tables import SCHEMA_REVISION

MIGRATION_LOCK = 0x666C656574  # "fleet": any number that other users of the database are unlikely to take
LOCK_WAIT_S = 60
"""How long a second starter waits for the first one's migration."""


def upgrade(url: str, revision: str = "head") -> str | None:
    """Run what is missing and return the revision found before (None for an empty database).

    Raises ConfigurationError when the database is newer than this version, StorageUnavailableError when it
    cannot be reached or a table stays locked.
    """
    engine = create_engine(url, application_name="fleetflow-migrate", pool_size=1, statement_timeout_s=0)
    try:
        with translated_errors(), engine.connect() as conn:
            _take_lock(conn)
            before = read_revision(conn)
            _refuse_newer(before)
            conn.execute(sa.text("SET lock_timeout = '2s'"))
            conn.execute(sa.text("CREATE SCHEMA IF NOT EXISTS telemetry"))
            conn.commit()
            command.upgrade(alembic_config(conn), revision)
            conn.commit()
            if read_revision(conn) == SCHEMA_REVISION:
                profiles.ensure_default(conn)
                rights.ensure_rights(conn)
            conn.commit()
            return before
    finally:
        engine.dispose()


def alembic_config(conn: sa.Connection) -> Config:
    """Alembic's configuration without a file: the scripts beside this module, on this connection."""
    config = Config(attributes={"connection": conn})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _take_lock(conn: sa.Connection) -> None:
    conn.execute(sa.text(f"SET lock_timeout = '{LOCK_WAIT_S}s'"))
    conn.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION_LOCK)))  # held until this session ends
    conn.commit()


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision > SCHEMA_REVISION:
        raise too_new(revision)
