"""API keys over real HTTP: who may call, what it costs to be refused, and how soon a key is gone."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from fleetflow import doors
from fleetflow.access import Scope
from fleetflow.commands import key as key_command
from fleetflow.commands.own_key import own_key
from fleetflow.errors import ConfigurationError
from fleetflow.storage import keys, registers
from fleetflow.storage.database import connection
from ingest_api import keys as keyring
from ingest_api.keys import KeyRing
from ingest_api.problems import ProblemError
from tests.support.people import start_session
from tests.support.ports import free_port
from tests.support.programs import api_processes, make_settings, running_api
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import httpx

pytestmark = pytest.mark.postgres
ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing listens there
LOOPBACK = {"::1": True, "127.8.9.1": True, "localhost": True, "::": False, ANYWHERE: False, "192.168.1.4": False}


def trip() -> dict[str, object]:
    return {
        "vehicle_id": str(uuid4()),
        "driver_id": str(uuid4()),
        "data": [{"speed_kmh": 50, "g_force_long": 0.1}],
    }


def make_key(engine: sa.Engine, *scopes: Scope, expires_at: datetime | None = None) -> str:
    with connection(engine) as conn:
        return keys.insert_key(conn, "a gateway", scopes or [Scope.WRITE], created_by="test", expires_at=expires_at)[1]


def revoke(engine: sa.Engine, key: str) -> None:
    with connection(engine) as conn:
        keys.revoke_key(conn, key[:11])


def post(api: httpx.Client, key: str | None = None, *, path: str = "", scheme: str = "Bearer") -> httpx.Response:
    headers = {"Authorization": f"{scheme} {key}"} if key is not None else {}
    return api.post(f"/api/v1/telemetry{path}", json=trip(), headers=headers)


def is_refused(api: httpx.Client, key: str | None = None) -> bool:
    return post(api, key).status_code == 401


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_a_key_lets_in_what_its_scope_is_good_for(engine, database_url):
    writer, reader = make_key(engine, Scope.WRITE), make_key(engine, Scope.READ)
    with running_api(make_settings(), database_url) as api:
        taken = post(api, writer)
        assert taken.status_code == 202
        where = taken.headers["location"]
        assert api.get(where, headers={"Authorization": f"Bearer {reader}"}).status_code == 200
        assert api.get("/metrics", headers={"Authorization": f"bearer {reader}"}).status_code == 200
        assert code_of(post(api, reader)) == (403, "scope_missing")
        assert code_of(api.get(where, headers={"Authorization": f"Bearer {writer}"})) == (403, "scope_missing")
        for path in (where, f"{where}/score", f"{where}/events", "/metrics"):
            assert code_of(api.get(path)) == (401, "key_missing")
        assert code_of(api.post("/api/v1/telemetry/batch", json=trip())) == (401, "key_missing")
        assert api.get("/healthz").status_code == api.get("/readyz").status_code == 200


def test_what_is_no_good_key_is_refused_with_a_challenge(engine, database_url):
    good = make_key(engine)
    expired = make_key(engine, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    revoked = make_key(engine)
    revoke(engine, revoked)
    session = start_session(database_url)
    bad = ["x", good[:-1], good + "x", good[:11], expired, revoked, session, "y" * 10_000]
    with running_api(make_settings(), database_url) as api:
        for each in bad:
            answer = post(api, each)
            assert code_of(answer) == (401, "key_unknown"), each
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert good not in answer.text
        assert code_of(post(api, good, scheme="Basic")) == (401, "key_unknown")
        assert (
            api.post("/api/v1/telemetry", json=trip(), headers={"Cookie": f"fleetflow_session={session}"}).status_code
            == 401
        )
    with connection(engine) as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM telemetry.trip_logs")) == 0


def test_on_this_machine_trips_are_taken_without_a_key_until_the_first_is_made(engine, database_url):
    with running_api(make_settings(), database_url) as api:
        assert post(api).status_code == 202
        assert code_of(post(api, "made up")) == (401, "key_unknown")
        key = make_key(engine)
        wait_until(lambda: post(api).status_code == 401, 10, what="the end of keyless calls")
        assert post(api, key).status_code == 202
        revoke(engine, key)
        wait_until(lambda: post(api, key).status_code == 401, 10, what="the end of the key")
        assert code_of(post(api)) == (401, "key_missing")  # the door does not open again


def test_a_revoked_key_opens_nothing_after_five_seconds_in_any_process(engine, database_url):
    key = make_key(engine)
    with api_processes(make_settings(), database_url, 2) as apis:
        assert [post(api, key).status_code for api in apis] == [202, 202]
        revoke(engine, key)
        revoked_at = time.monotonic()
        for api in apis:
            wait_until(partial(is_refused, api, key), 10, what="the end of the key")
        assert time.monotonic() - revoked_at < keyring.STALE_S


def test_the_last_use_of_a_key_is_noted(engine):
    used, idle = make_key(engine), make_key(engine)
    ring = KeyRing(keyless=False, per_minute=1000)
    for _ in range(2):  # a beat reads the keys, the one after writes down which were used
        with connection(engine) as conn:
            ring.refresh(conn)
        ring.check(Caller(f"Bearer {used}"), Scope.WRITE)
    with connection(engine) as conn:
        last_uses = {each.prefix: each.last_used_at for each in keys.list_keys(conn)}
        now = conn.scalar(sa.text("SELECT now()"))
    assert last_uses[idle[:11]] is None
    assert now - timedelta(seconds=5) < last_uses[used[:11]] <= now


def test_the_dashboards_own_key_works_beside_others_and_shuts_no_door(engine, database_url):
    with own_key(make_settings(), database_url) as calling, running_api(make_settings(), database_url) as api:
        assert calling.key is not None
        assert post(api).status_code == 202
        assert post(api, calling.key).status_code == 202
        with pytest.raises(ConfigurationError, match="without any key"):
            doors.check_door(make_settings(api_host=ANYWHERE), database_url)
        make_key(engine)
        wait_until(lambda: is_refused(api), 10)
        assert post(api, calling.key).status_code == 202
        own = calling.key
    with running_api(make_settings(), database_url) as api:
        assert is_refused(api, own)


def test_keys_that_were_read_too_long_ago_open_nothing(engine, monkeypatch):
    key = make_key(engine)
    ring = KeyRing(keyless=True, per_minute=1000)
    caller = Caller(f"Bearer {key}")
    with pytest.raises(ProblemError, match="does not answer"):
        ring.check(caller, Scope.WRITE)
    with connection(engine) as conn:
        ring.refresh(conn)
    ring.check(caller, Scope.WRITE)
    monkeypatch.setattr(keyring, "STALE_S", -1.0)
    with pytest.raises(ProblemError, match="does not answer"):
        ring.check(caller, Scope.WRITE)


class Caller:
    """A request with a header."""

    def __init__(self, authorization: str) -> None:
        self.headers = {"authorization": authorization}


def test_an_api_that_strangers_reach_does_not_start_without_a_key(engine, database_url):
    open_to_all = make_settings(api_host=ANYWHERE)
    with pytest.raises(ConfigurationError, match=r"0\.0\.0\.0 without any key.*fleetflow key add NAME --scope write"):
        doors.check_door(open_to_all, database_url)
    doors.check_door(make_settings(api_host="127.0.0.1"), database_url)
    with pytest.raises(ConfigurationError):
        doors.check_door(make_settings(api_host="127.0.0.1", api_keyless=False), database_url)
    make_key(engine)
    doors.check_door(open_to_all, database_url)


def test_an_api_that_cannot_ask_for_its_keys_starts_and_lets_nobody_in():
    gone = f"postgresql://nobody:none@127.0.0.1:{free_port()}/none"
    settings = make_settings(api_host=ANYWHERE)
    doors.check_door(settings, gone)
    assert not doors.may_be_keyless(settings)


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_told_from_everything_else(host: str):
    assert doors.is_loopback(host) is LOOPBACK[host]


def run_command(database_url: str, *argv: str) -> int:
    parser = argparse.ArgumentParser()
    key_command.add_arguments(parser)
    return key_command.run(parser.parse_args(argv), make_settings(database_url=SecretStr(database_url)))


def test_the_command_makes_lists_and_revokes_keys(engine, database_url, capsys):
    assert run_command(database_url, "add", "depot", "--scope", "write", "--scope", "read", "--days", "30") == 0
    key = capsys.readouterr().out.splitlines()[0]
    assert key.startswith("ff_")
    run_command(database_url, "list")
    listed = capsys.readouterr().out
    assert key[:11] in listed
    assert key not in listed
    assert "read, write" in listed
    run_command(database_url, "revoke", key[:11])
    with pytest.raises(keys.KeyMissingError):
        run_command(database_url, "revoke", key[:11])
    with connection(engine) as conn:
        entries = registers.list_audit_entries(conn)
    assert list(entries["action"]) == ["revoke_key", "add_key"]
    assert key not in entries.to_csv()


def test_checking_a_key_costs_a_hash_and_no_query(engine):
    key = make_key(engine)
    ring = KeyRing(keyless=False, per_minute=1_000_000)
    with connection(engine) as conn:
        ring.refresh(conn)
    caller = Caller(f"Bearer {key}")
    fastest = min(timed(lambda: ring.check(caller, Scope.WRITE)) for _ in range(200))
    assert fastest < 100e-6


def timed(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
