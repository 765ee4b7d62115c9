"""Who may call: keys are kept in memory and read anew with every beat of the pulse, so that a check costs a hash."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from fastapi import Request  # noqa: TC002 - FastAPI reads the annotation

from fleetflow.access import Scope
from fleetflow.storage.keys import Ring, UsableKey, hash_key, read_ring, touch_keys
from ingest_api.problems import ProblemError, unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import sqlalchemy as sa
    from starlette.requests import HTTPConnection

STALE_S = 5.0
"""A key that was revoked opens nothing after this long, also where the database does not answer."""
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="FleetFlow"'}
LONGEST_KEY = 200
MINUTE_S = 60.0
ANYBODY = UsableKey(0, frozenset(Scope))
"""Who calls without a key where that is allowed; no key has the number 0."""


class KeyRing:
    """The keys as they were at the last beat. Until the first, nobody gets in."""

    def __init__(self, *, keyless: bool, per_minute: int) -> None:
        self._keyless = keyless
        self._pace = Pace(per_minute)
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

    def check(self, caller: HTTPConnection, scope: Scope) -> UsableKey:
        """The caller's key.

        Raises ProblemError 401 without a good key, 403 for one without the scope, 429 for one that calls too often,
        503 when nobody knows.
        """
        header, now = caller.headers.get("authorization"), time.monotonic()
        if self._ring is None or (self._ring.any_made and now - self._read_at > STALE_S):
            raise unavailable("storage_unavailable", "The database does not answer.")
        if header is None and self._keyless and not self._ring.any_made:
            return ANYBODY
        key = self._ring.usable.get(_hashed(header))
        if key is None:
            raise _unknown(header)
        self._used.add(key.id)
        wait_s = self._pace.wait_s(key, now)
        if wait_s > 0:
            raise _too_often(wait_s)
        if scope not in key.scopes:
            raise ProblemError(403, "scope_missing", f"This key is not good for this; it needs the scope {scope}.")
        return key


class Pace:
    """How often each key may call this process: a minute's worth at once, then evenly.

    One number a key says until when its calls so far would take if they came evenly (the generic cell rate algorithm).
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._until: dict[int, float] = {}

    def wait_s(self, key: UsableKey, now: float) -> float:
        """0 and the call counted when it is in time, else the seconds until one would be."""
        until = max(self._until.get(key.id, 0.0), now) + MINUTE_S / (key.per_minute or self._per_minute)
        if until - now > MINUTE_S:
            return until - now - MINUTE_S
        self._until[key.id] = until
        return 0.0


def requires(scope: Scope) -> Callable[[Request], Awaitable[None]]:
    """A dependency of routes; the caller's key is `request.state.key` then."""

    async def check(request: Request) -> None:
        request.state.key = request.app.state.keys.check(request, scope)

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


def _too_often(wait_s: float) -> ProblemError:
    detail = "This key calls more often than it may; nothing was stored."
    return ProblemError(429, "too_many_requests", detail, headers={"Retry-After": str(math.ceil(wait_s))})
