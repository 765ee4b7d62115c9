"""What an admin may change while FleetFlow runs; until then, and for what is left open, the settings decide."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from fleetflow.storage.tables import policy as table

if TYPE_CHECKING:
    from fleetflow.settings import Settings

FOR_GOOD = 0
ONLY = 1
"""The one row's number."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long samples are kept, in days (FOR_GOOD: they are), whether names are hidden, and the quota of uploads."""

    keep_samples_days: int = FOR_GOOD
    pseudonyms: bool = False
    upload_files_per_hour: int = 100

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """As the settings have it."""
        return cls(settings.keep_samples_days or FOR_GOOD, settings.pseudonyms, settings.upload_files_per_hour)

    def as_plain(self) -> dict[str, Any]:
        """For the audit log, and for a page that is handed it."""
        return asdict(self)


def read_policy(conn: sa.Connection, configured: Policy) -> Policy:
    """What holds now; `configured` where no admin has decided."""
    row = conn.execute(sa.select(*(table.c[name] for name in Policy.__slots__))).mappings().one_or_none()
    decided = {name: value for name, value in (row or {}).items() if value is not None}
    return Policy(**{**configured.as_plain(), **decided})


def upsert_policy(conn: sa.Connection, policy: Policy, *, author: str) -> None:
    """From now on this holds, whatever the settings say."""
    values = {**policy.as_plain(), "changed_by": author, "changed_at": sa.func.now()}
    statement = insert(table).values(id=ONLY, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def delete_policy(conn: sa.Connection) -> None:
    """The settings decide again."""
    conn.execute(sa.delete(table))
