"""What both ways of being woken promise, tried on real servers through a network that fails."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from fleetflow.errors import QueueUnavailableError
from tests.support.proxy import FaultyProxy
from tests.support.queues import (
    TIMEOUT_S,
    Backend,
    in_background,
    port_of,
    publish,
    receive,
    seconds_of,
    through,
)
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.queue import Consumer, Publisher

BACKENDS = [
    pytest.param(("rabbitmq", "rabbitmq_url"), id="rabbitmq", marks=pytest.mark.rabbitmq),
    pytest.param(("postgres", "database_url"), id="postgres", marks=pytest.mark.postgres),
]
SLACK_S = 1.0
"""A busy machine's delays, on top of a deadline."""


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    name, fixture = request.param
    url = request.getfixturevalue(fixture)
    with FaultyProxy(port_of(url)) as proxy:
        backend = Backend(name, through(proxy, url), proxy)
        yield backend
        proxy.heal()
        backend.close()


def trips(count: int) -> list[UUID]:
    return [uuid4() for _ in range(count)]


def test_publishing_wakes_a_waiting_receiver(backend: Backend):
    consumer, publisher = backend.consumer(), backend.publisher()
    publisher.publish([])
    [trip] = trips(1)
    timer = threading.Timer(0.1, publisher.publish, [[trip]])
    timer.start()
    deliveries = consumer.receive(10, 20.0)
    assert [delivery.trip_id for delivery in deliveries] == [trip]
    timer.join()


def test_publish_says_how_many_trips_the_queue_took(backend: Backend):
    backend.consumer()
    publisher = backend.publisher()
    assert publisher.publish(trips(50)) == 50
    assert publisher.publish([]) == 0


def test_every_trip_of_several_publishers_reaches_a_receiver(backend: Backend):
    consumers = [backend.consumer() for _ in range(2)]
    publishers = [backend.publisher() for _ in range(3)]
    announced = [trips(20) for _ in publishers]
    heard: set[UUID] = set()
    complete = threading.Event()

    # RabbitMQ 3.10 sometimes refuses or hangs up on those who meet a newborn quorum queue. Workers come back and the
    # announcer says it again; so do the listeners and publishers here.
    def listen(consumer: Consumer) -> None:
        while not complete.is_set():
            with contextlib.suppress(QueueUnavailableError):
                heard.update(delivery.trip_id for delivery in consumer.receive(7, 0.1))

    def announce(publisher: Publisher, trip_ids: list[UUID]) -> None:
        wait_until(lambda: publisher.publish(trip_ids) == len(trip_ids), what="all trips taken")

    with in_background(lambda: listen(consumers[0])), in_background(lambda: listen(consumers[1])):
        for publisher, trip_ids in zip(publishers, announced, strict=True):
            threading.Thread(target=announce, args=[publisher, trip_ids]).start()
        try:
            wait_until(lambda: len(heard) == 60, what="all trips")
        finally:
            complete.set()
    assert heard == {trip for trip_ids in announced for trip in trip_ids}


def test_receive_returns_no_more_than_was_asked_for_and_keeps_the_rest(backend: Backend):
    consumer, publisher = backend.consumer(), backend.publisher()
    announced = trips(5)
    publisher.publish(announced)
    heard: list[UUID] = []
    while len(heard) < 5:
        deliveries = consumer.receive(2, 5.0)
        assert 1 <= len(deliveries) <= 2
        heard += [delivery.trip_id for delivery in deliveries]
    assert heard == announced


def test_receive_waits_for_its_time_and_no_longer(backend: Backend):
    consumer = backend.consumer()
    publish(backend.publisher(), trips(1))
    receive(consumer)  # now the connection stands
    assert 0.3 <= seconds_of(lambda: consumer.receive(1, 0.3)) < 0.3 + SLACK_S
    assert consumer.receive(1, 0.0) == []


def test_interrupt_from_another_thread_ends_a_wait(backend: Backend):
    consumer = backend.consumer()
    timer = threading.Timer(0.1, consumer.interrupt)
    timer.start()
    assert seconds_of(lambda: consumer.receive(1, 20.0)) < 0.1 + SLACK_S
    timer.join()


def test_interrupt_from_a_signal_handler_ends_a_wait(backend: Backend):
    consumer = backend.consumer()
    before = signal.signal(signal.SIGUSR1, lambda *_: consumer.interrupt())
    timer = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGUSR1])
    try:
        timer.start()
        assert seconds_of(lambda: consumer.receive(1, 20.0)) < 0.1 + SLACK_S
    finally:
        timer.join()
        signal.signal(signal.SIGUSR1, before)


def test_an_interrupt_that_comes_before_the_wait_is_not_lost(backend: Backend):
    consumer = backend.consumer()
    consumer.interrupt()
    assert seconds_of(lambda: consumer.receive(1, 20.0)) < SLACK_S


def test_an_interrupt_ends_a_wait_for_a_server_that_does_not_answer(backend: Backend):
    consumer = backend.consumer(queue_timeout_s=20.0)
    backend.proxy.blackhole()
    backend.proxy.cut()
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        consumer.interrupt()

    def work() -> None:
        while not stopped.is_set():
            try:
                consumer.receive(1, 20.0)
            except QueueUnavailableError:
                stopped.wait(0.01)

    timer = threading.Timer(1.0, stop)
    timer.start()
    assert seconds_of(work) < 1.0 + SLACK_S
    timer.join()


def test_both_sides_come_back_after_their_connections_were_cut(backend: Backend):
    consumer, publisher = backend.consumer(), backend.publisher()
    publish(publisher, trips(1))
    receive(consumer)
    backend.proxy.cut()
    with pytest.raises(QueueUnavailableError):
        consumer.receive(1, 5.0)
    [trip] = trips(1)
    wait_until(lambda: announced_and_heard(publisher, trip, consumer), what="a wake-up after the cut")


def announced_and_heard(publisher: Publisher, trip: UUID, consumer: Consumer) -> bool:
    publish(publisher, [trip])
    try:
        return any(delivery.trip_id == trip for delivery in consumer.receive(10, 0.3))
    except QueueUnavailableError:
        return False


def test_a_server_that_is_down_is_said_within_the_deadline_and_found_again(backend: Backend):
    consumer, publisher = backend.consumer(), backend.publisher()
    backend.proxy.refuse()
    with pytest.raises(QueueUnavailableError):
        publisher.publish(trips(1))
    assert seconds_of(lambda: unavailable(backend)) < TIMEOUT_S + SLACK_S
    backend.proxy.heal()
    [trip] = trips(1)
    wait_until(lambda: announced_and_heard(publisher, trip, consumer), what="a wake-up after the outage")


def unavailable(backend: Backend) -> None:
    with pytest.raises(QueueUnavailableError):
        backend.publisher().publish(trips(1))


def test_a_network_that_swallows_everything_hangs_nobody(backend: Backend):
    consumer, publisher = backend.consumer(), backend.publisher()
    publish(publisher, trips(1))
    receive(consumer)
    backend.proxy.blackhole()
    with pytest.raises(QueueUnavailableError):
        publisher.publish(trips(1))
    assert seconds_of(lambda: unavailable(backend)) < TIMEOUT_S + SLACK_S
    assert seconds_of(lambda: receive_briefly(consumer)) < 0.1 + TIMEOUT_S + SLACK_S
    backend.proxy.heal()
    publish(publisher, trips(1))
    assert receive(consumer)


def receive_briefly(consumer: Consumer) -> None:
    consumer.receive(1, 0.1)


def test_closing_does_not_wait_for_a_server_that_does_not_answer(backend: Backend):
    consumer, publisher = backend.consumer(), backend.publisher()
    publish(publisher, trips(1))
    receive(consumer)
    backend.opened.clear()
    backend.proxy.blackhole()
    assert seconds_of(publisher.close) < 2.0 + SLACK_S
    assert seconds_of(consumer.close) < 2.0 + SLACK_S


def test_a_publisher_that_lost_its_connection_while_idle_publishes_at_once(backend: Backend, monkeypatch):
    monkeypatch.setattr("fleetflow.queue.backoff.STABLE_S", 0.0)
    backend.consumer()
    publisher = backend.publisher()
    publish(publisher, trips(1))
    backend.proxy.cut()
    link = publisher._link  # type: ignore[attr-defined]
    if backend.name == "rabbitmq":
        wait_until(lambda: link.current is None, what="the loss")
    assert publisher.publish(trips(1)) == 1


def test_a_full_queue_refuses_without_an_error(backend: Backend):
    publisher = backend.publisher(queue_length=5)
    wait_until(lambda: publisher.publish(trips(10)) < 10, what="a refusal")
    state = backend.state()
    assert state.reachable
    assert (state.ready or 0) < 50


def test_the_state_says_whether_and_why_not(backend: Backend):
    assert backend.state().reachable
    backend.proxy.refuse()
    state = backend.state()
    assert (state.backend, state.reachable) == (backend.name, False)
    assert "cannot be reached" in state.detail


def test_the_state_of_a_silent_server_is_known_within_the_deadline(backend: Backend):
    backend.proxy.blackhole()
    assert seconds_of(backend.state) < 2 * TIMEOUT_S + SLACK_S
    assert not backend.state().reachable
