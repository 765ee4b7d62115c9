"""Both wake-up queues for real, each behind a proxy that can fail, so that one suite tests both."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fleetflow.errors import QueueUnavailableError
from fleetflow.queue import Consumer, Delivery, Publisher, QueueState, open_consumer, open_publisher, read_state
from fleetflow.settings import Settings
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from tests.support.proxy import FaultyProxy

TIMEOUT_S = 1.0
"""The queue's own deadline in these tests."""


@dataclass
class Backend:
    """One way of being woken: opens publishers and consumers through the proxy, and closes them in the end."""

    name: str
    url: str
    proxy: FaultyProxy
    opened: list[Publisher | Consumer] = field(default_factory=list)

    def publisher(self, **changes: Any) -> Publisher:
        publisher = open_publisher(self.settings(**changes), self.url)
        self.opened.append(publisher)
        return publisher

    def consumer(self, **changes: Any) -> Consumer:
        """A consumer that is connected: what is published from now on reaches it."""
        consumer = open_consumer(self.settings(**changes), self.url)
        self.opened.append(consumer)
        consumer.receive(1, 0.0)
        return consumer

    def state(self) -> QueueState:
        return read_state(self.settings(), self.url)

    def settings(self, **changes: Any) -> Settings:
        return make_settings(rabbitmq_url=self.url if self.name == "rabbitmq" else None, **changes)

    def close(self) -> None:
        for each in self.opened:
            each.close()


def make_settings(**changes: Any) -> Settings:
    """Settings that no file or variable of the machine disturbs, with a short deadline."""
    return Settings(_env_file=None, **{"queue_timeout_s": TIMEOUT_S, **changes})


def through(proxy: FaultyProxy, url: str) -> str:
    """The same address by way of the proxy."""
    return url.replace(f":{port_of(url)}/", f":{proxy.port}/")


def port_of(url: str) -> int:
    """The port that a URL names."""
    port = urlsplit(url).port
    assert port
    return port


def receive(consumer: Consumer, count: int = 1, timeout_s: float = 10.0) -> list[Delivery]:
    """At least `count` deliveries, however often the connection has to be made anew; AssertionError if not."""
    found: list[Delivery] = []

    def enough() -> bool:
        try:
            found.extend(consumer.receive(100, 0.2))
        except QueueUnavailableError:
            return False
        return len(found) >= count

    wait_until(enough, timeout_s, what=f"{count} deliveries, not {len(found)},")
    return found


def publish(publisher: Publisher, trip_ids: list[UUID], timeout_s: float = 10.0) -> None:
    """Publish all the trips, however often the connection has to be made anew."""

    def succeeds() -> bool:
        try:
            return publisher.publish(trip_ids) == len(trip_ids)
        except QueueUnavailableError:
            return False

    wait_until(succeeds, timeout_s, what="publishing")


@contextmanager
def in_background(work: Callable[[], object]) -> Iterator[threading.Thread]:
    """Run something on a thread while the block runs, and wait for it."""
    thread = threading.Thread(target=work)
    thread.start()
    yield thread
    thread.join(20)
    assert not thread.is_alive()


def seconds_of(work: Callable[[], object]) -> float:
    """How long something takes."""
    began = time.monotonic()
    work()
    return time.monotonic() - began
