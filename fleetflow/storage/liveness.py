"""Whether a program still works with the database, as the database sees it; nothing is written for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

# One's own address tells the containers of several workers apart; it is null on a local socket.
SILENCE = """
SELECT extract(epoch FROM clock_timestamp() - max(state_change))::float8
FROM pg_stat_activity
WHERE application_name = %(application_name)s AND datname = current_database()
  AND client_addr IS NOT DISTINCT FROM inet_client_addr()
"""


def read_silence(conn: sa.Connection, application_name: str) -> float | None:
    """Seconds since a program at this connection's address last used the database; None when none is connected."""
    silence_s: float | None = conn.exec_driver_sql(SILENCE, {"application_name": application_name}).scalar_one()
    return silence_s
