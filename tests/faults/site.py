"""API and worker behind proxies, and every way in which what they depend on can be sick."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from fleetflow.embedded import EmbeddedPostgres
from fleetflow.queue.interface import QUEUE_NAME
from fleetflow.storage.migrate import upgrade
from tests.faults.programs import Programs
from tests.faults.senders import Ledger, sending
from tests.support.children import children_of
from tests.support.proxy import FaultyProxy
from tests.support.queues import port_of, through
from tests.support.rabbitmq import PrivateBroker
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FULL = """
CREATE FUNCTION public.disk_full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER disk_full BEFORE INSERT OR UPDATE ON telemetry.trip_logs EXECUTE FUNCTION public.disk_full();
CREATE TRIGGER disk_full BEFORE INSERT ON telemetry.driver_scores EXECUTE FUNCTION public.disk_full();
"""
ROOM_AGAIN = """
DROP TRIGGER disk_full ON telemetry.driver_scores;
DROP TRIGGER disk_full ON telemetry.trip_logs;
DROP FUNCTION public.disk_full;
"""
CUT_ALL = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'fleetflow-%'
"""
AS_SHIPPED = {"STORAGE_TIMEOUT_S": 4, "LEASE_S": 30, "SWEEP_S": 5}
"""The default times, where figures are measured; tests are in a hurry."""
FIRST_TRIP_S, FIRST_WAKE_UP_S = 3.0, 15.0
"""What is promised of Postgres' and the broker's return."""
QUEUES = f'[Queue || Queue <- rabbit_amqqueue:list(), element(4, element(2, Queue)) =:= <<"{QUEUE_NAME}">>]'


@dataclass
class Site:
    """What runs, how to reach it, and what clients were promised so far."""

    server: EmbeddedPostgres
    broker: PrivateBroker
    to_postgres: FaultyProxy
    to_broker: FaultyProxy
    programs: Programs
    ledger: Ledger = field(default_factory=Ledger)

    @property
    def port(self) -> int:
        """The API's."""
        return self.programs.port


@contextmanager
def running_site(folder: Path, *, workers: int = 1, direct: bool = False, **settings: Any) -> Iterator[Site]:
    """Everything started and ready, with a Postgres (a durable one, since it is killed) and a RabbitMQ of its own.

    `direct`: not by way of the proxies, which are Python and would be measured as well.
    """
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedPostgres(folder / "postgres"))
        upgrade(server.url)
        broker = stack.enter_context(PrivateBroker(folder / "rabbitmq"))
        to_postgres = stack.enter_context(FaultyProxy(port_of(server.url)))
        to_broker = stack.enter_context(FaultyProxy(broker.port))
        programs = stack.enter_context(
            Programs(
                server.url,
                folder,
                reach_database=server.url if direct else through(to_postgres, server.url),
                RABBITMQ_URL=broker.url() if direct else through(to_broker, broker.url()),
                **settings,
            )
        )
        programs.start_api()
        for _ in range(workers):
            programs.start_worker()
        yield Site(server, broker, to_postgres, to_broker, programs)


@contextmanager
def frozen_postgres(site: Site) -> Iterator[None]:
    """All its processes are stopped; connections stay."""
    pids = [site.server.pid or 0, *children_of(site.server.pid or 0)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def killed_postgres(site: Site) -> Iterator[None]:
    """As by a power cut."""
    pid = site.server.pid
    os.kill(pid or 0, signal.SIGKILL)
    wait_until(lambda: site.server.pid is None, what="the end of Postgres")
    try:
        yield
    finally:
        assert site.server.restart_if_ended()


@contextmanager
def full_disk(site: Site) -> Iterator[None]:
    """Postgres has no room for another row; it says so as it would."""
    with psycopg.connect(site.server.url, autocommit=True) as conn:
        conn.execute(FULL)
        try:
            yield
        finally:
            conn.execute(ROOM_AGAIN)


@contextmanager
def locked_table(site: Site) -> Iterator[None]:
    """Somebody's migration holds the trips."""
    with psycopg.connect(site.server.url) as conn:
        conn.execute("LOCK TABLE telemetry.trip_logs IN ACCESS EXCLUSIVE MODE")
        yield
        conn.rollback()


@contextmanager
def no_free_connection(site: Site) -> Iterator[None]:
    """Others have all connections that the server gives, and those of the programs were cut."""
    with ExitStack() as stack:
        first = stack.enter_context(psycopg.connect(site.server.url, autocommit=True))
        ((places,),) = first.execute("SELECT current_setting('max_connections')::int")
        taken = 1
        while taken < places:  # programs that have just begun to connect have one, and no name yet
            first.execute(CUT_ALL)
            taken += _take_free_connections(site, stack)
        yield


def _take_free_connections(site: Site, stack: ExitStack) -> int:
    taken = 0
    with contextlib.suppress(psycopg.OperationalError):
        while True:
            stack.enter_context(psycopg.connect(site.server.url, autocommit=True))
            taken += 1
    return taken


@contextmanager
def cut_sessions(site: Site) -> Iterator[None]:
    """All sessions of the programs are ended, again and again."""
    with psycopg.connect(site.server.url, autocommit=True) as conn:
        conn.execute(CUT_ALL)
        yield
        conn.execute(CUT_ALL)


@contextmanager
def frozen_broker(site: Site) -> Iterator[None]:
    """It answers nothing and closes nothing."""
    site.broker.freeze()
    try:
        yield
    finally:
        site.broker.thaw()


@contextmanager
def restarted_broker(site: Site) -> Iterator[None]:
    """As by a power cut, amid publishing; it is back before the block begins."""
    site.broker.kill()
    site.broker.start()
    yield


@contextmanager
def deleted_queue(site: Site) -> Iterator[None]:
    """By hand, with all that it holds."""
    site.broker.evaluate(f'[rabbit_amqqueue:delete(Queue, false, false, <<"tests">>) || Queue <- {QUEUES}]')
    yield


@contextmanager
def purged_queue(site: Site) -> Iterator[None]:
    """By hand."""
    site.broker.evaluate(f"[rabbit_amqqueue:purge(Queue) || Queue <- {QUEUES}]")
    yield


@contextmanager
def memory_alarm(site: Site) -> Iterator[None]:
    """The broker takes no messages."""
    site.broker.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.0001)")
    try:
        yield
    finally:
        site.broker.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.8)")


@contextmanager
def disk_alarm(site: Site) -> Iterator[None]:
    """The broker takes no messages for want of space."""
    site.broker.evaluate("rabbit_disk_monitor:set_disk_free_limit(10000000000000000)")
    try:
        yield
    finally:
        site.broker.evaluate("rabbit_disk_monitor:set_disk_free_limit(50000000)")


def silenced(way: str) -> Callable[[Site], Any]:
    """The network swallows everything on one way."""

    @contextmanager
    def silent(site: Site) -> Iterator[None]:
        proxy: FaultyProxy = getattr(site, way)
        proxy.blackhole()
        try:
            yield
        finally:
            proxy.heal()

    return silent


def refused(way: str) -> Callable[[Site], Any]:
    """Connections are reset, and new ones turned away."""

    @contextmanager
    def cut(site: Site) -> Iterator[None]:
        proxy: FaultyProxy = getattr(site, way)
        proxy.refuse()
        try:
            yield
        finally:
            proxy.heal()

    return cut


OF_POSTGRES: dict[str, Callable[[Site], Any]] = {
    "Postgres frozen": frozen_postgres,
    "Postgres killed": killed_postgres,
    "Postgres cut off": refused("to_postgres"),
    "Postgres silent": silenced("to_postgres"),
    "Postgres without disk space": full_disk,
    "Postgres without a free connection": no_free_connection,
    "trips locked": locked_table,
    "sessions cut": cut_sessions,
}
OF_BROKER: dict[str, Callable[[Site], Any]] = {
    "broker frozen": frozen_broker,
    "broker restarted": restarted_broker,
    "broker cut off": refused("to_broker"),
    "broker silent": silenced("to_broker"),
    "broker short of memory": memory_alarm,
    "broker short of disk space": disk_alarm,
    "queue deleted": deleted_queue,
    "queue purged": purged_queue,
}


def seconds_to_the_first_trip(site: Site) -> float:
    """Kill Postgres and have it started again: how long after its return a trip is taken."""
    with killed_postgres(site):
        pass
    began = time.monotonic()
    ledger = Ledger()
    with sending(site.port, ledger, senders=1):
        wait_until(lambda: ledger.accepted, what="a trip after Postgres came back")
        return time.monotonic() - began


def seconds_to_the_first_wake_up(site: Site) -> float:
    """Kill the broker and start it again: how long after its return workers are woken."""
    with restarted_broker(site):
        pass
    began = time.monotonic()
    wait_until(lambda: _queue(site) == "ok", what="the broker's return")
    return time.monotonic() - began


def _queue(site: Site) -> object:
    return httpx.get(f"http://127.0.0.1:{site.port}/readyz", timeout=5).json().get("queue")
