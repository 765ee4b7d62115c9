"""The users as whom API, worker and dashboard reach the database: made by `migrate`, and anew by each `up`."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from fleetflow.errors import ConfigurationError
from fleetflow.storage import rights
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.rights import Program

if TYPE_CHECKING:
    import sqlalchemy as sa
    from pydantic import SecretStr

    from fleetflow.settings import Settings

SHARED = (
    "The database's user may not make roles: API, worker and dashboard have all of its rights."
    " docs/security.md tells how to part them."
)


def prepare_users(owner_url: str, settings: Settings) -> str | None:
    """Make the users that the settings name, with the rights of their programs; a notice where that cannot be.

    Raises ConfigurationError for a URL without a name and password, or of a user who may do more.
    """
    engine = create_engine(owner_url, application_name="fleetflow-migrate", pool_size=1)
    try:
        with connection(engine) as conn:
            if not rights.has_groups(conn):
                return SHARED
            for program in Program:
                url: SecretStr | None = getattr(settings, f"{program.value}_database_url")
                if url is not None:
                    _prepare(conn, program, url.get_secret_value())
    finally:
        engine.dispose()
    return None


def with_random_users(owner_url: str, settings: Settings) -> Settings:
    """Settings whose programs have users of their own, with passwords that are nowhere else; they are not made yet."""
    urls = {
        f"{program.value}_database_url": _as_user(owner_url, f"{program.group}_login", secrets.token_urlsafe(24))
        for program in Program
    }
    return settings.with_databases(urls)


def _prepare(conn: sa.Connection, program: Program, url: str) -> None:
    login = urlsplit(url)
    if not login.username or not login.password:
        variable = f"FLEETFLOW_{program.value.upper()}_DATABASE_URL"
        raise ConfigurationError(f"{variable} needs a name and a password: postgresql://user:password@host:5432/name.")
    user = unquote(login.username)
    if rights.may_make_roles(conn):
        rights.ensure_login(conn, program, user, unquote(login.password))
    elif not rights.is_member(conn, user, program):
        raise ConfigurationError(
            f"The database's user may not make {user}. Have an administrator of the server do it, with a password,"
            f" and run: GRANT {program.group} TO {user}"
        )


def _as_user(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{place}"))
