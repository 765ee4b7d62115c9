"""The key with which a dashboard that `up` starts loads uploads into the API: made at the start, revoked at the end."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from fleetflow.access import Scope
from fleetflow.commands.database import operator, transaction
from fleetflow.errors import FleetFlowError
from fleetflow.storage import audit, keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.settings import Settings

log = structlog.get_logger()


@contextmanager
def own_key(settings: Settings, database_url: str) -> Iterator[Settings]:
    """The settings with a key for as long as this lasts; as they are where they have one.

    A start that ended hard leaves its key behind: the next start on the same port of the same machine takes it away.
    """
    if settings.key:
        yield settings
        return
    name = f"dashboard on {socket.gethostname()}, port {settings.dashboard_port}"
    prefix, key = _make(database_url, name)
    try:
        yield settings.with_key(key)
    finally:
        _revoke(database_url, prefix)


def _make(database_url: str, name: str) -> tuple[str, str]:
    with transaction(database_url) as conn:
        left = keys.delete_own_keys(conn, name)
        prefix, key = keys.insert_key(conn, name, [Scope.WRITE], created_by=keys.OWN)
        after = {"name": name, "scopes": [Scope.WRITE], "took_away": left}
        audit.insert_entry(conn, operator(), "add_key", prefix, after=after)
    return prefix, key


def _revoke(database_url: str, prefix: str) -> None:
    try:
        with transaction(database_url) as conn:
            name = keys.revoke_key(conn, prefix)
            audit.insert_entry(conn, operator(), "revoke_key", prefix, before={"name": name})
    except FleetFlowError as error:  # the database went first, or somebody revoked it
        log.warning("own_key_not_revoked", prefix=prefix, reason=str(error))
