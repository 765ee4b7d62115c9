"""The announcer's rule: after each announcement a wake-up goes out, whatever the load and whatever the queue does."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from fleetflow.errors import QueueUnavailableError
from fleetflow.queue.announcer import ROUND_TRIPS, Announcer
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class FakeQueue:
    """A publisher in memory that notes when each call began, and can be down, full, slow or broken."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, list[UUID]]] = []
        self.error: Exception | None = None
        self.room = 1_000_000
        self.gate = threading.Event()
        self.gate.set()
        self.closed = False

    def publish(self, trip_ids: Sequence[UUID]) -> int:
        self.calls.append((time.monotonic(), list(trip_ids)))
        self.gate.wait(20)
        if self.error is not None:
            raise self.error
        taken = min(self.room, len(trip_ids))
        self.room -= taken
        return taken

    def close(self) -> None:
        self.closed = True

    @property
    def named(self) -> list[UUID]:
        return [trip for _, trip_ids in self.calls for trip in trip_ids]

    @property
    def wake_ups(self) -> list[float]:
        return [began for began, trip_ids in self.calls if trip_ids]

    def wait_for(self, trip: UUID) -> None:
        wait_until(lambda: trip in self.named, what="the announcement")


@pytest.fixture
def queue() -> FakeQueue:
    return FakeQueue()


@contextmanager
def announcing(queue: FakeQueue, **options: float) -> Iterator[Announcer]:
    announcer = Announcer(queue, **options)  # type: ignore[arg-type]  # whole numbers where they are asked for
    announcer.start()
    wait_until(lambda: queue.calls, what="the first probe")
    try:
        yield announcer
    finally:
        queue.gate.set()
        announcer.close()


def test_a_trip_that_comes_alone_is_announced_at_once(queue):
    with announcing(queue, probe_s=60) as announcer:
        for _ in range(5):
            trip = uuid4()
            began = time.monotonic()
            announcer.announce(trip)
            queue.wait_for(trip)
            assert time.monotonic() - began < 0.5
    assert announcer.published == 5
    assert announcer.dropped == 0


def test_after_every_announcement_a_wake_up_follows_promptly(queue):
    begun: list[float] = []

    def announce_many() -> None:
        for _ in range(2_000):
            begun.append(time.monotonic())
            announcer.announce(uuid4())

    with announcing(queue, probe_s=60) as announcer:
        threads = [threading.Thread(target=announce_many) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        begun.append(time.monotonic())
        announcer.announce(last := uuid4())
        queue.wait_for(last)
    wake_ups = queue.wake_ups
    assert max(wake_ups[bisect_left(wake_ups, when)] - when for when in begun) < 0.5
    assert announcer.published + announcer.dropped == 8_001


def test_a_trip_that_comes_during_a_publish_gets_a_wake_up_of_its_own(queue):
    with announcing(queue, probe_s=60) as announcer:
        queue.gate.clear()
        announcer.announce(uuid4())
        wait_until(lambda: queue.wake_ups, what="the first wake-up")
        late = uuid4()
        announcer.announce(late)
        queue.gate.set()
        wait_until(lambda: late in queue.named, 2.0, what="the second wake-up")


def test_a_burst_costs_a_few_messages_and_names_its_latest_trip(queue):
    with announcing(queue, probe_s=60) as announcer:
        queue.gate.clear()
        announcer.announce(uuid4())
        wait_until(lambda: queue.wake_ups, what="the first wake-up")
        burst = [uuid4() for _ in range(5_000)]
        for trip in burst:
            announcer.announce(trip)
        queue.gate.set()
        wait_until(lambda: burst[-1] in queue.named, what="the latest trip")
    assert queue.named[1:] == burst[-ROUND_TRIPS:]
    assert announcer.dropped == len(burst) - ROUND_TRIPS


def test_rounds_of_a_burst_keep_their_distance(queue):
    with announcing(queue, probe_s=60, round_s=0.05) as announcer:
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            announcer.announce(uuid4())
    assert 2 <= len(queue.wake_ups) <= 0.4 / 0.05 + 3


def test_announcing_never_waits_for_a_queue_that_hangs(queue):
    with announcing(queue) as announcer:
        queue.gate.clear()
        announcer.announce(uuid4())
        wait_until(lambda: queue.wake_ups, what="the hanging publish")
        began = time.monotonic()
        for _ in range(1_000):
            announcer.announce(uuid4())
        assert time.monotonic() - began < 0.5


def test_the_latest_trips_are_announced_when_the_queue_comes_back(queue):
    with announcing(queue) as announcer:
        queue.error = QueueUnavailableError("down")
        trips = [uuid4() for _ in range(50)]
        for trip in trips:
            announcer.announce(trip)
        wait_until(lambda: announcer.failures >= 2, what="two tries")
        assert not announcer.reachable
        queue.calls.clear()
        queue.error = None
        wait_until(lambda: announcer.reachable, what="the return")
    assert queue.named == trips[-ROUND_TRIPS:]
    assert announcer.published == ROUND_TRIPS
    assert announcer.dropped == 50 - ROUND_TRIPS


def test_a_failed_round_makes_way_for_later_trips(queue):
    announcer = Announcer(queue, probe_s=60)
    trips = [uuid4() for _ in range(ROUND_TRIPS + 3)]
    for trip in trips[:ROUND_TRIPS]:
        announcer.announce(trip)
    queue.error = QueueUnavailableError("down")
    queue.gate.clear()
    announcer.start()
    wait_until(lambda: queue.wake_ups, what="the round that will fail")
    for trip in trips[ROUND_TRIPS:]:
        announcer.announce(trip)
    queue.gate.set()
    wait_until(lambda: announcer.failures, what="the failure")
    queue.error = None
    wait_until(lambda: announcer.reachable, what="the return")
    announcer.close()
    assert queue.calls[-1][1] == trips[-ROUND_TRIPS:]


def test_an_outage_is_noticed_and_ends_while_no_trip_comes(queue):
    with announcing(queue, probe_s=0.02) as announcer:
        queue.error = QueueUnavailableError("down")
        wait_until(lambda: not announcer.reachable, what="the outage")
        queue.error = None
        wait_until(lambda: announcer.reachable, what="the return")
    assert queue.named == []


def test_a_queue_that_is_down_is_tried_ever_more_rarely(queue):
    queue.error = QueueUnavailableError("down")
    with announcing(queue) as announcer:
        end = time.monotonic() + 0.7
        while time.monotonic() < end:
            announcer.announce(uuid4())
        assert 2 <= len(queue.calls) <= 8


def test_what_is_refused_is_offered_again_until_the_queue_takes_it(queue):
    queue.room = 0
    with announcing(queue, probe_s=60, round_s=0.0, refused_s=0.01) as announcer:
        announcer.announce(trip := uuid4())
        wait_until(lambda: announcer.refused_full >= 2, what="refusals")
        queue.room = 1
        wait_until(lambda: announcer.published == 1, what="a place in the queue")
    assert set(queue.named) == {trip}
    assert (announcer.failures, announcer.reachable) == (0, True)


def test_an_error_that_nobody_foresaw_does_not_end_the_announcing(queue):
    with announcing(queue) as announcer:
        queue.error = RuntimeError("a bug")
        announcer.announce(trip := uuid4())
        wait_until(lambda: announcer.failures, what="the failure")
        queue.error = None
        wait_until(lambda: announcer.reachable, what="the next try")
    assert queue.named[-1] == trip


def test_closing_publishes_what_waits_and_closes_the_queue(queue):
    with announcing(queue, round_s=5.0) as announcer:
        trip = uuid4()
        announcer.announce(trip)
        began = time.monotonic()
        announcer.close()
    assert time.monotonic() - began < 1.0
    assert trip in queue.named
    assert queue.closed


def test_closing_does_not_wait_for_a_queue_that_hangs(queue):
    with announcing(queue) as announcer:
        queue.gate.clear()
        announcer.announce(uuid4())
        wait_until(lambda: queue.wake_ups, what="the hanging publish")
        began = time.monotonic()
        announcer.close(timeout_s=0.1)
        assert time.monotonic() - began < 1.0


def test_what_was_announced_before_the_start_is_published(queue):
    announcer = Announcer(queue)
    trip = uuid4()
    announcer.announce(trip)
    announcer.start()
    wait_until(lambda: trip in queue.named, what="the announcement")
    announcer.close()


def test_an_announcer_that_never_started_closes():
    Announcer(FakeQueue()).close()
