"""Accounts, sessions and the audit log in a real Postgres."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from fleetflow.access import Role
from fleetflow.storage import accounts, audit, registers, sessions
from fleetflow.storage.accounts import AccountExistsError, AccountMissingError, LastAdminError
from fleetflow.storage.audit import Who
from fleetflow.storage.database import connection

pytestmark = pytest.mark.postgres


def add(conn: sa.Connection, name: str = "ann@example.test", *roles: Role) -> accounts.Account:
    return accounts.insert_account(conn, name, "hash", roles or (Role.ADMIN,), must_change_password=False)


def sign_in(conn: sa.Connection, account: accounts.Account, idle_s: int = 60, lifetime_s: int = 600) -> str:
    return sessions.insert_session(conn, account.id, idle_s=idle_s, lifetime_s=lifetime_s, address="10.0.0.7")


def test_a_name_is_taken_whatever_its_case(engine):
    with connection(engine) as conn:
        add(conn, "Ann@Example.test")
        with pytest.raises(AccountExistsError, match=r"named ann@example\.test already"):
            add(conn, " ann@example.test ")
        assert accounts.read_account(conn, "ANN@example.test").name == "Ann@Example.test"
        with pytest.raises(AccountMissingError):
            accounts.read_account(conn, "bob")


def test_a_session_says_who_is_there_and_holds_no_token(engine):
    with connection(engine) as conn:
        ann = add(conn, "ann", Role.FLEET_MANAGER, Role.SAFETY_OFFICER)
        token = sign_in(conn, ann)
        found = sessions.read_session(conn, token)
        assert found == sessions.Session(
            ann.id, "ann", frozenset({Role.FLEET_MANAGER, Role.SAFETY_OFFICER}), False, "10.0.0.7"
        )
        stored = conn.execute(sa.text("SELECT sessions::text FROM telemetry.sessions")).scalar_one()
        assert token not in stored
        assert sessions.read_session(conn, token + "x") is None
        assert sessions.read_session(conn, "") is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE telemetry.sessions SET expires_at = now()",
        "UPDATE telemetry.sessions SET seen_at = now() - interval '61 seconds'",
        "UPDATE telemetry.accounts SET disabled_at = now()",
        "DELETE FROM telemetry.sessions",
    ],
    ids=["expired", "idle", "disabled", "revoked"],
)
def test_a_session_ends(engine, change):
    with connection(engine) as conn:
        token = sign_in(conn, add(conn))
        assert sessions.read_session(conn, token)
        conn.execute(sa.text(change))
        assert sessions.read_session(conn, token) is None


def test_a_session_in_use_does_not_become_idle(engine):
    with connection(engine) as conn:
        token = sign_in(conn, add(conn))
        conn.execute(sa.text("UPDATE telemetry.sessions SET seen_at = now() - interval '50 seconds'"))
        assert sessions.read_session(conn, token)
        fresh = conn.scalar(sa.text("SELECT seen_at = now() FROM telemetry.sessions"))
        assert fresh


def test_signing_in_clears_away_what_has_ended(engine):
    with connection(engine) as conn:
        ann = add(conn)
        sign_in(conn, ann)
        conn.execute(sa.text("UPDATE telemetry.sessions SET expires_at = now() - interval '1 second'"))
        sign_in(conn, ann)
        assert conn.scalar(sa.text("SELECT count(*) FROM telemetry.sessions")) == 1


def test_all_sessions_of_a_person_end_but_the_one_that_asks(engine):
    with connection(engine) as conn:
        ann, bob = add(conn, "ann"), add(conn, "bob")
        mine, other, his = sign_in(conn, ann), sign_in(conn, ann), sign_in(conn, bob)
        assert sessions.delete_sessions(conn, ann.id, but=mine) == 1
        alive = [token for token in (mine, other, his) if sessions.read_session(conn, token)]
        assert alive == [mine, his]


def test_an_account_that_is_disabled_has_no_credentials(engine):
    with connection(engine) as conn:
        add(conn, "ann")
        bob = add(conn, "bob", Role.SAFETY_OFFICER)
        assert accounts.read_credentials(conn, "BOB")
        accounts.disable_account(conn, bob.id)
        assert accounts.read_credentials(conn, "bob") is None
        accounts.enable_account(conn, bob.id)
        assert accounts.read_credentials(conn, "bob")


def test_the_last_admin_stays(engine):
    with connection(engine) as conn:
        ann = add(conn, "ann", Role.ADMIN)
        with pytest.raises(LastAdminError):
            accounts.update_roles(conn, ann.id, [Role.FLEET_MANAGER])


def test_two_admins_who_disable_each_other_at_once_leave_one(engine):
    with connection(engine) as conn:
        both = [add(conn, "ann"), add(conn, "bob")]

    def disable(account: accounts.Account) -> bool:
        try:
            with connection(engine) as conn:
                accounts.disable_account(conn, account.id)
        except LastAdminError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(disable, both)) == [False, True]


def fill_log(engine: sa.Engine, count: int = 3) -> None:
    for number in range(count):
        with connection(engine) as conn:
            audit.insert_entry(
                conn, Who("ann", "10.0.0.7"), "profile_applied", f"profile {number}", after={"n": number}
            )


def test_the_log_says_who_did_what_and_can_be_searched(engine):
    fill_log(engine)
    with connection(engine) as conn:
        audit.insert_entry(conn, Who("100% bob"), "sign_in", before={"a": [1, None]})
        newest = registers.list_audit_entries(conn).iloc[0]
        assert (newest["id"], newest["actor"], newest["action"], newest["before"]) == (
            4, "100% bob", "sign_in", {"a": [1, None]},
        )  # fmt: skip
        assert list(registers.list_audit_entries(conn, text="PROFILE 1")["id"]) == [2]
        assert list(registers.list_audit_entries(conn, text="100%")["id"]) == [4]
        assert list(registers.list_audit_entries(conn, action="profile_applied", limit=2)["id"]) == [3, 2]
        assert registers.list_audit_entries(conn, since=datetime.now(UTC) + timedelta(hours=1)).empty
        assert registers.list_audit_actions(conn) == ["profile_applied", "sign_in"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE telemetry.audit_log SET actor = 'nobody'",
        "DELETE FROM telemetry.audit_log",
        "TRUNCATE telemetry.audit_log",
    ],
)
def test_the_log_cannot_be_changed(engine, database_url, statement):
    fill_log(engine)
    with psycopg.connect(database_url) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)


TAMPERING = {
    "a changed row": ("UPDATE telemetry.audit_log SET actor = 'nobody' WHERE id = 2", 2),
    "a changed value": ("UPDATE telemetry.audit_log SET after = '{\"n\": 7}' WHERE id = 3", 3),
    "a changed time": ("UPDATE telemetry.audit_log SET at = at - interval '1 hour' WHERE id = 1", 1),
    "a row that is gone": ("DELETE FROM telemetry.audit_log WHERE id = 2", 3),
    "a row that was forged": (
        "UPDATE telemetry.audit_log AS entry SET actor = 'x', hash = telemetry.audit_hash(entry) WHERE id = 1", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERING)
def test_what_an_owner_of_the_database_changes_all_the_same_is_found(engine, database_url, how):
    fill_log(engine, 4)
    statement, broken = TAMPERING[how]
    with connection(engine) as conn:
        assert audit.find_broken(conn) is None
        head = audit.read_head(conn)
        assert head
        assert audit.has_entry(conn, head)
    with psycopg.connect(database_url) as conn:
        conn.execute("ALTER TABLE telemetry.audit_log DISABLE TRIGGER ALL")
        conn.execute(statement)
    with connection(engine) as conn:
        assert audit.find_broken(conn) == broken


def test_a_log_that_lost_its_end_is_told_by_the_head_that_was_noted(engine, database_url):
    fill_log(engine, 4)
    with connection(engine) as conn:
        head = audit.read_head(conn)
    assert head
    with psycopg.connect(database_url) as conn:
        conn.execute("ALTER TABLE telemetry.audit_log DISABLE TRIGGER ALL")
        conn.execute("DELETE FROM telemetry.audit_log WHERE id = 4")
    with connection(engine) as conn:
        assert audit.find_broken(conn) is None
        assert not audit.has_entry(conn, head)


def test_entries_written_at_once_make_one_chain(engine):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: fill_log(engine, 5), range(4)))
    with connection(engine) as conn:
        assert audit.find_broken(conn) is None
        assert sorted(registers.list_audit_entries(conn)["id"]) == list(range(1, 21))


def test_what_is_rolled_back_leaves_no_entry_and_no_gap(engine):
    with engine.connect() as conn:
        audit.insert_entry(conn, Who("ann"), "sign_in")
        conn.rollback()
    fill_log(engine, 2)
    with connection(engine) as conn:
        assert list(registers.list_audit_entries(conn)["id"]) == [2, 1]
