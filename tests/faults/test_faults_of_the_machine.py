"""A full disk, no memory, a network that swallows packets, clocks that are wrong by an hour: nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from signal import SIGKILL
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from fleetflow.embedded import EmbeddedPostgres
from fleetflow.storage.claims import claim_fresh, hand_back
from fleetflow.storage.database import connection
from fleetflow.storage.migrate import upgrade
from fleetflow.storage.trips import insert_trips
from tests.faults.conftest import rows, states
from tests.faults.five import assert_the_five
from tests.faults.programs import Programs
from tests.faults.senders import Ledger, probing, sending
from tests.faults.site import running_site
from tests.support.crashing import POISON_POINTS
from tests.support.machine import dropped, filled, own_network, small_disk, under_clock, with_memory
from tests.support.trips import new_trip, trip_body
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    import httpx
    import sqlalchemy as sa

pytestmark = [pytest.mark.faults, pytest.mark.postgres, pytest.mark.long, pytest.mark.timeout(120)]
ATTEMPTS = "SELECT id, attempts FROM telemetry.trip_logs WHERE attempts > 1 OR status = 'PROCESSING'"
DISK_MB, MEMORY_MB = 160, 500
ANSWER_S, BACK_S = 5.0, 15.0
JSON = {"Content-Type": "application/json"}


def more(ledger: Ledger, count: int = 10) -> None:
    before = len(ledger.accepted)
    wait_until(lambda: len(ledger.accepted) >= before + count, BACK_S, what=f"{count} more trips")


def test_a_disk_that_is_full_costs_no_trip_that_was_taken(tmp_path: Path):
    ledger = Ledger()
    with small_disk(tmp_path / "disk", DISK_MB) as disk, EmbeddedPostgres(disk / "data") as server:
        upgrade(server.url)
        with Programs(server.url, tmp_path) as programs:
            programs.start_api()
            programs.start_worker()
            with sending(programs.port, ledger):
                more(ledger)
                with filled(disk):
                    wait_until(lambda: ledger.said()["503"] >= 20, 60, what="refusals for want of space")
                server.restart_if_ended()  # as the supervisor does: without space for its log, Postgres ends
                more(ledger)
            assert set(ledger.said()) == {"202", "503"}
            assert ledger.p99_s() < ANSWER_S
            assert_the_five(programs, ledger.accepted)


@pytest.mark.rabbitmq
def test_a_network_that_swallows_packets_is_answered_in_time_and_heals_by_itself(tmp_path: Path):
    alive_s: list[float] = []
    with own_network(), running_site(tmp_path, STORAGE_TIMEOUT_S=4, QUEUE_TIMEOUT_S=1) as site:
        ledger = site.ledger
        with sending(site.port, ledger, pause_s=0.02), probing(site.port, alive_s):
            more(ledger)
            with dropped(site.to_broker.port):
                more(ledger, 100)
            assert set(ledger.said()) == {"202"}
            with dropped(site.to_postgres.port):
                wait_until(lambda: ledger.said()["503"] >= 4, 2 * ANSWER_S, what="refusals")
            more(ledger)
        assert set(ledger.said()) == {"202", "503"}
        assert ledger.p99_s() < ANSWER_S
        assert_the_five(site.programs, ledger.accepted)


@pytest.mark.parametrize("shift", ["+1h", "-1h"])
def test_clocks_that_are_wrong_by_an_hour_change_neither_leases_nor_the_future(
    shift: str, engine: sa.Engine, programs: Programs, client: httpx.Client
):
    trips, token = [new_trip() for _ in range(3)], uuid4()
    with connection(engine) as conn:
        insert_trips(conn, trips)
        (held,) = claim_fresh(conn, token, lease_s=60, max_trips=1, max_points=1)
        (left,) = claim_fresh(conn, uuid4(), lease_s=0.01, max_trips=1, max_points=1)
    programs.start_api(under=under_clock(shift))
    programs.start("worker", under=under_clock(shift))
    now = datetime.now(UTC)
    times = {"now": now, "late": now - timedelta(minutes=55), "future": now + timedelta(minutes=55)}
    answers = {
        name: client.post("/api/v1/telemetry", content=trip_body(timestamp=at.isoformat()), headers=JSON)
        for name, at in times.items()
    }
    assert {name: answer.status_code for name, answer in answers.items()} == {"now": 202, "late": 202, "future": 400}
    wait_until(lambda: states(engine) == {"COMPLETED": 4, "PROCESSING": 1}, what="all trips but the one that is held")
    assert dict(rows(engine, ATTEMPTS)) == {held.id: 1, left.id: 2}
    with connection(engine) as conn:
        hand_back(conn, token)
    assert_the_five(programs, [trip.id for trip in trips])


def test_a_trip_that_takes_all_memory_costs_its_worker_and_nobody_else(engine: sa.Engine, programs: Programs):
    poison, neighbour = new_trip([-0.5] * POISON_POINTS), new_trip()
    with connection(engine) as conn:
        insert_trips(conn, [poison, neighbour])
    with with_memory(MEMORY_MB) as bounded:
        for _ in range(2):
            dying = programs.start("tests.support.crashing", "worker-eats-memory-on-a-trip", under=bounded)
            assert programs.exit_code(dying) == -SIGKILL
    programs.start("worker", MAX_ATTEMPTS=2)
    assert_the_five(programs, [poison.id, neighbour.id], failed=[poison.id])
