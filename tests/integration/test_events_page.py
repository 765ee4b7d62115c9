"""The inbox of events over a real Postgres: what it shows, in which order, and what a judgement does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import pytest
import streamlit as st

from fleetflow.access import Role
from fleetflow.safety.events import EventKind, HarshEvent, Review
from fleetflow.safety.judging import KINDS
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule
from fleetflow.storage import inbox, moments, profiles, reports, reviews, roster
from fleetflow.storage.database import connection
from fleetflow.storage.events import read_events
from fleetflow.storage.inbox import Order, Part, Tab, Wanted
from fleetflow.trips.samples import Samples
from tests.support import dashboard, pages, people
from tests.support.dashboard import Drive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import sqlalchemy as sa
    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.postgres
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
ANN, BEN = UUID(int=1), UUID(int=2)
CAR, LORRY = UUID(int=11), UUID(int=12)
BRAKE = HarshEvent(EventKind.BRAKING, 20.0, 21.0, 22.0, 0.554, 48.0)
SURGE = HarshEvent(EventKind.ACCELERATION, 40.0, 41.0, 42.0, 0.45, 30.0)
DOUBTFUL = HarshEvent(EventKind.BRAKING, 60.0, 61.0, 62.0, 0.7, 12.0, doubts=("turn",))
GENTLE = HarshEvent(EventKind.BRAKING, 80.0, 81.0, 82.0, 0.38, 40.0)
FAST = HarshEvent(EventKind.SPEEDING, 30.0, 50.0, 70.0, None, 143.0)
SHOWN = Part(Tab.TO_REVIEW, Order.SEVERE, limit=11)


@pytest.fixture
def opened(database_url) -> Iterator[Callable[..., AppTest]]:
    """Opens a page by its file and address, as a browser in Berlin would."""

    def open_page(name: str = "events", /, **address: str) -> AppTest:
        return pages.open_page(database_url, name, **address)

    with people.signed_in(database_url):
        yield open_page
    st.cache_data.clear()
    st.cache_resource.clear()


def store(engine: sa.Engine, *events: HarshEvent, driver: UUID = ANN, vehicle: UUID = CAR, **more) -> UUID:
    t_s = np.arange(0, 100.5, 0.5)
    g = np.zeros(len(t_s))
    for event in events:
        if event.peak_g:
            g[np.abs(t_s - event.peak_s) < 1] = event.peak_g * (-1 if event.kind is EventKind.BRAKING else 1)
    with connection(engine) as conn:
        drive = Drive(Samples(np.full(len(t_s), 60.0), g, t_s, np.zeros(len(t_s))), events)
        return dashboard.insert_drive(
            conn, drive, driver_id=driver, vehicle_id=vehicle, started_at=more.pop("started_at", NOW), **more
        )


def read(engine: sa.Engine, wanted: Wanted | None = None, part: Part = SHOWN, profile=DEFAULT_PROFILE) -> inbox.Inbox:
    with connection(engine) as conn:
        return inbox.read_inbox(conn, profile, wanted or Wanted(), part)


def peaks(found: inbox.Inbox) -> list[float]:
    return [each.event.peak for each in found.events]


def text(app: AppTest) -> str:
    kinds = (app.title, app.header, app.caption, app.markdown, app.warning, app.info)
    return "\n".join(str(each.value) for kind in kinds for each in kind).replace("\\", "")


def press(app: AppTest, key: str) -> AppTest:
    return next(each for each in app.button if each.key == key).click().run()


def event_ids(engine: sa.Engine, trip: UUID) -> list[int]:
    with connection(engine) as conn:
        return [event.id or 0 for event in read_events(conn, trip)]


def score_of(engine: sa.Engine, trip: UUID) -> int | None:
    with connection(engine) as conn:
        report = reports.read_trip(conn, trip, 1)
    assert report is not None
    return report.safety_score


def test_events_above_their_threshold_come_the_most_severe_first_each_tab_with_its_count(engine):
    store(engine, SURGE, BRAKE, GENTLE, DOUBTFUL, FAST)
    found = read(engine)
    assert peaks(found) == [0.554, 0.45, 143.0]  # 38, 12 and 10 % over
    assert dict(found.counts) == {Tab.TO_REVIEW: 3, Tab.DOUBTFUL: 1, Tab.REVIEWED: 0}
    assert peaks(read(engine, part=replace(SHOWN, tab=Tab.DOUBTFUL))) == [0.7]
    assert peaks(read(engine, part=replace(SHOWN, limit=1, offset=1))) == [0.45]


def test_severity_is_relative_to_the_threshold_of_the_vehicles_class(engine):
    with connection(engine) as conn:
        roster.upsert_vehicle(conn, LORRY, name="Lorry 1", vehicle_class="heavy")
    heavy = {**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.30, 5)}
    profile = replace(DEFAULT_PROFILE, class_rules={"heavy": heavy})
    store(engine, replace(BRAKE, peak_g=0.44), vehicle=LORRY, name="lorry")
    store(engine, replace(BRAKE, peak_g=0.50), replace(BRAKE, peak_s=21.5, peak_g=0.35))
    found = read(engine, profile=profile)
    assert [(each.event.peak, each.threshold) for each in found.events] == [(0.44, 0.30), (0.50, 0.40)]


def test_the_newest_come_first_if_asked_for(engine):
    store(engine, BRAKE, started_at=NOW - timedelta(days=1))
    store(engine, SURGE)
    assert peaks(read(engine, part=replace(SHOWN, order=Order.NEWEST))) == [0.45, 0.554]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(kinds=(EventKind.ACCELERATION,)), [0.45]),
        (Wanted(since=NOW - timedelta(days=2)), [0.554]),
        (Wanted(group_name="North"), [0.554]),
        (Wanted(search="aNN o"), [0.554]),
        (Wanted(search="lorry"), [0.45]),
        (Wanted(search=str(BEN)), [0.45]),
        (Wanted(search="%"), []),
        (Wanted(search="nobody"), []),
    ],
)
def test_the_filters_narrow_the_list_and_the_counts(engine, wanted, expected):
    with connection(engine) as conn:
        roster.upsert_driver(conn, ANN, name="Ann Other", group_name="North")
        roster.upsert_vehicle(conn, LORRY, name="Lorry 1")
    store(engine, BRAKE)
    store(engine, SURGE, driver=BEN, vehicle=LORRY, started_at=NOW - timedelta(days=5))
    found = read(engine, wanted)
    assert peaks(found) == expected
    assert found.counts[Tab.TO_REVIEW] == len(expected)


def test_trips_with_unusable_signals_bring_nothing_to_review(engine):
    trip = store(engine, BRAKE)
    with connection(engine) as conn:
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET quality = 'unusable' WHERE id = %(id)s", {"id": trip})
    assert read(engine).events == ()


def test_the_list_finds_events_by_the_index_on_their_peaks(engine):
    """Two thousand gentle events and one harsh one: nobody looks at the gentle ones, nor into the table."""
    store(engine, BRAKE, *(replace(GENTLE, peak_s=81.0 + number / 10_000, end_s=83.0) for number in range(2000)))
    plans: list[str] = []

    class Explaining:
        """A connection that asks how a statement would be run."""

        def exec_driver_sql(self, statement, values):
            plans.extend(conn.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
            return conn.exec_driver_sql(statement, values)

    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("VACUUM ANALYZE telemetry.harsh_events")
    with connection(engine) as conn:
        found = inbox.read_inbox(Explaining(), DEFAULT_PROFILE, Wanted(), SHOWN)
    assert peaks(found) == [0.554]
    assert sum("Index Only Scan using harsh_events_peak_idx" in line for line in plans) == len(KINDS), "\n".join(plans)


def test_a_reviewed_event_says_by_whom_and_why(engine):
    (event_id,) = event_ids(engine, store(engine, BRAKE))
    with connection(engine) as conn:
        reviews.insert_review(conn, event_id, Review.FALSE, expected=None, author="Test", reason="Bump or pothole")
        found = inbox.read_event(conn, DEFAULT_PROFILE, event_id)
    assert found is not None
    assert (found.event.review, found.reason, found.reviewed_by) == (Review.FALSE, "Bump or pothole", "Test")
    assert read(engine).counts[Tab.REVIEWED] == 1
    with connection(engine) as conn:
        assert inbox.read_event(conn, DEFAULT_PROFILE, 10**12) is None


@pytest.mark.parametrize("with_times", [True, False])
def test_the_samples_around_an_event_are_cut_out_of_its_trip(engine, with_times):
    t_s = np.arange(0, 1000, 0.5)
    samples = Samples(np.full(2000, 60.0), np.arange(2000.0), t_s if with_times else None)
    with connection(engine) as conn:
        trip = dashboard.insert_drive(
            conn, Drive(samples, (replace(BRAKE, start_s=499.0, peak_s=500.0, end_s=501.0),)), driver_id=ANN,
            vehicle_id=CAR, started_at=NOW,
        )  # fmt: skip
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET sample_hz = 2")
        (event,) = read_events(conn, trip)
        moment = moments.read_moments(conn, [event.id or 0, 10**12])[event.id or 0]
    assert list(moment.columns) == ["t_s", "speed_kmh", "g_force_long"]
    assert moment["t_s"].tolist() == np.arange(494, 506.5, 0.5).tolist()
    assert moment["g_force_long"].tolist() == list(range(988, 1013))


def test_a_vehicle_is_compared_with_what_others_did_in_it(engine):
    store(engine, BRAKE, driver=ANN)
    store(engine, BRAKE, replace(BRAKE, peak_s=21.5), driver=BEN, started_at=NOW - timedelta(hours=2))
    with connection(engine) as conn:
        others = inbox.read_other_drivers(conn, 1, vehicle_id=CAR, driver_id=ANN, since=None)
    assert (others["braking"], round(others["distance_km"], 2)) == (2, 1.67)


def test_the_page_shows_the_first_event_with_what_speaks_for_and_against_it(engine, opened):
    with connection(engine) as conn:
        roster.upsert_driver(conn, ANN, name="Ann Other")
        roster.upsert_vehicle(conn, CAR, name="Van 1", vehicle_class="light commercial")
    store(engine, BRAKE, SURGE)
    store(engine, driver=BEN, started_at=NOW - timedelta(hours=2))
    app = opened()
    assert not app.exception
    assert "2 harsh events" in text(app)
    assert ":red[▼] Harsh braking" in text(app)
    assert "Ann Other · Van 1" in text(app)
    facts = app.table[0].value.iloc[:, 0].to_dict()
    assert facts["Margin"] == "**+0.15 g** over 0.40 g, gone at 0.56 g"
    assert facts["Trip"] == "Score 90, would be 95 without it"
    assert facts["Driver"] == "60.0 such events per 100 km; the fleet 30.0"
    assert facts["Vehicle"] == "Van 1, light commercial; other drivers 0.0 per 100 km"


def test_a_dismissal_takes_one_gesture_opens_the_next_and_can_be_undone(engine, opened):
    trip = store(engine, BRAKE, SURGE)
    first, second = event_ids(engine, trip)
    app = opened()
    choose_reason(app, "dismiss_card", "Bump or pothole")
    assert not app.exception
    assert score_of(engine, trip) == 95
    assert "Dismissed: bump or pothole. The trip's score goes from 90 to 95." in text(app)
    assert app.query_params["event"] == str(second)
    assert app.toast[0].value.startswith(r"Dismissed\: bump or pothole")
    press(app, "undo_last")
    assert score_of(engine, trip) == 90
    assert "goes from 95 to 90" in text(app)
    with connection(engine) as conn:
        history = reviews.list_reviews(conn, trip)
    assert [(each.event_id, each.review, each.reason) for each in history] == [
        (first, None, ""), (first, Review.FALSE, "Bump or pothole"),
    ]  # fmt: skip


def choose_reason(app: AppTest, key: str, reason: str) -> None:
    menu: Any = next(each for each in app.get("menu_button") if each.key == key)
    menu.click(reason).run()


def test_an_event_that_somebody_judged_meanwhile_is_not_judged_twice(engine, opened):
    (event_id,) = event_ids(engine, store(engine, BRAKE))
    app = opened()
    with connection(engine) as conn:
        reviews.insert_review(conn, event_id, Review.FALSE, expected=None, author="Somebody else")
    press(app, f"confirm_row_{event_id}")
    assert not app.exception
    assert "The event has the review “false” by now; nothing was changed." in text(app)


def test_the_address_holds_tab_filters_and_event(engine, opened):
    with connection(engine) as conn:
        roster.upsert_driver(conn, ANN, name="Ann Other")
    doubtful = event_ids(engine, store(engine, BRAKE, DOUBTFUL))[1]
    app = opened(tab="doubtful", kind="braking,nonsense", search="ann", event=str(doubtful), order="newest")
    assert not app.exception
    assert app.get("segmented_control")[2].value == "doubtful"
    assert "Doubtful: the pull of a turn just before it can look like this." in text(app)
    nonsense: dict[str, str]
    for nonsense in ({"page": "999", "event": "9" * 15}, {"page": "-1", "event": "9" * 30, "tab": "x", "as": "?"}):
        assert not opened(**nonsense).exception, nonsense


def test_many_are_judged_at_once_in_the_table(engine, opened):
    trip = store(engine, BRAKE, SURGE)
    app = opened(**{"as": "table"})
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["peak"]) == ["0.55 g", "0.45 g"]
    assert table["trace"].str.startswith("data:image/svg+xml;base64,").all()
    assert next(each for each in app.button if each.key == "confirm_many").disabled
    assert score_of(engine, trip) == 90


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({}, "Nothing waits for a review"),
        ({"tab": "doubtful"}, "No doubtful events"),
        ({"tab": "reviewed"}, "Nothing reviewed yet"),
        ({"search": "nobody"}, "No event fits the filters"),
    ],
)
def test_an_empty_list_says_why(engine, opened, address, said):
    store(engine, GENTLE)
    app = opened(**address)
    assert not app.exception
    assert said in text(app)


def test_the_trip_page_judges_by_another_profile_without_storing_anything(engine, opened):
    trip = store(engine, BRAKE, SURGE)
    strict = {**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.30, 20)}
    with connection(engine) as conn:
        version = profiles.insert_profile(
            conn, replace(DEFAULT_PROFILE, name="Strict", rules=strict), author="Test", note=""
        )
    app = opened("trip", trip=str(trip))
    assert not app.exception
    other = app.dataframe[1].value.set_index("profile")
    assert list(other["score"]) == [75, 90]
    assert list(other["origin"]) == ["judged now", "stored"]
    app = opened("trip", trip=str(trip), profile=str(version))
    assert not app.exception
    assert "Judged by “Strict”" in text(app)
    assert {each.label: each.value for each in app.metric}["Score"] == "75"
    assert score_of(engine, trip) == 90
    assert not opened("trip", trip=str(trip), profile="nonsense").exception


def test_the_trip_page_gives_the_verdict_on_the_signals_with_its_reasons(engine, opened):
    trip = store(engine, BRAKE)
    reasons = '[{"finding": "wrong unit", "verdict": "unusable", "text": "It is in m/s2, not in g."}]'
    with connection(engine) as conn:
        conn.exec_driver_sql(
            "UPDATE telemetry.trip_logs SET quality = 'unusable', quality_reasons = %(reasons)s::jsonb",
            {"reasons": reasons},
        )
    app = opened("trip", trip=str(trip))
    assert not app.exception
    assert {each.label: each.value for each in app.metric}["Signal quality"] == "Unusable"
    assert "**Signal unusable for scoring.** It is in m/s2, not in g." in text(app)
    assert "No route" in text(app)


def test_who_may_not_review_sees_events_without_buttons(engine, database_url: str, opened):
    store(engine, BRAKE)

    def judging(app: AppTest) -> set[str]:
        return {each.key for each in app.button if each.key and each.key.startswith("confirm_")}

    assert "confirm_card" in judging(opened())
    assert "confirm_many" in judging(opened(**{"as": "table"}))
    with people.signed_in(database_url, Role.FLEET_MANAGER):
        assert "0.55" in text(opened())
        assert judging(opened()) == judging(opened(**{"as": "table"})) == set()
