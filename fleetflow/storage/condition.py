"""How the database is doing, for people who look after it: its version, its safety, its clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from datetime import datetime

DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings without which a trip that was answered 202 may be lost with the power."""

SERVER = """
SELECT current_setting('server_version_num')::int AS version_num, current_setting('server_version') AS version,
       clock_timestamp() AS clock,
       ARRAY(SELECT name FROM unnest(CAST(:durable AS text[])) AS name WHERE current_setting(name) = 'off') AS off
"""


@dataclass(frozen=True, slots=True)
class Server:
    """`version_num` as Postgres counts (150004); `off` names the settings of DURABLE that are switched off."""

    version_num: int
    version: str
    clock: datetime
    off: list[str]


def read_server(conn: sa.Connection) -> Server:
    """What the server says of itself."""
    row = conn.execute(sa.text(SERVER), {"durable": list(DURABLE)}).mappings().one()
    return Server(**row)
