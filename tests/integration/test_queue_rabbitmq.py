"""What RabbitMQ does beyond the contract: fates, dead letters, and what operators and brokers get up to."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pika
import pytest

from fleetflow.errors import ConfigurationError, QueueUnavailableError
from fleetflow.queue import Fate, QueueState, open_publisher, read_state
from fleetflow.queue.interface import DEAD_LETTER_QUEUE_NAME, QUEUE_NAME
from fleetflow.queue.rabbitmq import RabbitMQConsumer, RabbitMQPublisher
from tests.support.ports import free_port
from tests.support.queues import TIMEOUT_S, make_settings, port_of, publish, receive, seconds_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pika.adapters.blocking_connection import BlockingChannel

    from tests.support.rabbitmq import PrivateBroker

pytestmark = pytest.mark.rabbitmq
SLACK_S = 1.0


@pytest.fixture
def publisher(rabbitmq_url: str) -> Iterator[RabbitMQPublisher]:
    publisher = RabbitMQPublisher(rabbitmq_url, queue_length=200, timeout_s=TIMEOUT_S)
    yield publisher
    publisher.close()


@pytest.fixture
def consumer(rabbitmq_url: str) -> Iterator[RabbitMQConsumer]:
    with consuming(rabbitmq_url) as consumer:
        yield consumer


@contextmanager
def consuming(url: str, batch: int = 10) -> Iterator[RabbitMQConsumer]:
    consumer = RabbitMQConsumer(url, queue_length=200, batch=batch, timeout_s=TIMEOUT_S)
    try:
        yield consumer
    finally:
        consumer.close()


@contextmanager
def operator(url: str) -> Iterator[BlockingChannel]:
    """Somebody else's channel."""
    connection = pika.BlockingConnection(pika.URLParameters(url))
    yield connection.channel()
    connection.close()


def state_of(url: str) -> QueueState:
    return read_state(make_settings(rabbitmq_url=url), "")


def await_state(url: str, *, ready: int, dead: int) -> None:
    def counts() -> bool:
        state = state_of(url)
        return (state.ready, state.dead) == (ready, dead)

    wait_until(counts, what=f"{ready} ready and {dead} dead")


def trips(count: int) -> list[UUID]:
    return [uuid4() for _ in range(count)]


def test_what_was_not_settled_is_delivered_again_after_a_close(rabbitmq_url, publisher):
    [trip] = trips(1)
    publish(publisher, [trip])
    with consuming(rabbitmq_url) as first:
        [delivery] = receive(first)
        assert not delivery.redelivered
    with consuming(rabbitmq_url) as second:
        [again] = receive(second)
    assert (again.trip_id, again.redelivered) == (trip, True)


def test_what_is_done_is_gone_also_when_the_consumer_closes_at_once(rabbitmq_url, publisher):
    publish(publisher, trips(20))
    with consuming(rabbitmq_url) as consumer:
        consumer.settle(receive(consumer, 20), Fate.DONE)
    await_state(rabbitmq_url, ready=0, dead=0)


def test_what_can_never_work_goes_to_the_dead_letters(rabbitmq_url, publisher, consumer):
    [trip] = trips(1)
    publish(publisher, [trip])
    consumer.settle(receive(consumer), Fate.DEAD)
    await_state(rabbitmq_url, ready=0, dead=1)
    with operator(rabbitmq_url) as channel:
        _, _, body = channel.basic_get(DEAD_LETTER_QUEUE_NAME, auto_ack=True)
    assert body == str(trip).encode()


def test_what_is_for_later_is_delivered_again(publisher, consumer):
    [trip] = trips(1)
    publish(publisher, [trip])
    consumer.settle(receive(consumer), Fate.LATER)
    [again] = receive(consumer)
    assert (again.trip_id, again.redelivered) == (trip, True)


def test_a_trip_that_is_always_for_later_ends_in_the_dead_letters(rabbitmq_url, publisher, consumer):
    publish(publisher, trips(1))

    def put_off() -> bool:
        consumer.settle(consumer.receive(1, 0.1), Fate.LATER)
        return state_of(rabbitmq_url).dead == 1

    wait_until(put_off, what="the delivery limit")


@pytest.mark.parametrize("body", [b"", b"nonsense", b"\xff" * 36, b"x" * 36, b"{}" * 500_000], ids=len)
def test_a_message_that_names_no_trip_goes_to_the_dead_letters(rabbitmq_url, publisher, consumer, body):
    publisher.publish([])
    with operator(rabbitmq_url) as channel:
        channel.basic_publish("", QUEUE_NAME, body)
    [trip] = trips(1)
    publish(publisher, [trip])
    assert [delivery.trip_id for delivery in receive(consumer)] == [trip]
    await_state(rabbitmq_url, ready=0, dead=1)


def test_a_consumer_holds_no_more_than_twice_its_batch(rabbitmq_url, publisher):
    publish(publisher, trips(50))
    with consuming(rabbitmq_url, batch=10) as consumer:
        held = receive(consumer, 20)
        assert consumer.receive(100, 0.2) == []
        assert len(held) == 20
        await_state(rabbitmq_url, ready=30, dead=0)
        consumer.settle(held[:5], Fate.DONE)
        assert len(receive(consumer, 5)) == 5


def test_settling_a_delivery_of_a_lost_connection_does_nothing(broker, rabbitmq_url, publisher, consumer):
    [trip] = trips(1)
    publish(publisher, [trip])
    lost = receive(consumer)
    close_connections(broker, rabbitmq_url)
    [again] = receive(consumer)
    consumer.settle(lost, Fate.DONE)
    consumer.settle(lost, Fate.DONE)
    consumer.close()
    await_state(rabbitmq_url, ready=1, dead=0)
    assert again.tag != lost[0].tag


def close_connections(broker: PrivateBroker, url: str) -> None:
    """Close all connections to a virtual host from the broker's side."""
    vhost = url.rpartition("/")[2].partition("?")[0]
    broker.evaluate(
        '[rabbit_networking:close_connection(element(6, Each), "by the operator")'
        f' || Each <- rabbit_connection_tracking:list(<<"{vhost}">>)]'
    )


def test_a_deleted_queue_is_made_anew_and_nothing_is_lost(rabbitmq_url, publisher, consumer):
    publish(publisher, trips(1))
    receive(consumer)
    with operator(rabbitmq_url) as channel:
        channel.queue_delete(QUEUE_NAME)
    [trip] = trips(1)
    publish(publisher, [trip])
    assert trip in [delivery.trip_id for delivery in receive(consumer)]


def test_publishing_into_a_deleted_queue_counts_what_was_taken_in_the_end(rabbitmq_url, publisher):
    publish(publisher, trips(3))
    with operator(rabbitmq_url) as channel:
        channel.queue_delete(QUEUE_NAME)
    assert publisher.publish(trips(5)) == 5
    await_state(rabbitmq_url, ready=5, dead=0)


def test_a_queue_of_other_settings_is_named_in_one_line_with_the_way_out(rabbitmq_url, publisher):
    publish(publisher, trips(1))
    other = open_publisher(make_settings(rabbitmq_url=rabbitmq_url, queue_length=77), "")
    with pytest.raises(ConfigurationError, match="rabbitmqctl delete_queue telemetry_analysis") as caught:
        other.publish(trips(1))
    other.close()
    assert "\n" not in str(caught.value)


def test_a_wrong_password_is_said_without_repeating_it(rabbitmq_url):
    publisher = RabbitMQPublisher(rabbitmq_url.replace(":guest@", ":s3cret@"), queue_length=5, timeout_s=TIMEOUT_S)
    with pytest.raises(QueueUnavailableError, match="refuses the user or password") as caught:
        publisher.publish(trips(1))
    publisher.close()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "http://localhost",
        "amqp://h/,",
        "amqp://h/,http://h/",
        "amqp://h:port/",
        "amqp://user@h/",
        "amqp://h/?nonsense=1",
    ],
)
def test_a_url_that_is_none_is_refused_before_anything_connects(url):
    with pytest.raises(ConfigurationError, match="FLEETFLOW_RABBITMQ_URL"):
        open_publisher(make_settings(rabbitmq_url=url), "")


def test_the_state_of_a_broker_without_the_queue_is_reachable_and_makes_none(rabbitmq_url):
    state = state_of(rabbitmq_url)
    assert (state.reachable, state.ready, state.dead) == (True, None, None)
    assert state_of(rabbitmq_url) == state


def test_messages_are_persistent_text(rabbitmq_url, publisher):
    publish(publisher, trips(1))
    with operator(rabbitmq_url) as channel:
        _, properties, _ = channel.basic_get(QUEUE_NAME, auto_ack=True)
    assert (properties.delivery_mode, properties.content_type) == (2, "text/plain")


def test_connections_outlive_owners_that_are_busy_for_longer_than_the_heartbeat(rabbitmq_url):
    url = f"{rabbitmq_url}?heartbeat=1"
    publisher = RabbitMQPublisher(url, queue_length=200, timeout_s=TIMEOUT_S)
    with consuming(url) as consumer:
        publish(publisher, trips(1))
        held = receive(consumer)
        busy_until = time.monotonic() + 4.0  # a broker closes after two heartbeats of silence
        wait_until(lambda: time.monotonic() > busy_until)
        assert publisher.publish(trips(1)) == 1
        consumer.settle(held, Fate.DONE)
        [delivery] = consumer.receive(10, 2.0)
        assert not delivery.redelivered
    publisher.close()
    await_state(rabbitmq_url, ready=1, dead=0)


def test_a_channel_that_the_broker_closes_is_noticed(broker, rabbitmq_url, publisher):
    broker.evaluate("application:set_env(rabbit, channel_tick_interval, 200)")
    broker.evaluate("application:set_env(rabbit, consumer_timeout, 300)")
    try:
        with consuming(rabbitmq_url) as consumer:
            [trip] = trips(1)
            publish(publisher, [trip])
            receive(consumer)
            with pytest.raises(QueueUnavailableError, match="timed out"):
                consumer.receive(1, 10.0)  # was held for too long
            [again] = receive(consumer)
            assert again.trip_id == trip
    finally:
        broker.evaluate("application:set_env(rabbit, consumer_timeout, 1800000)")
        broker.evaluate("application:set_env(rabbit, channel_tick_interval, 60000)")


@contextmanager
def memory_alarm(broker: PrivateBroker) -> Iterator[None]:
    broker.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0)")
    try:
        yield
    finally:
        broker.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.6)")


def test_a_memory_alarm_stops_publishing_with_a_reason_and_nothing_else(broker, rabbitmq_url, publisher, consumer):
    publish(publisher, trips(3))
    with memory_alarm(broker):
        assert seconds_of(lambda: refused(publisher)) < TIMEOUT_S + SLACK_S
        assert seconds_of(lambda: refused(publisher)) < SLACK_S
        consumer.settle(receive(consumer, 3), Fate.DONE)
        assert state_of(rabbitmq_url).reachable
    publish(publisher, trips(1))
    assert receive(consumer)


def refused(publisher: RabbitMQPublisher) -> None:
    with pytest.raises(QueueUnavailableError, match="short of memory"):
        publisher.publish(trips(1))


def test_a_frozen_broker_hangs_nobody_and_is_used_again_when_it_thaws(own_broker):
    url = own_broker.url(own_broker.add_vhost())
    publisher = RabbitMQPublisher(url, queue_length=200, timeout_s=TIMEOUT_S)
    with consuming(url) as consumer:
        publish(publisher, trips(1))
        consumer.settle(receive(consumer), Fate.DONE)
        own_broker.freeze()
        try:
            assert seconds_of(lambda: unanswered(publisher)) < TIMEOUT_S + SLACK_S
            assert seconds_of(lambda: unanswered(publisher)) < TIMEOUT_S + SLACK_S
            assert seconds_of(lambda: consumer.receive(1, 0.2)) < 0.2 + SLACK_S
            assert seconds_of(lambda: state_of(url)) < 2 * TIMEOUT_S + SLACK_S
        finally:
            own_broker.thaw()
        [trip] = trips(1)
        publish(publisher, [trip])
        wait_until(lambda: trip in [delivery.trip_id for delivery in receive(consumer)], what="the trip")
    publisher.close()


def unanswered(publisher: RabbitMQPublisher) -> None:
    with pytest.raises(QueueUnavailableError, match="does not answer"):
        publisher.publish(trips(1))


def test_confirmed_messages_survive_the_death_of_the_broker(own_broker):
    url = own_broker.url(own_broker.add_vhost())
    publisher = RabbitMQPublisher(url, queue_length=200, timeout_s=TIMEOUT_S)
    announced = trips(100)
    with consuming(url, batch=100) as consumer:
        publish(publisher, announced)
        # 3.10 forgets a queue that was made within the last second: it notes the names of queues a little later.
        own_broker.evaluate("[dets:sync(Table) || Table <- dets:all()]")
        own_broker.kill()
        with pytest.raises(QueueUnavailableError):
            publisher.publish(trips(1))
        own_broker.start()
        heard: set[UUID] = set()

        def all_heard() -> bool:
            heard.update(delivery.trip_id for delivery in receive(consumer, timeout_s=20))
            return heard >= set(announced)

        wait_until(all_heard, 30, what="all confirmed messages")
        publish(publisher, trips(1))
    publisher.close()


def test_no_thread_is_left_when_everything_is_closed(rabbitmq_url):
    before = threading.active_count()
    publisher = RabbitMQPublisher(rabbitmq_url, queue_length=200, timeout_s=TIMEOUT_S)
    with consuming(rabbitmq_url) as consumer:
        publish(publisher, trips(1))
        receive(consumer)
    publisher.close()
    assert threading.active_count() == before


def test_a_node_that_is_away_is_passed_over_for_the_next(rabbitmq_url):
    away = rabbitmq_url.replace(f":{port_of(rabbitmq_url)}/", f":{free_port()}/")
    urls = f"{away},{rabbitmq_url}"
    [trip] = trips(1)
    publisher = RabbitMQPublisher(urls, queue_length=5, timeout_s=TIMEOUT_S)
    consumer = RabbitMQConsumer(urls, queue_length=5, batch=5, timeout_s=TIMEOUT_S)
    publish(publisher, [trip])
    assert [delivery.trip_id for delivery in receive(consumer)] == [trip]
    assert state_of(urls).reachable
    publisher.close()
    consumer.close()
