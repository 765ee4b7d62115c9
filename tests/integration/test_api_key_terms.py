"""What a key is bound to, how often it may call, and how it is replaced: over real HTTP."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from fleetflow.access import Scope
from fleetflow.commands import key as key_command
from fleetflow.storage import keys, registers
from fleetflow.storage.database import connection
from fleetflow.storage.keys import KeyMissingError, KeyState, UsableKey
from ingest_api.keys import Pace
from tests.support.ports import PLAIN
from tests.support.programs import make_settings, running_api

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.postgres
OURS, OTHER = uuid4(), uuid4()
ALL = (Scope.READ, Scope.WRITE)


@pytest.fixture
def with_key() -> Iterator[Callable[[httpx.Client, str], httpx.Client]]:
    """Makes clients of the same API with another key."""
    with ExitStack() as clients:

        def client(api: httpx.Client, key: str) -> httpx.Client:
            headers = {"Authorization": f"Bearer {key}"}
            return clients.enter_context(httpx.Client(base_url=api.base_url, headers=headers, timeout=20, verify=PLAIN))

        yield client


@pytest.fixture
def any_key(engine) -> str:
    """A key for any vehicle, known to the API that `bound` starts."""
    return make_key(engine)


@pytest.fixture
def bound(engine, database_url, with_key, any_key) -> Iterator[httpx.Client]:  # noqa: ARG001 - made before the start
    """An API, called with a key that is bound to the vehicle OURS."""
    key = make_key(engine, vehicle_ids=[OURS])
    with running_api(make_settings(), database_url) as api:
        yield with_key(api, key)


def make_key(engine: sa.Engine, **terms: Any) -> str:
    with connection(engine) as conn:
        return keys.insert_key(conn, "a gateway", ALL, created_by="test", **terms)[1]


def trip(vehicle_id: UUID = OURS) -> dict[str, Any]:
    return {
        "vehicle_id": str(vehicle_id),
        "driver_id": str(uuid4()),
        "data": [{"speed_kmh": 50, "g_force_long": 0.1}],
    }


def post(api: httpx.Client, vehicle_id: UUID = OURS, **headers: str) -> httpx.Response:
    return api.post("/api/v1/telemetry", json=trip(vehicle_id), headers=headers)


def post_batch(api: httpx.Client, *vehicle_ids: UUID) -> httpx.Response:
    lines = b"\n".join(orjson.dumps(trip(each)) for each in vehicle_ids)
    return api.post("/api/v1/telemetry/batch", content=lines, headers={"Content-Type": "application/x-ndjson"})


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def stored(engine: sa.Engine) -> list[UUID]:
    with connection(engine) as conn:
        return list(conn.scalars(sa.text("SELECT vehicle_id FROM telemetry.trip_logs")))


def test_a_bound_key_sends_for_its_vehicles_and_no_other(engine, bound):
    assert post(bound).status_code == 202
    refused = post(bound, OTHER)
    assert problem(refused) == (403, "wrong_vehicle")
    assert refused.json()["errors"] == [
        {"path": "vehicle_id", "message": "is not a vehicle that this key may send for"}
    ]
    assert str(OTHER) not in refused.text
    assert stored(engine) == [OURS]


def test_each_line_of_a_bound_keys_batch_gets_its_verdict(engine, bound):
    answer = post_batch(bound, OURS, OTHER, OURS)
    assert answer.status_code == 202
    lines = [orjson.loads(each) for each in answer.content.splitlines()]
    assert [(each["status"], each.get("code")) for each in lines] == [
        ("QUEUED", None), ("REFUSED", "wrong_vehicle"), ("QUEUED", None),
    ]  # fmt: skip
    assert stored(engine) == [OURS, OURS]
    none_of_ours = post_batch(bound, OTHER, OTHER)
    assert problem(none_of_ours) == (403, "wrong_vehicle")
    assert none_of_ours.json()["errors"][1]["path"] == "line 2: vehicle_id"


def test_a_bound_key_reads_trips_of_its_vehicles_only(bound, with_key, any_key):
    where = post(bound).headers["location"]
    theirs = post(with_key(bound, any_key), OTHER).headers["location"]
    assert bound.get(where).status_code == 200
    unknown = bound.get(f"/api/v1/trip/{uuid4()}")
    for path in (theirs, f"{theirs}/score", f"{theirs}/events"):
        answer = bound.get(path)
        assert problem(answer) == (404, "not_found")
        assert answer.json() == unknown.json()  # whether there is such a trip is not told either
    assert problem(bound.get("/metrics")) == (403, "key_bound")


def test_two_keys_may_number_their_trips_alike(bound, with_key, any_key):
    other = with_key(bound, any_key)
    first = post(bound, **{"Idempotency-Key": "trip 1"})
    assert first.status_code == post(other, OTHER, **{"Idempotency-Key": "trip 1"}).status_code == 202
    assert problem(post(bound, **{"Idempotency-Key": "trip 1"})) == (409, "idempotency_conflict")
    assert post(bound, **{"Idempotency-Key": "x" * 255}).status_code == 202


def test_a_key_that_calls_too_often_waits_and_others_do_not(engine, database_url, with_key):
    slow, other = make_key(engine, per_minute=3), make_key(engine)
    with running_api(make_settings(), database_url) as api:
        hasty = with_key(api, slow)
        assert [post(hasty).status_code for _ in range(3)] == [202, 202, 202]
        for refused in (post(hasty), hasty.get("/metrics"), post_batch(hasty, OURS)):
            assert problem(refused) == (429, "too_many_requests")
            assert 15 <= int(refused.headers["retry-after"]) <= 20
        assert post(with_key(api, other)).status_code == 202
    assert len(stored(engine)) == 4


def test_a_key_without_a_limit_of_its_own_has_that_of_the_settings(engine, database_url, with_key):
    key = make_key(engine)
    with running_api(make_settings(key_requests_per_minute=2), database_url) as api:
        hasty = with_key(api, key)
        assert [post(hasty).status_code for _ in range(3)] == [202, 202, 429]


@given(
    st.integers(1, 50), st.lists(st.one_of(st.just(0.0), st.floats(0, 30)), min_size=1, max_size=150)
)  # fmt: skip
def test_a_key_has_a_minutes_worth_at_once_and_then_its_even_share(per_minute: int, pauses: list[float]):
    pace, key, now, taken = Pace(per_minute), UsableKey(1, frozenset()), 1000.0, 0
    for pause in pauses:
        now += pause
        wait_s = pace.wait_s(key, now)
        taken += wait_s == 0.0
        most = per_minute * (1 + (now - 1000.0) / 60)
        assert taken <= most + 1e-6
        if wait_s:  # one more is in time after that wait, which is never longer than one call's share
            assert 0 < wait_s <= 60 / per_minute + 1e-6
            now += wait_s + 1e-9
            assert pace.wait_s(key, now) == 0.0
            taken += 1


def test_a_replaced_key_stays_good_for_the_overlap_and_the_new_one_has_its_terms(engine):
    old = make_key(engine, vehicle_ids=[OURS], per_minute=60)
    with connection(engine) as conn:
        prefix, new = keys.rotate_key(conn, old[:11], created_by="ann", overlap=timedelta(hours=2))
        ring, (made, replaced) = keys.read_ring(conn), keys.list_keys(conn)
        now = conn.scalar(sa.text("SELECT now()"))
    assert {keys.hash_key(old), keys.hash_key(new)} == ring.usable.keys()
    terms = [(each.name, each.scopes, each.vehicle_ids, each.per_minute) for each in (made, replaced)]
    assert terms == [("a gateway", frozenset(ALL), frozenset([OURS]), 60)] * 2
    assert (made.prefix, made.created_by, made.expires_at) == (prefix, "ann", None)
    assert replaced.expires_at == now + timedelta(hours=2)
    assert [each.state(now) for each in (made, replaced)] == [KeyState.GOOD, KeyState.ENDING]
    assert replaced.state(replaced.expires_at) is KeyState.EXPIRED


def test_a_new_key_lasts_as_long_as_the_old_one_was_made_for(engine):
    with connection(engine) as conn:
        now = conn.scalar(sa.text("SELECT now()"))
    old = make_key(engine, expires_at=now + timedelta(days=30))
    with connection(engine) as conn:
        conn.execute(sa.text("UPDATE telemetry.api_keys SET created_at = created_at - interval '29 days 12 hours'"))
        conn.execute(sa.text("UPDATE telemetry.api_keys SET expires_at = expires_at - interval '29 days 12 hours'"))
        keys.rotate_key(conn, old[:11], created_by="ann", overlap=timedelta(days=7))
        made, replaced = keys.list_keys(conn)
    assert made.expires_at
    assert abs(made.expires_at - made.created_at - timedelta(days=30)) < timedelta(seconds=5)
    assert replaced.expires_at < now + timedelta(days=1)  # it would have ended before the overlap


def test_a_key_is_replaced_once_and_not_after_its_end(engine):
    old, revoked = make_key(engine), make_key(engine)
    with connection(engine) as conn:
        keys.revoke_key(conn, revoked[:11])
        keys.rotate_key(conn, old[:11], created_by="ann", overlap=timedelta())
        assert keys.hash_key(old) not in keys.read_ring(conn).usable
        for prefix in (old[:11], revoked[:11], "ff_00000000"):
            with pytest.raises(KeyMissingError, match=f"no key {prefix} that could be rotated"):
                keys.rotate_key(conn, prefix, created_by="ann", overlap=timedelta())


def test_the_command_binds_limits_and_replaces_keys(engine, database_url, capsys):
    def run(*argv: str) -> str:
        parser = argparse.ArgumentParser()
        key_command.add_arguments(parser)
        key_command.run(parser.parse_args(argv), make_settings(database_url=SecretStr(database_url)))
        return str(capsys.readouterr().out)

    old = run("add", "van", "--scope", "write", "--vehicle", str(OURS), "--per-minute", "60").splitlines()[0]
    said = run("rotate", old[:11], "--overlap-hours", "48")
    new = said.splitlines()[0]
    assert f"{old[:11]} stays good for 48 hours at most." in said
    listed = run("list")
    assert listed.count(str(OURS)) == 2
    assert "replaced, still good" in listed
    with connection(engine) as conn:
        entry = registers.list_audit_entries(conn).iloc[0]
        text = registers.list_audit_entries(conn).to_csv()
    assert (entry["action"], entry["subject"]) == ("rotate_key", old[:11])
    assert entry["after"] == {"new_key": new[:11], "overlap_hours": 48}
    assert old not in text
    assert new not in text


@pytest.mark.parametrize("argv", [["--per-minute", "0"], ["--vehicle", "van"], ["--days", "0"], ["--days", "x"]])
def test_the_command_refuses_terms_that_make_no_sense(argv, capsys):
    parser = argparse.ArgumentParser()
    key_command.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["add", "van", "--scope", "write", *argv])
    assert "usage" in capsys.readouterr().err
