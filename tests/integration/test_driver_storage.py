"""One driver in a real Postgres: coaching notes, the card, trips, events as they are and were judged, severity."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
import pandas as pd
import pytest

from fleetflow.safety.events import EventKind, HarshEvent, Review
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule
from fleetflow.storage import coaching, drivers, driving, profiles, reviews, roads, roster, severity
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.events import read_events
from fleetflow.trips.samples import Samples
from tests.support import dashboard
from tests.support.dashboard import Drive

pytestmark = pytest.mark.postgres
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = date(2026, 11, 20)
BRAKE = HarshEvent(EventKind.BRAKING, 1.0, 1.5, 2.0, 0.6, 48.0)
DOUBTFUL = HarshEvent(EventKind.BRAKING, 5.0, 5.5, 6.0, 0.5, 30.0, doubts=("a spike",))
GENTLE = HarshEvent(EventKind.BRAKING, 7.0, 7.5, 8.0, 0.2, 40.0)
FAST = HarshEvent(EventKind.SPEEDING, 9.0, 9.5, 10.0, None, 143.0)
FLOORS = {EventKind.BRAKING: 0.3, EventKind.SPEEDING: 100.0}


@pytest.fixture
def conn(database_url):
    engine = create_engine(database_url, application_name="test")
    with connection(engine) as conn:
        yield conn
    engine.dispose()


@pytest.fixture
def driver_id(conn) -> UUID:
    driver_id = uuid4()
    roster.upsert_driver(conn, driver_id, name="Simulated Ann Other", group_name="Harbour")
    return driver_id


def insert(conn, driver_id: UUID, *events: HarshEvent, started_at: datetime | None = NOW, vehicle: UUID | None = None):
    t_s = np.arange(101.0)
    trip = Drive(Samples(np.full(101, 72.0), np.zeros(101), t_s), events)
    vehicle_id = vehicle or uuid4()
    return dashboard.insert_drive(conn, trip, driver_id=driver_id, vehicle_id=vehicle_id, started_at=started_at)


def test_a_note_is_kept_with_its_day_and_withdrawn_without_being_forgotten(conn, driver_id):
    first = coaching.insert_note(conn, driver_id, TODAY - timedelta(days=9), "  Exit lane.\x00 ", author="Officer")
    coaching.insert_note(conn, driver_id, TODAY, "Phone call", author="Officer")
    assert [note.note for note in coaching.list_notes(conn, driver_id)] == ["Phone call", "Exit lane."]
    assert coaching.withdraw_note(conn, first)
    assert not coaching.withdraw_note(conn, first)
    assert not coaching.withdraw_note(conn, 10**9)
    latest, earlier = coaching.list_notes(conn, driver_id)
    assert latest.withdrawn_at is None
    assert earlier.withdrawn_at is not None
    assert (earlier.coached_on, earlier.author) == (TODAY - timedelta(days=9), "Officer")


@pytest.mark.parametrize("text", ["", "  \n ", "\x00", "x" * (coaching.LONGEST_NOTE + 1)])
def test_a_note_without_words_or_with_too_many_is_refused(conn, driver_id, text):
    with pytest.raises(coaching.NoteRefusedError, match="1 to 2,000 characters"):
        coaching.insert_note(conn, driver_id, TODAY, text, author="Officer")


def test_a_note_of_a_day_ahead_or_of_nobody_is_refused(conn, driver_id):
    ahead = datetime.now(UTC).date() + timedelta(days=3)
    for day, whom in ((ahead, driver_id), (TODAY, uuid4())):
        with pytest.raises(coaching.NoteRefusedError, match="nothing was stored"):
            coaching.insert_note(conn, whom, day, "Phone call", author="Officer")
    assert coaching.list_notes(conn, driver_id) == []


def test_the_card_names_group_and_the_class_that_the_driver_drove_most(conn, driver_id):
    van, car = uuid4(), uuid4()
    roster.upsert_vehicle(conn, van, name="Van", vehicle_class="light commercial")
    roster.upsert_vehicle(conn, car, name="Car", vehicle_class="passenger")
    for number, vehicle in enumerate((van, van, car)):
        insert(conn, driver_id, started_at=NOW - timedelta(days=number), vehicle=vehicle)
    card = drivers.read_driver(conn, driver_id)
    assert card == drivers.DriverCard("Simulated Ann Other", "Harbour", "light commercial")
    assert drivers.read_driver(conn, uuid4()) is None


def test_a_drivers_trips_are_those_of_the_period_that_can_be_believed(conn, driver_id):
    first, second = insert(conn, driver_id, started_at=NOW - timedelta(days=9)), insert(conn, driver_id)
    insert(conn, driver_id, started_at=NOW - timedelta(days=40))
    unusable = insert(conn, driver_id, started_at=NOW - timedelta(days=2))
    conn.exec_driver_sql("UPDATE telemetry.trip_logs SET quality = 'unusable' WHERE id = %(id)s", {"id": unusable})
    found = drivers.read_driver_trips(conn, driver_id, since=NOW - timedelta(days=28))
    assert list(found["trip_id"]) == [str(first), str(second)]
    assert found["distance_km"].tolist() == pytest.approx([2.0, 2.0])
    assert drivers.read_driver_trips(conn, uuid4()).dtypes["began_at"] == "datetime64[us, UTC]"


def test_a_drivers_events_are_told_as_they_are_judged_now_and_were_then(conn, driver_id):
    trip_id = insert(conn, driver_id, BRAKE, DOUBTFUL, GENTLE, FAST)
    brake = next(each for each in read_events(conn, trip_id) if each.peak_g == BRAKE.peak_g)
    reviews.insert_review(conn, brake.id, Review.FALSE, expected=None, author="Officer")
    conn.exec_driver_sql("UPDATE telemetry.event_reviews SET created_at = '2026-11-10T00:00Z'")
    then, now = (
        drivers.read_driver_events(conn, driver_id, FLOORS, known_at=NOW - timedelta(days=back)) for back in (20, 0)
    )
    assert list(then["peak"]) == [0.6, 0.5, 143.0]
    assert list(then["doubtful"]) == [False, True, False]
    assert list(then["review"]) == ["false", None, None]
    assert list(then["review_then"]) == [None, None, None]
    assert list(now["review_then"]) == ["false", None, None]
    assert then["peak_at"].iloc[0] == pd.Timestamp(NOW + timedelta(seconds=1.5))
    assert drivers.read_driver_events(conn, uuid4(), FLOORS).empty


def test_the_fleets_severity_is_of_the_events_that_count_in_multiples_of_each_classs_threshold(conn, driver_id):
    insert(conn, driver_id, BRAKE, BRAKE, DOUBTFUL, GENTLE)
    insert(conn, uuid4(), FAST, started_at=NOW - timedelta(days=3))
    found = severity.read_severity(conn, DEFAULT_PROFILE, NOW - timedelta(days=28)).set_index("kind")
    assert found.loc["braking", "events"] == 2
    assert found.loc["braking", "median"] == pytest.approx(1.5)
    assert found.loc["speeding", "median"] == pytest.approx(1.1)
    assert severity.read_severity(conn, DEFAULT_PROFILE, NOW - timedelta(days=1)).set_index("kind").index.tolist() == [
        "braking"
    ]


def test_the_fleets_points_are_told_by_the_speed_at_which_they_arise(conn, driver_id):
    insert(conn, driver_id, BRAKE, DOUBTFUL, GENTLE, FAST)  # only the first costs anything that a road could explain
    unknown = HarshEvent(EventKind.BRAKING, 11.0, 11.5, 12.0, 0.6, None)
    later = NOW + timedelta(hours=1)
    insert(conn, driver_id, event_at(20.0), event_at(35.0), event_at(90.0), event_at(90.0), unknown, started_at=later)
    assert roads.read_band_points(conn, 1).tolist() == [0.0, 0.0, 0.0]  # nobody knows on what roads that was
    conn.exec_driver_sql("UPDATE telemetry.trip_logs SET band_km = ARRAY[0.5, 1.0, 0.25]")
    assert roads.read_band_points(conn, 1).tolist() == [5.0, 10.0, 10.0]
    costs = {**DEFAULT_PROFILE.rules, EventKind.SPEEDING: Rule(120.0, 7)}
    dear = profiles.insert_profile(conn, replace(DEFAULT_PROFILE, rules=costs), author="Test", note="")
    assert roads.read_band_points(conn, dear).tolist() == [5.0, 10.0, 10.0]  # speeding is not the road's doing
    assert roads.read_band_points(conn, 1, since=NOW + timedelta(days=1)).tolist() == [0.0, 0.0, 0.0]
    assert roads.read_band_points(conn, 1, vehicle_class="heavy").tolist() == [0.0, 0.0, 0.0]


def event_at(speed_kmh: float) -> HarshEvent:
    return HarshEvent(EventKind.ACCELERATION, 3.0, 3.5, 4.0, 0.55, speed_kmh)


def test_driven_days_may_come_with_their_kilometres_by_speed_band(conn, driver_id):
    for hour in range(2):
        insert(conn, driver_id, BRAKE, started_at=NOW + timedelta(hours=hour))
    conn.exec_driver_sql("UPDATE telemetry.trip_logs SET band_km = ARRAY[0.5, 1.0, 0.25]")
    (day,) = driving.read_driver_days(conn, 1, with_bands=True)[list(driving.BANDS)].to_numpy().tolist()
    assert day == [1.0, 2.0, 0.5]
    assert not set(driving.BANDS) & set(driving.read_driver_days(conn, 1).columns)
