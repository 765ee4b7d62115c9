"""Accounts and the audit log by command, and the first accounts of an installation."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import psycopg
import pytest
from pydantic import SecretStr

from fleetflow import passwords, people
from fleetflow.commands import account as account_command
from fleetflow.commands import audit as audit_command
from fleetflow.storage import accounts, audit, registers, sessions
from fleetflow.storage.accounts import LastAdminError
from fleetflow.storage.audit import Who
from fleetflow.storage.database import connection
from tests.support.people import signed_in
from tests.support.programs import make_settings

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.postgres


def log(engine) -> pd.DataFrame:
    with connection(engine) as conn:
        return registers.list_audit_entries(conn)


def command(module, database_url: str, *argv: str) -> int:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return int(module.run(parser.parse_args(argv), make_settings(database_url=SecretStr(database_url))))


def test_the_command_manages_accounts(engine, database_url: str, capsys):
    command(account_command, database_url, "add", "ann", "--role", "admin", "--role", "safety_officer")
    first = capsys.readouterr().out
    command(account_command, database_url, "reset", "ANN")
    assert capsys.readouterr().out != first
    command(account_command, database_url, "add", "bob", "--role", "fleet_manager")
    command(account_command, database_url, "disable", "bob")
    command(account_command, database_url, "list")
    listed = capsys.readouterr().out
    assert "admin, safety_officer" in listed
    assert "disabled" in listed
    with pytest.raises(LastAdminError):
        command(account_command, database_url, "disable", "ann")
    command(account_command, database_url, "enable", "bob")
    assert "bob is enabled." in capsys.readouterr().out
    assert list(log(engine)["action"])[::-1] == [
        "add_account", "reset_account", "add_account", "disable_account", "enable_account",
    ]  # fmt: skip
    assert set(log(engine)["address"]) == {"this machine"}


def test_a_reset_ends_the_sessions_and_asks_for_another_password(engine, database_url: str):
    with signed_in(database_url, name="ann") as token, connection(engine) as conn:
        login = people.reset_password(conn, "ann")
        assert sessions.read_session(conn, token) is None
        found = accounts.read_credentials(conn, "ann")
        assert found
        assert found.must_change_password
        assert passwords.check_password(login.password, found.password_hash)


def test_the_first_accounts_are_made_once(engine):
    with connection(engine) as conn:
        made = people.add_first_accounts(conn, Who("test"), demo=True)
        assert [login.name for login in made] == ["admin", "manager (simulated)", "officer (simulated)"]
        assert people.add_first_accounts(conn, Who("test"), demo=True) == []
        first = accounts.read_credentials(conn, "admin")
        assert first
        assert passwords.check_password(made[0].password, first.password_hash)
        assert not first.must_change_password


def test_the_command_verifies_the_log(engine, database_url: str, capsys):
    assert command(audit_command, database_url, "verify") == 0
    assert "empty" in capsys.readouterr().out
    with connection(engine) as conn:
        for name in ("ann", "bob", "carl"):
            audit.insert_entry(conn, Who(name), "sign_in")
    assert command(audit_command, database_url, "verify") == 0
    head = capsys.readouterr().out.split()[-1]
    assert head.startswith("3:")
    assert command(audit_command, database_url, "verify", "--head", head) == 0
    assert command(audit_command, database_url, "verify", "--head", f"3:{'0' * 64}") == 1
    assert "Entry 3 is gone" in capsys.readouterr().out
    with psycopg.connect(database_url) as raw:
        raw.execute("ALTER TABLE telemetry.audit_log DISABLE TRIGGER ALL")
        raw.execute("UPDATE telemetry.audit_log SET actor = 'mallory' WHERE id = 2")
    assert command(audit_command, database_url, "verify") == 1
    assert "Entry 2 does not follow" in capsys.readouterr().out
    with psycopg.connect(database_url) as raw:
        raw.execute("DELETE FROM telemetry.audit_log WHERE id = 2")
    assert command(audit_command, database_url, "verify") == 1
    assert "Entry 3 does not follow" in capsys.readouterr().out
