"""What being woken through Postgres does beyond the contract: a bounded window, silence that is noticed, garbage."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg
import pytest

from fleetflow.errors import ConfigurationError, QueueUnavailableError
from fleetflow.queue import Fate, open_consumer, open_publisher
from fleetflow.queue.postgres import CHANNEL, PostgresConsumer, PostgresPublisher
from tests.support.proxy import FaultyProxy
from tests.support.queues import TIMEOUT_S, make_settings, port_of, publish, receive, seconds_of, through
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres
SLACK_S = 1.0


@pytest.fixture
def publisher(database_url: str) -> Iterator[PostgresPublisher]:
    publisher = PostgresPublisher(database_url, queue_length=200, timeout_s=TIMEOUT_S)
    yield publisher
    publisher.close()


@pytest.fixture
def consumer(database_url: str) -> Iterator[PostgresConsumer]:
    consumer = PostgresConsumer(database_url, queue_length=10, timeout_s=TIMEOUT_S)
    consumer.receive(1, 0.0)
    yield consumer
    consumer.close()


def trips(count: int) -> list[UUID]:
    return [uuid4() for _ in range(count)]


def test_a_listener_keeps_only_the_latest_of_what_nobody_asked_for(publisher, consumer):
    announced = trips(35)
    publisher.publish(announced)
    heard = [delivery.trip_id for delivery in receive(consumer, 10)]
    assert heard == announced[-10:]
    assert consumer.receive(100, 0.1) == []


def test_a_connecting_listener_returns_at_once_because_it_may_have_missed_something(database_url):
    consumer = PostgresConsumer(database_url, queue_length=10, timeout_s=TIMEOUT_S)
    assert seconds_of(lambda: consumer.receive(1, 20.0)) < SLACK_S
    consumer.close()


def test_a_notification_that_names_no_trip_is_passed_over(database_url, publisher, consumer):
    with psycopg.connect(database_url, autocommit=True) as conn:
        for payload in ("", "nonsense", "x" * 36, "\N{DELIVERY TRUCK}" * 9):
            conn.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
    [trip] = trips(1)
    publisher.publish([trip])
    assert [delivery.trip_id for delivery in receive(consumer)] == [trip]


def test_deliveries_need_no_settling(publisher, consumer):
    publisher.publish(trips(1))
    [delivery] = receive(consumer)
    assert delivery.tag is None
    for fate in Fate:
        consumer.settle([delivery], fate)
    assert consumer.receive(1, 0.1) == []


def test_a_listener_that_hears_nothing_asks_whether_the_server_is_there(database_url, monkeypatch):
    monkeypatch.setattr("fleetflow.queue.postgres.PROBE_AFTER_S", 0.0)
    with FaultyProxy(port_of(database_url)) as proxy:
        consumer = PostgresConsumer(through(proxy, database_url), queue_length=10, timeout_s=TIMEOUT_S)
        consumer.receive(1, 0.0)
        assert consumer.receive(1, 0.1) == []
        proxy.blackhole()
        with pytest.raises(QueueUnavailableError, match="does not answer"):
            consumer.receive(1, 0.1)
        consumer.close()


def test_terminated_backends_are_replaced(database_url, publisher, consumer):
    publisher.publish(trips(1))
    receive(consumer)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(QueueUnavailableError, match="was lost"):
        consumer.receive(1, 5.0)
    wait_until(lambda: listens(consumer), what="the new connection")
    publish(publisher, trips(1))
    assert receive(consumer)


def listens(consumer: PostgresConsumer) -> bool:
    try:
        consumer.receive(1, 0.0)
    except QueueUnavailableError:
        return False
    return True


def test_an_interrupt_after_the_close_touches_nothing(database_url):
    consumer = PostgresConsumer(database_url, queue_length=10, timeout_s=TIMEOUT_S)
    consumer.close()
    consumer.interrupt()


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_the_url_may_be_written_in_either_way(database_url, scheme):
    url = database_url.replace("postgresql://", f"{scheme}://", 1)
    publisher = open_publisher(make_settings(), url)
    assert publisher.publish(trips(1)) == 1
    publisher.close()


def test_a_url_that_is_none_is_refused_before_anything_connects():
    for open_it in (open_publisher, open_consumer):
        with pytest.raises(ConfigurationError, match="FLEETFLOW_DATABASE_URL"):
            open_it(make_settings(), "mysql://localhost/fleet")


def test_an_error_names_the_reason_and_no_password(database_url):
    url = database_url.replace("fleetflow:", "fleetflow:s3cret", 1)
    publisher = PostgresPublisher(url, queue_length=10, timeout_s=TIMEOUT_S)
    with pytest.raises(QueueUnavailableError, match="password authentication failed") as caught:
        publisher.publish(trips(1))
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
