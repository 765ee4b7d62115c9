"""What the decision records promise and no other test holds."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fleetflow.queue.interface import Delivery, Fate
from fleetflow.storage import claims
from fleetflow.storage.database import connection
from fleetflow.storage.trips import Stored, insert_trips
from fleetflow.trips.quality import Quality
from fleetflow.trips.summary import TripSummary
from fleetflow.trips.wire import TripDecoder
from ingest_api.intake import Intake
from tests.support.trips import new_trip, trip_body
from worker.deliveries import HeldDeliveries

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import sqlalchemy as sa

pytestmark = pytest.mark.postgres

STORAGE = """
SELECT attstorage::text, reloptions FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE attrelid = 'telemetry.trip_logs'::regclass AND attname = 'telemetry_blob'
"""
OUT_OF_LINE_BYTES = "SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE oid = 'telemetry.trip_logs'::regclass"


class RecordingConsumer:
    """A consumer without a queue that remembers what was settled."""

    def __init__(self) -> None:
        self.fates: dict[UUID, Fate] = {}

    def receive(self, limit: int, timeout_s: float) -> list[Delivery]:
        del limit, timeout_s
        return []

    def settle(self, deliveries: Sequence[Delivery], fate: Fate) -> None:
        self.fates |= {delivery.trip_id: fate for delivery in deliveries}

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


def test_samples_are_stored_as_columns_that_are_neither_compressed_nor_copied(engine: sa.Engine):
    trip = new_trip([-0.1] * 10_000)
    with connection(engine) as conn:
        insert_trips(conn, [trip])
    with connection(engine) as conn:
        storage, options = conn.exec_driver_sql(STORAGE).one()
        shape = "SELECT jsonb_typeof(telemetry_blob -> 'g_force_long') FROM telemetry.trip_logs"
        assert conn.exec_driver_sql(shape).scalar_one() == "array"
        before = conn.exec_driver_sql(OUT_OF_LINE_BYTES).scalar_one()
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET attempts = attempts + 1")
        after = conn.exec_driver_sql(OUT_OF_LINE_BYTES).scalar_one()
    assert (storage, options) == ("e", ["toast_tuple_target=128"])
    assert after == before > len(trip.blob), "10,000 equal values would have been compressed to almost nothing"


def test_requests_that_wait_together_share_commits(engine: sa.Engine):
    commits: list[int] = []
    intake = Intake(engine, lambda _: None, timeout_s=10, on_commit=commits.append)

    async def store_all() -> list[Stored]:
        intake.start()
        try:
            return await intake.store_all([new_trip() for _ in range(200)])
        finally:
            await asyncio.to_thread(intake.close)

    assert len(asyncio.run(store_all())) == sum(commits) == 200
    assert len(commits) < 20


def test_of_a_name_that_occurs_twice_the_last_value_counts():
    body = trip_body([{"speed_kmh": 50, "g_force_long": 0.1}])
    trip = TripDecoder().decode(body.replace(b'"speed_kmh":50', b'"speed_kmh":50,"speed_kmh":60'), latest=now())
    assert trip.samples.speed_kmh.tolist() == [60.0]


def test_a_delivery_is_settled_by_what_became_of_its_trip(engine: sa.Engine):
    done_here, done_elsewhere, failed, waiting = trips = [new_trip() for _ in range(4)]
    with connection(engine) as conn:
        insert_trips(conn, trips)
    finish(engine, {done_elsewhere.id: None, failed.id: "No reason.", done_here.id: None})
    consumer = RecordingConsumer()
    held = HeldDeliveries(consumer, limit=10)
    held.add(Delivery(trip.id, tag) for tag, trip in enumerate(trips))
    with connection(engine) as conn:
        held.settle(conn, {done_here.id})
    assert consumer.fates == {done_here.id: Fate.DONE, done_elsewhere.id: Fate.DONE, failed.id: Fate.DEAD}
    assert len(held) == 1
    finish(engine, {waiting.id: None})
    with connection(engine) as conn:
        held.settle(conn, set())
    assert consumer.fates[waiting.id] is Fate.DONE


def test_more_deliveries_than_a_batch_are_not_held(engine: sa.Engine):
    trips = [new_trip() for _ in range(5)]
    with connection(engine) as conn:
        insert_trips(conn, trips)
    consumer = RecordingConsumer()
    held = HeldDeliveries(consumer, limit=3)
    held.add(Delivery(trip.id, tag) for tag, trip in enumerate(trips))
    with connection(engine) as conn:
        held.settle(conn, set())
    assert consumer.fates == {trips[0].id: Fate.DONE, trips[1].id: Fate.DONE}
    assert len(held) == 3


def finish(engine: sa.Engine, errors: dict[UUID, str | None]) -> None:
    """Let another worker finish these trips: FAILED where there is an error, else COMPLETED; the rest stay open."""
    token = uuid.uuid4()
    with connection(engine) as conn:
        claims.claim_fresh(conn, token, lease_s=60, max_trips=100, max_points=1_000_000)
        for trip_id, error in errors.items():
            if error:
                assert claims.fail_trip(conn, token, trip_id, error)
            else:
                nothing = {trip_id: claims.TripFindings(TripSummary(None, None, None), Quality(()))}
                assert claims.complete_trips(conn, token, nothing, detection_version=1) == {trip_id}
        claims.hand_back(conn, token)


def now() -> datetime:
    return datetime.now(UTC)
