"""What leaves a trace besides the actions of pages: commands that write or take data out, and files."""

from __future__ import annotations

from uuid import uuid4

import pytest

from dashboard import acting
from fleetflow.__main__ import main
from fleetflow.access import AccessDeniedError, Role
from fleetflow.storage import registers, sessions
from fleetflow.storage.database import connection
from tests.integration.test_rescoring import HARD, insert_trip, store
from tests.support.people import signed_in

pytestmark = pytest.mark.postgres


def entries(engine) -> list[tuple[str, str]]:
    """Action and subject, the oldest first."""
    with connection(engine) as conn:
        found = registers.list_audit_entries(conn).iloc[::-1]
    return list(zip(found["action"], found["subject"], strict=True))


@pytest.fixture
def command(database_url, monkeypatch):
    monkeypatch.setenv("FLEETFLOW_DATABASE_URL", database_url)

    def run(*words: object) -> None:
        assert main([str(each) for each in words]) == 0

    return run


def test_every_command_that_writes_or_takes_data_out_is_in_the_log(engine, command, tmp_path):
    insert_trip(engine, HARD)
    version = store(engine)
    file = tmp_path / "fleet.dump"
    command("rescore", "--profile", version, "--since", "2026-01-01", "--by", "Simulated Kim")
    command("rescore", "--cancel")
    command("rescore", "--profile", version, "--activate", "--note", "a try")
    command("reanalyse")
    command("reanalyse", "--cancel")
    command("account", "add", "ann", "--role", "admin")
    command("key", "add", "depot", "--scope", "write")
    command("backup", file)
    logged = entries(engine)
    assert [action for action, _ in logged] == [
        "rescore", "cancel_run", "activate_profile", "reanalyse", "cancel_reanalysis", "add_account", "add_key",
        "backup",
    ]  # fmt: skip
    assert logged[0] == ("rescore", f"profile {version}")
    engine.dispose()
    command("restore", "--replace", file)
    assert entries(engine) == [*logged, ("restore", "fleet.dump")]
    with connection(engine) as conn:
        found = registers.list_audit_entries(conn)
    assert found["actor"].str.startswith("command line").all()
    assert found["after"].iloc[-1]["by"] == "Simulated Kim"


def test_a_file_that_leaves_is_in_the_log_with_who_took_it(engine, database_url):
    with signed_in(database_url, Role.SAFETY_OFFICER, name="simulated ann") as token:
        acting.note_download(database_url, token, "events", "fleetflow-events.csv", 1234)
    with connection(engine) as conn:
        entry = registers.list_audit_entries(conn).iloc[0]
    assert tuple(entry[["actor", "address", "action", "subject"]]) == (
        "simulated ann", "192.0.2.7", "download", "fleetflow-events.csv",
    )  # fmt: skip
    assert entry["after"] == {"page": "events", "bytes": 1234}


def test_a_file_of_a_page_that_one_may_not_open_does_not_leave(engine, database_url):
    with signed_in(database_url, Role.SAFETY_OFFICER) as token:
        with pytest.raises(AccessDeniedError, match="Your role"):
            acting.note_download(database_url, token, "audit", "fleetflow-audit.csv", 1)
        assert entries(engine) == [("refused", "fleetflow-audit.csv")]
        with connection(engine) as conn:
            sessions.delete_session(conn, token)
        for ended in (token, str(uuid4()), ""):
            with pytest.raises(AccessDeniedError, match="signed out"):
                acting.note_download(database_url, ended, "events", "fleetflow-events.csv", 1)
    assert len(entries(engine)) == 1
