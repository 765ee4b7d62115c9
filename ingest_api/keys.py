"""Who may call: keys are kept in memory and read anew with every beat of the pulse, so that a check costs a hash."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002 - FastAPI reads the annotation

from fleetflow.storage.keys import Ring, hash_key, read_ring, touch_keys
from ingest_api.problems import ProblemError, unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import sqlalchemy as sa
    from starlette.requests import HTTPConnection

    from fleetflow.access import Scope

STALE_S = 5.0
"""A key that was revoked opens nothing after this long, also where the database does not answer."""
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="FleetFlow"'}
LONGEST_KEY = 200


class KeyRing:
    """The keys as they were at the last beat. Until the first, nobody gets in."""

    def __init__(self, *, keyless: bool) -> None:
        self._keyless = keyless
        self._ring: Ring | None = None
        self._read_at = 0.0
        self._used: set[int] = set()

    def refresh(self, conn: sa.Connection) -> None:
        """Read the keys, and write down which ones were used."""
        used, self._used = self._used, set()
        started = time.monotonic()
        touch_keys(conn, used)
        self._ring = read_ring(conn)
        self._read_at = started

    def check(self, caller: HTTPConnection, scope: Scope) -> None:
        """Raises ProblemError 401 without a good key, 403 for one without the scope, 503 when nobody knows."""
        header = caller.headers.get("authorization")
        if self._ring is None or (self._ring.any_made and time.monotonic() - self._read_at > STALE_S):
            raise unavailable("storage_unavailable", "The database does not answer.")
        if header is None and self._keyless and not self._ring.any_made:
            return
        found = self._ring.usable.get(_hashed(header))
        if found is None:
            raise _unknown(header)
        key_id, scopes = found
        self._used.add(key_id)
        if scope not in scopes:
            raise ProblemError(403, "scope_missing", f"This key is not good for this; it needs the scope {scope}.")


def requires(scope: Scope) -> Callable[[Request], Awaitable[None]]:
    """A dependency of routes."""

    async def check(request: Request) -> None:
        request.app.state.keys.check(request, scope)

    return check


def _hashed(header: str | None) -> bytes:
    kind, _, key = (header or "").partition(" ")
    if kind.lower() != "bearer" or len(key) > LONGEST_KEY:
        return b""
    return hash_key(key.strip())


def _unknown(header: str | None) -> ProblemError:
    if header is None:
        return ProblemError(401, "key_missing", "Send a key: Authorization: Bearer KEY.", headers=CHALLENGE)
    return ProblemError(401, "key_unknown", "This key is unknown, expired or revoked.", headers=CHALLENGE)
