"""What signing in does, apart from HTTP: checking a password, making and ending sessions; everything is logged."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import structlog

from dashboard.signin.visitors import SignOnError
from fleetflow import passwords
from fleetflow.errors import FleetFlowError
from fleetflow.storage import accounts, audit, sessions
from fleetflow.storage.accounts import AccountExistsError
from fleetflow.storage.audit import Who
from fleetflow.storage.database import check_schema, connection, create_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from dashboard.signin.visitors import Visitor
    from fleetflow.settings import Settings
    from fleetflow.storage.accounts import Account, Credentials
    from fleetflow.storage.sessions import Session

T = TypeVar("T")

CHECKS_AT_ONCE = 2
"""A check of a password takes 64 MiB and a core."""
MOST_WAITING = 20
"""With more than these the last would wait for seconds."""
POOL_SIZE = 4
SOMEBODY = "somebody"
UNKNOWN = "unknown account"
"""What was typed as a name that nobody has may be a password in the wrong box: it is never written down."""

log = structlog.get_logger()


class BusyError(FleetFlowError):
    """Too many people sign in at this moment; trying again in some seconds works."""


class WrongPasswordError(FleetFlowError):
    """The password is not the account's; its owner types it again."""


class Desk:
    """Owned by one event loop; queries and checks run in threads."""

    def __init__(self, settings: Settings, database_url: str) -> None:
        self._engine = create_engine(
            database_url,
            application_name="fleetflow-signin",
            pool_size=POOL_SIZE,
            statement_timeout_s=settings.storage_timeout_s,
        )
        self._idle_s = int(settings.session_idle_s)
        self._lifetime_s = int(settings.session_lifetime_s)
        self._queries = ThreadPoolExecutor(POOL_SIZE, thread_name_prefix="signin")
        self._checks = ThreadPoolExecutor(CHECKS_AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0

    def close(self) -> None:
        """Let go of threads and connections."""
        for pool in (self._queries, self._checks):
            pool.shutdown(wait=False, cancel_futures=True)
        self._engine.dispose()

    async def find(self, token: str | None) -> Session | None:
        """The person behind a token. Raises StorageUnavailableError."""
        return await self._in(self._queries, self._read_session, token) if token else None

    async def sign_in(self, name: str, password: str, address: str, former: str | None) -> str | None:
        """The new session's token; None when name and password do not fit.

        `former` is the token that the browser had, whose session ends. Raises BusyError, StorageUnavailableError.
        """
        found = await self._in(self._queries, self._read_credentials, name)
        fits = await self._check(password, found.password_hash if found else None)
        if found is None or not fits:
            await self._in(self._queries, self._note_failure, found, address)
            return None
        return await self._in(self._queries, self._open_session, found, address, former)

    async def sign_on(self, visitor: Visitor, address: str, former: str | None) -> str:
        """The new session's token of somebody whom the provider vouches for, with the roles that it gives.

        Raises SignOnError, AccountExistsError, StorageUnavailableError.
        """
        try:
            return await self._in(self._queries, self._open_signed_on, visitor, address, former)
        except (SignOnError, AccountExistsError) as error:
            log.warning("sign_on_refused", subject=visitor.subject, reason=str(error))
            await self._in(self._queries, self._note, SOMEBODY, address, "sign_in_failed", visitor.name)
            raise

    async def sign_out(self, token: str) -> None:
        """End the session, if there is one."""
        await self._in(self._queries, self._end_session, token)

    async def change_password(self, token: str, session: Session, old: str, new: str) -> None:
        """Set a new password; the person's other sessions end. Raises WrongPasswordError, PasswordRefusedError."""
        found = await self._in(self._queries, self._read_credentials, session.name)
        if found is None or not await self._check(old, found.password_hash):
            raise WrongPasswordError("The present password is not right.")
        passwords.check_new_password(new, session.name)
        if new == old:
            raise passwords.PasswordRefusedError("The new password is the present one.")
        hashed = await self._in(self._checks, passwords.hash_password, new)
        await self._in(self._queries, self._store_password, token, session, hashed)

    async def note_slowed(self, name: str, address: str) -> None:
        """Report that somebody tries too often."""
        found = await self._in(self._queries, self._read_credentials, name)
        subject = found.name if found else UNKNOWN
        log.warning("sign_in_slowed", account=subject, address=address)
        await self._in(self._queries, self._note, SOMEBODY, address, "sign_in_slowed", subject)

    async def _check(self, password: str, password_hash: str | None) -> bool:
        if self._waiting >= MOST_WAITING:
            raise BusyError("Too many people sign in at this moment. Try again in some seconds.")
        self._waiting += 1
        try:
            return await self._in(self._checks, passwords.check_password, password, password_hash)
        finally:
            self._waiting -= 1

    @staticmethod
    async def _in(pool: ThreadPoolExecutor, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work, *args)

    def _read_session(self, token: str) -> Session | None:
        with connection(self._engine) as conn:
            return sessions.read_session(conn, token)

    def _read_credentials(self, name: str) -> Credentials | None:
        with connection(self._engine) as conn:
            check_schema(conn)
            return accounts.read_credentials(conn, name)

    def _open_session(self, found: Credentials, address: str, former: str | None) -> str:
        with connection(self._engine) as conn:
            return self._new_session(conn, found.account_id, Who(found.name, address), former, by="password")

    def _new_session(self, conn: sa.Connection, account_id: int, who: Who, former: str | None, *, by: str) -> str:
        if former:
            sessions.delete_session(conn, former)
        token = sessions.insert_session(
            conn, account_id, idle_s=self._idle_s, lifetime_s=self._lifetime_s, address=who.address
        )
        audit.insert_entry(conn, who, "sign_in", after={"by": by})
        return token

    def _open_signed_on(self, visitor: Visitor, address: str, former: str | None) -> str:
        with connection(self._engine) as conn:
            check_schema(conn)
            account = _admitted(conn, visitor, Who(visitor.name, address))
            return self._new_session(conn, account.id, Who(account.name, address), former, by="single sign-on")

    def _end_session(self, token: str) -> None:
        with connection(self._engine) as conn:
            session = sessions.read_session(conn, token)
            sessions.delete_session(conn, token)
            if session:
                audit.insert_entry(conn, Who(session.name, session.address), "sign_out")

    def _store_password(self, token: str, session: Session, hashed: str) -> None:
        with connection(self._engine) as conn:
            accounts.update_password(conn, session.account_id, hashed, must_change=False)
            ended = sessions.delete_sessions(conn, session.account_id, but=token)
            who = Who(session.name, session.address)
            audit.insert_entry(conn, who, "change_password", session.name, after={"sessions_ended": ended})

    def _note_failure(self, found: Credentials | None, address: str) -> None:
        subject = found.name if found else UNKNOWN
        log.info("sign_in_failed", account=subject, address=address)
        self._note(SOMEBODY, address, "sign_in_failed", subject)

    def _note(self, name: str, address: str, action: str, subject: str) -> None:
        with connection(self._engine) as conn:
            audit.insert_entry(conn, Who(name, address), action, subject)


def _admitted(conn: sa.Connection, visitor: Visitor, who: Who) -> Account:
    """The visitor's account, made with the first visit, with the roles of today. Raises SignOnError."""
    account = accounts.read_signed_on(conn, visitor.subject)
    if account is not None and account.disabled_at:
        raise SignOnError("Your account here is disabled.")
    if not visitor.roles:
        raise SignOnError("You have no role in FleetFlow; whoever runs the single sign-on can give you one.")
    after = {"roles": sorted(visitor.roles), "by": "single sign-on"}
    if account is None:
        account = accounts.insert_signed_on(conn, visitor.subject, visitor.name, visitor.roles)
        audit.insert_entry(conn, who, "add_account", account.name, after=after)
    elif account.roles != visitor.roles:
        accounts.update_signed_on(conn, account.id, visitor.roles)
        audit.insert_entry(conn, who, "set_roles", account.name, before={"roles": sorted(account.roles)}, after=after)
    return account
