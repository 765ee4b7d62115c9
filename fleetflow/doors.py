"""Where the API may listen without a key: on this machine only."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import structlog

from fleetflow.errors import ConfigurationError, StorageUnavailableError
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.keys import read_ring

if TYPE_CHECKING:
    from fleetflow.settings import Settings

log = structlog.get_logger()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine to itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def may_be_keyless(settings: Settings) -> bool:
    """Whether requests without a key are taken, as long as no key was ever made."""
    return settings.api_keyless and is_loopback(settings.api_host)


def check_door(settings: Settings, database_url: str) -> None:
    """ConfigurationError for an API that strangers could reach and that has no key to ask for.

    A database that is away says neither; the API then starts, and lets nobody in until it knows the keys.
    """
    if may_be_keyless(settings):
        return
    engine = create_engine(database_url, application_name="fleetflow-api", pool_size=1)
    try:
        with connection(engine) as conn:
            given = read_ring(conn).any_given
    except StorageUnavailableError as error:
        log.warning("keys_unknown", reason=str(error))
        return
    finally:
        engine.dispose()
    if not given:
        raise ConfigurationError(
            f"The API would listen on {settings.api_host} without any key to ask for. Make one first:"
            " python -m fleetflow key add NAME --scope write"
        )
