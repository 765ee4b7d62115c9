"""Being woken through RabbitMQ: confirmed publishing, bounded prefetch, and nothing that waits without an end."""

from __future__ import annotations

import itertools
import queue
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING

import structlog
from pika.spec import PERSISTENT_DELIVERY_MODE, Basic, BasicProperties

from fleetflow.errors import FleetFlowError, QueueUnavailableError
from fleetflow.queue.interface import QUEUE_NAME, Delivery, Fate, QueueState
from fleetflow.queue.messages import CONTENT_TYPE, read_message, write_message
from fleetflow.queue.session import Link, NoQueueError, Session, parse_nodes
from fleetflow.queue.topology import count_messages, declare_queues

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from pika.channel import Channel
    from pika.connection import Parameters
    from pika.frame import Method

log = structlog.get_logger(__name__)

REDECLARE_PAUSE_S = 0.2
"""A queue that is made anew before its consumers heard of its end keeps them, but loses its first messages to them."""
PREFETCH_FACTOR = 2
"""A worker may keep as many deliveries as it takes at once; as many again can still reach it."""


class _Publication:
    """One call of `publish`: how many messages are unanswered, taken, and came back for want of a queue."""

    def __init__(self, trip_ids: Sequence[UUID]) -> None:
        self.trip_ids = trip_ids
        self.unanswered = len(trip_ids)
        self.taken = 0
        self.returned: list[UUID] = []
        self.done: Future[None] = Future()

    def answered(self, *, taken: bool) -> None:
        self.unanswered -= 1
        self.taken += taken
        if not self.unanswered and not self.done.done():
            self.done.set_result(None)

    def failed(self, error: FleetFlowError) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class _Confirms:
    """A publishing session's role: sends, and matches the broker's answers to what was sent."""

    def __init__(self, queue_length: int) -> None:
        self._queue_length = queue_length
        self._tags = itertools.count(1)
        self._unanswered: dict[int, _Publication] = {}
        self.current: _Publication | None = None

    def prepare(self, channel: Channel, done: Callable[[], None]) -> None:
        channel.add_on_return_callback(self._on_return)
        declare_queues(channel, self._queue_length, lambda: channel.confirm_delivery(self._on_answer, lambda _: done()))

    def send(self, channel: Channel, publication: _Publication) -> None:
        properties = BasicProperties(content_type=CONTENT_TYPE, delivery_mode=PERSISTENT_DELIVERY_MODE)
        for trip_id in publication.trip_ids:
            self._unanswered[next(self._tags)] = publication
            channel.basic_publish("", QUEUE_NAME, write_message(trip_id), properties, mandatory=True)

    def ended(self, error: FleetFlowError) -> None:
        if self.current is not None:
            self.current.failed(error)

    def blocked(self) -> None:
        self.ended(blocked_error())

    def _on_answer(self, answer: Method) -> None:
        method = answer.method
        for tag in self._tags_of(method.delivery_tag, multiple=method.multiple):
            self._unanswered.pop(tag).answered(taken=isinstance(method, Basic.Ack))

    def _tags_of(self, last: int, *, multiple: bool) -> list[int]:
        """The tags that an answer is for; they were inserted in rising order."""
        if not multiple:
            return [last]
        return list(itertools.takewhile(lambda tag: tag <= last, self._unanswered))

    def _on_return(self, _channel: Channel, _method: Basic.Return, _: BasicProperties, body: bytes) -> None:
        if self.current is not None:
            self.current.returned.extend(filter(None, [read_message(body)]))


class RabbitMQPublisher:
    """Publishes persistent, mandatory messages and waits for the broker's confirms, all of a call's at once."""

    def __init__(self, url: str, *, queue_length: int, timeout_s: float) -> None:
        self._nodes = itertools.cycle(parse_nodes(url, name="fleetflow publisher", timeout_s=timeout_s))
        self._queue_length = queue_length
        self._timeout_s = timeout_s
        self._confirms = _Confirms(queue_length)
        self._link = Link(self._open)

    def publish(self, trip_ids: Sequence[UUID]) -> int:
        """See `Publisher.publish`. No trips: only see to it that the queue can be reached."""
        deadline = time.monotonic() + self._timeout_s
        first = self._publish(trip_ids, deadline)
        if not first.returned:
            return first.taken
        self._link.drop()  # somebody deleted the queue; a new session declares it
        time.sleep(REDECLARE_PAUSE_S)
        again = self._publish(first.returned, deadline)
        if again.returned:
            raise QueueUnavailableError(f"RabbitMQ has no queue {QUEUE_NAME}.")
        return first.taken - len(first.returned) + again.taken

    def close(self) -> None:
        """See `Publisher.close`."""
        self._link.drop()

    def _open(self) -> Session:
        self._confirms = _Confirms(self._queue_length)
        return Session(next(self._nodes), self._confirms, timeout_s=self._timeout_s)

    def _publish(self, trip_ids: Sequence[UUID], deadline: float) -> _Publication:
        session = self._link.session()
        session.wait_until_ready(deadline - time.monotonic())
        if session.blocked:
            raise blocked_error()
        publication = _Publication(trip_ids)
        if trip_ids:
            self._exchange(session, publication, deadline)
        return publication

    def _exchange(self, session: Session, publication: _Publication, deadline: float) -> None:
        confirms = self._confirms
        confirms.current = publication  # before sending, so that the session's end finds it
        session.post(lambda channel: confirms.send(channel, publication))
        try:
            publication.done.result(timeout=max(deadline - time.monotonic(), 0.0))
        except FutureTimeoutError:
            raise session.abort() from None
        finally:
            confirms.current = None


class _Intake:
    """A consuming session's role: puts deliveries where `receive` looks, and knows what is not settled."""

    def __init__(
        self, inbox: queue.SimpleQueue[Delivery | None], tags: itertools.count[int], *, queue_length: int, prefetch: int
    ) -> None:
        self._inbox = inbox
        self._tags = tags
        self._queue_length = queue_length
        self._prefetch = prefetch
        self.unsettled: dict[int, int] = {}

    def prepare(self, channel: Channel, done: Callable[[], None]) -> None:
        def consume(_: Method) -> None:
            channel.basic_consume(QUEUE_NAME, self._on_message, callback=lambda _: done())

        def limit() -> None:
            channel.basic_qos(prefetch_count=self._prefetch, callback=consume)

        declare_queues(channel, self._queue_length, limit)

    def settle(self, channel: Channel, broker_tags: Sequence[int], fate: Fate) -> None:
        for tag in broker_tags:
            if fate is Fate.DONE:
                channel.basic_ack(tag)
            else:
                channel.basic_reject(tag, requeue=fate is Fate.LATER)

    def ended(self, _: FleetFlowError) -> None:
        self.unsettled.clear()
        self._inbox.put(None)

    def blocked(self) -> None:
        """An alarm stops publishers; deliveries go on."""

    def _on_message(self, channel: Channel, method: Basic.Deliver, _: BasicProperties, body: bytes) -> None:
        trip_id = read_message(body)
        if trip_id is None:
            log.warning("message_names_no_trip", bytes=len(body))
            channel.basic_reject(method.delivery_tag, requeue=False)
            return
        tag = next(self._tags)
        self.unsettled[tag] = method.delivery_tag
        self._inbox.put(Delivery(trip_id, tag, method.redelivered))


class RabbitMQConsumer:
    """Takes deliveries as they come, keeps its connection alive while its owner works, and opens it in the background.

    `receive` therefore never waits longer than it was told, be the broker frozen, blackholed or gone.
    """

    def __init__(self, url: str, *, queue_length: int, batch: int, timeout_s: float) -> None:
        self._nodes = itertools.cycle(parse_nodes(url, name="fleetflow worker", timeout_s=timeout_s))
        self._queue_length = queue_length
        self._prefetch = PREFETCH_FACTOR * batch
        self._timeout_s = timeout_s
        # SimpleQueue.put is re-entrant: a signal handler may call it while its thread is inside `get`.
        self._inbox: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._tags = itertools.count(1)  # over all connections, so that a tag of a lost one is never taken for another
        self._intake = self._new_intake()
        self._link = Link(self._open)

    def receive(self, limit: int, timeout_s: float) -> list[Delivery]:
        """See `Consumer.receive`."""
        session = self._link.session()
        deliveries = self._take(limit, timeout_s)
        if session.error is not None and not deliveries:
            self._link.note_end()
            raise session.error.with_traceback(None)
        return deliveries

    def settle(self, deliveries: Sequence[Delivery], fate: Fate) -> None:
        """See `Consumer.settle`. Returns at once; the answers go out in order, before a `close`."""
        intake, session = self._intake, self._link.current
        held = [intake.unsettled.pop(each.tag, None) for each in deliveries if each.tag is not None]
        broker_tags = [tag for tag in held if tag is not None]
        if session is None or not broker_tags:
            return
        try:
            session.post(lambda channel: intake.settle(channel, broker_tags, fate))
        except FleetFlowError:
            return  # the connection was lost this moment: the broker delivers them again

    def interrupt(self) -> None:
        """See `Consumer.interrupt`. When nobody waits, the next `receive` returns at once."""
        self._inbox.put(None)

    def close(self) -> None:
        """See `Consumer.close`."""
        self._link.drop()

    def _open(self) -> Session:
        self._intake = self._new_intake()
        return Session(next(self._nodes), self._intake, timeout_s=self._timeout_s)

    def _new_intake(self) -> _Intake:
        return _Intake(self._inbox, self._tags, queue_length=self._queue_length, prefetch=self._prefetch)

    def _take(self, limit: int, timeout_s: float) -> list[Delivery]:
        taken: list[Delivery] = []
        try:
            first = self._inbox.get(timeout=timeout_s) if timeout_s > 0 else self._inbox.get_nowait()
            while first is not None:
                if first.tag in self._intake.unsettled:  # else its connection is gone, and it comes again
                    taken.append(first)
                if len(taken) >= limit:
                    break
                first = self._inbox.get_nowait()
        except queue.Empty:
            pass
        return taken


class _Count:
    """The role of a session that only asks how many messages wait."""

    def __init__(self) -> None:
        self.ready: int | None = None
        self.dead: int | None = None

    def prepare(self, channel: Channel, done: Callable[[], None]) -> None:
        def note(ready: int, dead: int) -> None:
            self.ready, self.dead = ready, dead
            done()

        count_messages(channel, note)

    def ended(self, error: FleetFlowError) -> None:
        """Whoever waits for the session hears of it."""

    def blocked(self) -> None:
        """Counting needs no publishing."""


def read_rabbitmq_state(url: str, *, timeout_s: float) -> QueueState:
    """Ask the broker how many messages wait, within `timeout_s`; never raises for a broker that is down."""
    nodes = parse_nodes(url, name="fleetflow state", timeout_s=timeout_s)
    states = (_read_node(node, timeout_s / len(nodes)) for node in nodes)
    state = next(states)
    return state if state.reachable else next((each for each in states if each.reachable), state)


def _read_node(node: Parameters, timeout_s: float) -> QueueState:
    count = _Count()
    session = Session(node, count, timeout_s=timeout_s)
    try:
        session.wait_until_ready(timeout_s)
    except NoQueueError:
        return QueueState("rabbitmq", reachable=True, detail="The queue is made when the first program connects.")
    except FleetFlowError as error:
        return QueueState("rabbitmq", reachable=False, detail=str(error))
    finally:
        session.close()
    return QueueState("rabbitmq", reachable=True, ready=count.ready, dead=count.dead)


def blocked_error() -> QueueUnavailableError:
    """What a publisher is told while the broker takes nothing."""
    return QueueUnavailableError("RabbitMQ takes no messages: it is short of memory or disk space.")
