"""Trips in Postgres: stored once, under one id, exactly as they were sent."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sqlalchemy.exc import DataError
from uuid_utils.compat import uuid7

from fleetflow.storage.database import connection
from fleetflow.storage.trips import Outcome, TripStatus, insert_trips, read_samples, read_trip
from tests.support.trips import NOON, new_trip

if TYPE_CHECKING:
    import sqlalchemy as sa

pytestmark = pytest.mark.postgres


def test_a_stored_trip_comes_back_as_it_was_sent(engine: sa.Engine):
    trip = new_trip((0.1, -0.5, 0.123456789012345678))
    with connection(engine) as conn:
        insert_trips(conn, [trip])
        record = read_trip(conn, trip.id)
        samples = read_samples(conn, trip.id)
    assert record
    assert samples
    assert (record.status, record.started_at, record.point_count) == (TripStatus.PENDING, NOON, 3)
    np.testing.assert_array_equal(samples.g_force_long, [0.1, -0.5, 0.123456789012345678])


def test_an_unknown_trip_is_none(engine: sa.Engine):
    with connection(engine) as conn:
        assert read_trip(conn, uuid7()) is None
        assert read_samples(conn, uuid7()) is None


def test_the_same_content_is_the_same_trip(engine: sa.Engine):
    first = new_trip()
    again = replace(first, id=uuid7())
    with connection(engine) as conn:
        insert_trips(conn, [first])
    with connection(engine) as conn:
        (result,) = insert_trips(conn, [again])
    assert (result.trip_id, result.outcome) == (first.id, Outcome.DUPLICATE)


def test_twins_in_one_batch_are_one_trip(engine: sa.Engine):
    first = new_trip()
    batch = [first, replace(first, id=uuid7()), new_trip(), replace(first, id=uuid7())]
    with connection(engine) as conn:
        results = insert_trips(conn, batch)
    assert len({result.trip_id for result in results}) == 2
    assert [result.outcome for result in results].count(Outcome.DUPLICATE) == 2


def test_a_key_used_for_other_content_is_a_conflict_and_stores_nothing(engine: sa.Engine):
    first = new_trip(idempotency_key="one")
    other = new_trip(idempotency_key="one")
    with connection(engine) as conn:
        insert_trips(conn, [first])
        (result,) = insert_trips(conn, [other])
        assert (result.trip_id, result.outcome) == (first.id, Outcome.CONFLICT)
        assert read_trip(conn, other.id) is None


def test_a_key_sent_again_with_the_same_content_is_a_duplicate(engine: sa.Engine):
    first = new_trip(idempotency_key="one")
    with connection(engine) as conn:
        insert_trips(conn, [first])
        (result,) = insert_trips(conn, [replace(first, id=uuid7())])
    assert (result.trip_id, result.outcome) == (first.id, Outcome.DUPLICATE)


def test_writers_with_the_same_trips_in_other_orders_do_not_deadlock(engine: sa.Engine):
    trips = [new_trip() for _ in range(200)]
    barrier = threading.Barrier(4)
    results: list[Outcome] = []

    def write(order: int) -> None:
        mine = [replace(trip, id=uuid7()) for trip in (trips if order % 2 else reversed(trips))]
        barrier.wait(timeout=10)
        for start in range(0, len(mine), 50):
            with connection(engine) as conn:
                results.extend(stored.outcome for stored in insert_trips(conn, mine[start : start + 50]))

    threads = [threading.Thread(target=write, args=(order,)) for order in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(results) == 4 * len(trips)
    assert results.count(Outcome.STORED) == len(trips)


def test_one_bad_row_stores_nothing_of_its_batch(engine: sa.Engine):
    good, bad = new_trip(), new_trip(blob=b'{"speed_kmh": [1e999999]}x')
    with pytest.raises(DataError), connection(engine) as conn:
        insert_trips(conn, [good, bad])
    with connection(engine) as conn:
        assert read_trip(conn, good.id) is None
