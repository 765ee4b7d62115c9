"""Claims: every trip has one worker at a time, and a dead worker's trips find another."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from fleetflow.storage import claims
from fleetflow.storage.database import connection
from fleetflow.storage.trips import TripStatus, insert_trips, read_trip
from fleetflow.trips.offset import Offset
from fleetflow.trips.quality import Quality
from fleetflow.trips.summary import TripSummary
from tests.support.trips import new_trip

pytestmark = pytest.mark.postgres
SUMMARY = TripSummary(distance_km=1.0, duration_s=60.0, sample_hz=10.0, band_km=(0.5, 0.25, 0.25))
FOUND = claims.TripFindings(SUMMARY, Quality(()), Offset(0.06, -0.05, 0.06, -0.05))


def claim(engine: sa.Engine, token: uuid.UUID, *, trips: int = 10, points: int = 1000, lease_s: float = 60.0):
    with connection(engine) as conn:
        return claims.claim_fresh(conn, token, lease_s=lease_s, max_trips=trips, max_points=points)


def retry(engine: sa.Engine, token: uuid.UUID, *, lease_s: float = 60.0, max_attempts: int = 5):
    with connection(engine) as conn:
        return claims.claim_retry(conn, token, lease_s=lease_s, max_attempts=max_attempts)


def store(engine: sa.Engine, *trips):
    with connection(engine) as conn:
        insert_trips(conn, trips)


def test_the_oldest_trips_are_claimed_first_and_only_once(engine: sa.Engine):
    trips = [new_trip() for _ in range(5)]
    store(engine, *trips)
    first, second = claim(engine, uuid.uuid4(), trips=3), claim(engine, uuid.uuid4())
    assert [trip.id for trip in first] == [trip.id for trip in trips[:3]]
    assert [trip.id for trip in second] == [trip.id for trip in trips[3:]]


def test_a_claim_stops_before_it_has_too_many_points_but_takes_one_trip_of_any_size(engine: sa.Engine):
    store(engine, new_trip([0.0] * 50), new_trip([0.0] * 5), new_trip([0.0] * 5), new_trip([0.0] * 5))
    sizes = [[trip.blob.count("0.0") for trip in claim(engine, uuid.uuid4(), points=12)] for _ in range(3)]
    assert [len(batch) for batch in sizes] == [1, 2, 1]


def test_rows_that_another_worker_is_claiming_are_passed_over(engine: sa.Engine):
    store(engine, new_trip(), new_trip())
    with connection(engine) as conn:
        mine = claims.claim_fresh(conn, uuid.uuid4(), lease_s=60, max_trips=1, max_points=1000)
        (other,) = claim(engine, uuid.uuid4())
    assert other.id != mine[0].id


def test_a_live_lease_is_not_taken_and_an_expired_one_is_taken_alone(engine: sa.Engine):
    store(engine, new_trip(), new_trip())
    claim(engine, uuid.uuid4(), lease_s=60)
    assert retry(engine, uuid.uuid4()) is None
    store(engine, new_trip(), new_trip())
    claim(engine, uuid.uuid4(), lease_s=0)
    taken = [retry(engine, uuid.uuid4()) for _ in range(3)]
    assert [trip and trip.attempts for trip in taken] == [2, 2, None]


def test_a_worker_that_lost_its_lease_completes_nothing(engine: sa.Engine):
    trip = new_trip()
    store(engine, trip)
    frozen, other = uuid.uuid4(), uuid.uuid4()
    claim(engine, frozen, lease_s=0)
    retry(engine, other)
    with connection(engine) as conn:
        assert claims.complete_trips(conn, frozen, {trip.id: FOUND}, detection_version=1) == set()
        assert not claims.fail_trip(conn, frozen, trip.id, "no")
        assert claims.hand_back(conn, frozen) == []
        assert claims.complete_trips(conn, other, {trip.id: FOUND}, detection_version=1) == {trip.id}


def test_a_completed_trip_keeps_what_was_found(engine: sa.Engine):
    trip, bare = new_trip(sample_hz=None), new_trip(sample_hz=None)
    store(engine, trip, bare)
    token, nothing = uuid.uuid4(), claims.TripFindings(TripSummary(None, None, None), Quality(()))
    claim(engine, token)
    with connection(engine) as conn:
        claims.complete_trips(conn, token, {trip.id: FOUND, bare.id: nothing}, detection_version=7)
        record, other = read_trip(conn, trip.id), read_trip(conn, bare.id)
    assert record
    assert (record.status, record.distance_km, record.duration_s, record.sample_hz) == ("COMPLETED", 1.0, 60.0, 10.0)
    assert (record.offset_long_g, record.offset_lat_g, record.band_km) == (0.06, -0.05, [0.5, 0.25, 0.25])
    assert other
    assert (other.status, other.offset_long_g, other.offset_lat_g, other.band_km) == ("COMPLETED", None, None, None)


def test_a_trip_handed_back_is_fresh_again(engine: sa.Engine):
    trip = new_trip()
    store(engine, trip)
    token = uuid.uuid4()
    claim(engine, token)
    with connection(engine) as conn:
        assert claims.hand_back(conn, token) == [trip.id]
    (again,) = claim(engine, uuid.uuid4())
    assert (again.id, again.attempts) == (trip.id, 1)


def test_a_trip_whose_workers_die_is_failed_after_exactly_the_allowed_attempts(engine: sa.Engine):
    trip = new_trip()
    store(engine, trip)
    claim(engine, uuid.uuid4(), lease_s=0)
    while retry(engine, uuid.uuid4(), lease_s=0, max_attempts=5):
        pass
    with connection(engine) as conn:
        assert claims.fail_exhausted(conn, max_attempts=5) == [trip.id]
        record = read_trip(conn, trip.id)
    assert record
    assert (record.status, record.attempts) == (TripStatus.FAILED, 5)
    assert record.error == "The worker died 5 times while it analysed this trip."


def test_a_trip_on_its_last_attempt_is_not_failed_while_its_lease_lives(engine: sa.Engine):
    store(engine, new_trip())
    claim(engine, uuid.uuid4(), lease_s=60)
    with connection(engine) as conn:
        assert claims.fail_exhausted(conn, max_attempts=1) == []


def test_claiming_uses_the_indexes_however_many_trips_are_done(engine: sa.Engine):
    with connection(engine) as conn:
        conn.execute(
            sa.text(
                "INSERT INTO telemetry.trip_logs (id, vehicle_id, driver_id, telemetry_blob, status, point_count,"
                " content_hash) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '{}', 'COMPLETED', 1,"
                " sha256(n::text::bytea) FROM generate_series(1, 20000) n"
            )
        )
        conn.execute(sa.text("ANALYZE telemetry.trip_logs"))
        values = {
            "token": uuid.uuid4(), "lease_s": 1.0, "max_trips": 48, "max_points": 1000, "max_attempts": 5,
        }  # fmt: skip
        for statement in (claims.CLAIM_FRESH, claims.CLAIM_RETRY, claims.FAIL_EXHAUSTED):
            plan = "\n".join(conn.exec_driver_sql("EXPLAIN " + statement, values).scalars())
            assert "Seq Scan on trip_logs" not in plan, plan
