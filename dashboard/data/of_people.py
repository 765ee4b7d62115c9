"""Who is there. Never from a cache: a session that was ended a moment ago must not be let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.data.connecting import reading
from fleetflow.storage import accounts as stored_accounts
from fleetflow.storage import audit, erasures, registers, sessions
from fleetflow.storage import keys as stored_keys
from fleetflow.storage import roster as stored_roster

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import pandas as pd

    from fleetflow.storage.accounts import Account
    from fleetflow.storage.erasures import Totals
    from fleetflow.storage.keys import Key
    from fleetflow.storage.sessions import Session


def session(database: str, token: str) -> Session | None:
    """The person behind a session's token; None when it has ended."""
    with reading(database) as conn:
        return sessions.read_session(conn, token)


def accounts(database: str) -> list[Account]:
    """Everybody who may sign in or could."""
    with reading(database) as conn:
        return stored_accounts.list_accounts(conn)


def keys(database: str) -> list[Key]:
    """All API keys, good or not."""
    with reading(database) as conn:
        return stored_keys.list_keys(conn)


def roster(database: str, kind: str) -> pd.DataFrame:
    """All "drivers" or "vehicles"; see storage.registers."""
    with reading(database) as conn:
        return registers.list_vehicles(conn) if kind == "vehicles" else registers.list_drivers(conn)


def roster_rows(database: str, kind: str) -> list[dict[str, str | None]]:
    """The same as plain rows; see storage.roster."""
    with reading(database) as conn:
        return stored_roster.list_roster(conn, kind)


def erased_among(database: str, driver_ids: list[UUID]) -> list[UUID]:
    """Those of the ids whose drivers were erased."""
    with reading(database) as conn:
        return erasures.find_erased(conn, driver_ids)


def erased_totals(database: str) -> Totals:
    """The sum of all that was ever erased."""
    with reading(database) as conn:
        return erasures.read_totals(conn)


def audit_entries(
    database: str, *, text: str = "", action: str | None = None, since: datetime | None = None, limit: int = 500
) -> pd.DataFrame:
    """See registers.list_audit_entries."""
    with reading(database) as conn:
        return registers.list_audit_entries(conn, text=text, action=action, since=since, limit=limit)


def audit_actions(database: str) -> list[str]:
    """Every kind of entry in the audit log."""
    with reading(database) as conn:
        return registers.list_audit_actions(conn)


def broken_audit_entry(database: str) -> int | None:
    """The first entry that was changed since it was written, if any."""
    with reading(database) as conn:
        return audit.find_broken(conn)
