"""The report queries against a real Postgres: what they add up, leave out, and how fast they are."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pytest
import sqlalchemy as sa

from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.storage import profiles, reports, roster
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.events import read_events
from fleetflow.trips.samples import Samples
from tests.support import dashboard
from tests.support.dashboard import Drive

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BRAKE = HarshEvent(EventKind.BRAKING, 1.0, 1.5, 2.0, 0.55, 48.0)
TURN = HarshEvent(EventKind.CORNERING, 5.0, 5.5, 6.0, 0.5, 30.0)
GENTLE = HarshEvent(EventKind.BRAKING, 7.0, 7.5, 8.0, 0.3, 40.0)


@pytest.fixture
def engine(database_url):
    engine = create_engine(database_url, application_name="test")
    yield engine
    engine.dispose()


@pytest.fixture
def conn(engine):
    with connection(engine) as conn:
        yield conn


def drive(*events: HarshEvent, seconds: int = 100, speed: float = 72.0) -> Drive:
    t_s = np.arange(seconds + 1.0)
    return Drive(Samples(np.full(len(t_s), speed), np.zeros(len(t_s)), t_s), events)


def insert(conn, trip: Drive, driver_id: UUID, started_at: datetime | None = NOW, **more) -> UUID:
    vehicle_id = more.pop("vehicle_id", None) or uuid4()
    return dashboard.insert_drive(conn, trip, driver_id=driver_id, vehicle_id=vehicle_id, started_at=started_at, **more)


def version(conn) -> int:
    return profiles.read_active(conn).version


def test_the_leaderboard_sums_each_drivers_trips_and_puts_the_best_mean_score_first(conn):
    careful, hasty = uuid4(), uuid4()
    roster.upsert_driver(conn, careful, name="Careful")
    insert(conn, drive(), careful)
    insert(conn, drive(BRAKE, TURN, GENTLE), hasty)
    insert(conn, drive(BRAKE, BRAKE), hasty, NOW - timedelta(days=1))
    board = reports.with_rates(reports.read_leaderboard(conn, version(conn), None))
    assert list(board["driver_id"]) == [str(careful), str(hasty)]
    assert list(board["mean_score"]) == [100.0, 92.5]
    second = board.iloc[1]
    assert (second["trips"], second["braking"], second["cornering"], second["events"]) == (2, 3, 1, 4)
    assert second["distance_km"] == pytest.approx(4.0)
    assert second["per_100_km"] == pytest.approx(100.0)
    assert second["last_trip_at"] == NOW


def test_a_period_holds_trips_that_began_in_it_and_undated_ones_that_arrived_in_it(conn):
    driver_id = uuid4()
    insert(conn, drive(), driver_id, NOW - timedelta(days=8))
    insert(conn, drive(), driver_id, NOW - timedelta(days=6))
    insert(conn, drive(), driver_id, None)  # has no date and is received now, which is after NOW's week began
    board = reports.read_leaderboard(conn, version(conn), NOW - timedelta(days=7))
    assert list(board["trips"]) == [2]


def test_scores_under_another_profile_do_not_count(conn):
    insert(conn, drive(BRAKE), uuid4())
    assert reports.read_leaderboard(conn, version(conn) + 1, None).empty


def test_a_day_is_a_day_of_the_viewers_zone(conn):
    insert(conn, drive(BRAKE), uuid4(), datetime(2026, 11, 19, 23, 30, tzinfo=UTC))
    for zone, day in (("UTC", 19), ("Asia/Singapore", 20), ("America/New_York", 19)):
        days = reports.read_days(conn, version(conn), None, zone)
        assert [each.day for each in days["day"]] == [day], zone
        assert list(days["braking"]) == [1]


def test_days_can_be_those_of_one_driver(conn):
    driver_id = uuid4()
    insert(conn, drive(BRAKE), driver_id)
    insert(conn, drive(BRAKE), uuid4())
    assert list(reports.read_days(conn, version(conn), None, "UTC", driver_id)["trips"]) == [1]


def test_an_empty_database_gives_empty_frames_with_typed_columns(conn):
    board = reports.with_rates(reports.read_leaderboard(conn, version(conn), NOW))
    assert board.empty
    assert str(board["last_trip_at"].dtype) == "datetime64[us, UTC]"
    assert reports.read_days(conn, version(conn), None, "UTC").empty
    assert reports.list_trips(conn, version(conn)).empty
    assert reports.list_drivers(conn).empty
    assert reports.read_newest_trip_at(conn) is None
    assert reports.count_unfinished(conn) == {"PENDING": 0, "PROCESSING": 0, "FAILED": 0}


def test_a_drivers_trips_come_newest_first_with_or_without_a_score(conn):
    driver_id = uuid4()
    old = insert(conn, drive(BRAKE), driver_id, NOW - timedelta(days=3))
    new = insert(conn, drive(), driver_id, NOW, status="FAILED", error="No sample is usable.")
    insert(conn, drive(), uuid4())
    trips = reports.list_trips(conn, version(conn), driver_id=driver_id)
    assert list(trips["trip_id"]) == [str(new), str(old)]
    assert list(trips["status"]) == ["FAILED", "COMPLETED"]
    assert np.isnan(trips["safety_score"].iloc[0])
    assert trips["safety_score"].iloc[1] == 95
    assert len(reports.list_trips(conn, version(conn), driver_id=driver_id, limit=1)) == 1


def test_a_trip_knows_its_names_its_score_and_its_neighbours(conn):
    driver_id, vehicle_id = uuid4(), uuid4()
    roster.upsert_vehicle(conn, vehicle_id, name="Van 07")
    first, middle, last = (
        insert(conn, drive(BRAKE), driver_id, NOW + timedelta(hours=hour), vehicle_id=vehicle_id) for hour in range(3)
    )
    insert(conn, drive(), uuid4(), NOW + timedelta(minutes=30))  # another driver's trip in between
    trip = reports.read_trip(conn, middle, version(conn))
    assert trip is not None
    assert (trip.driver_name, trip.vehicle_name, trip.status) == (None, "Van 07", "COMPLETED")
    assert (trip.safety_score, trip.braking, trip.acceleration) == (95, 1, 0)
    assert (trip.previous_trip_id, trip.next_trip_id) == (str(first), str(last))
    alone = reports.read_trip(conn, first, version(conn))
    assert alone is not None
    assert alone.previous_trip_id is None
    assert reports.read_trip(conn, uuid4(), version(conn)) is None


def test_samples_come_back_as_they_were_sent_missing_values_as_nan(conn):
    speed = np.array([10.0, np.nan, 12.0])
    trip_id = insert(conn, Drive(Samples(speed, np.array([0.1, 0.2, -0.3]), np.array([0.0, 0.5, 1.5])), ()), uuid4())
    samples = reports.read_samples(conn, trip_id)
    assert list(samples.columns) == ["t_s", "speed_kmh", "g_force_long"]
    np.testing.assert_array_equal(samples["speed_kmh"], speed)
    np.testing.assert_array_equal(samples["t_s"], [0.0, 0.5, 1.5])
    assert reports.read_samples(conn, uuid4()).empty


def test_without_timestamps_the_clock_is_the_rate_and_without_a_rate_the_samples_number(conn):
    trip_id = insert(conn, Drive(Samples(np.zeros(3), np.zeros(3)), ()), uuid4())
    np.testing.assert_array_equal(reports.read_samples(conn, trip_id)["t_s"], [0, 1, 2])
    conn.execute(sa.text("UPDATE telemetry.trip_logs SET sample_hz = 10"))
    np.testing.assert_allclose(reports.read_samples(conn, trip_id)["t_s"], [0, 0.1, 0.2])


def test_events_come_back_whole_and_in_order(conn):
    doubtful = HarshEvent(EventKind.BRAKING, 2.0, 3.0, 4.0, 0.7, 20.0, 1.35, 103.8, ("spike",))
    trip_id = insert(conn, drive(TURN, doubtful, BRAKE), uuid4())
    assert [replace(event, id=None) for event in read_events(conn, trip_id)] == [BRAKE, doubtful, TURN]


def test_unfinished_trips_are_counted_by_status(conn):
    insert(conn, drive(), uuid4(), status="PENDING")
    insert(conn, drive(), uuid4(), status="FAILED", error="No sample is usable.")
    insert(conn, drive(), uuid4())
    assert reports.count_unfinished(conn) == {"PENDING": 1, "PROCESSING": 0, "FAILED": 1}


def test_the_leaderboard_of_a_large_fleet_takes_less_than_a_second(engine):
    with connection(engine) as conn:
        dashboard.insert_many_trips(conn, trips=30_000, drivers=200)
    with connection(engine) as conn:
        began = time.perf_counter()
        board = reports.read_leaderboard(conn, version(conn), None)
        took_s = time.perf_counter() - began
    assert (len(board), board["trips"].sum()) == (200, 30_000)
    assert took_s < 1.0
