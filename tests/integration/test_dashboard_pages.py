"""Every page over a real Postgres: with data, without, with the database gone, with a wrong address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
import pytest
import sqlalchemy as sa
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import words
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.storage import profiles, reports, roster, runs
from fleetflow.storage.database import connection, create_engine
from fleetflow.trips.samples import Samples
from tests.support import dashboard, people
from tests.support.dashboard import Drive
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.postgres
APP = Path(__file__).parents[2] / "dashboard" / "app.py"
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
BRAKE = HarshEvent(EventKind.BRAKING, 20.0, 21.0, 22.0, 0.554, 48.0)
SURGE = HarshEvent(EventKind.ACCELERATION, 40.0, 41.0, 42.0, 0.45, 30.0)
DOUBTFUL = HarshEvent(EventKind.BRAKING, 60.0, 61.0, 62.0, 0.7, 12.0, doubts=("the speed did not follow",))
GENTLE = HarshEvent(EventKind.BRAKING, 80.0, 81.0, 82.0, 0.3, 40.0)


@pytest.fixture
def engine(database_url) -> Iterator[sa.Engine]:
    engine = create_engine(database_url, application_name="test")
    yield engine
    engine.dispose()


@pytest.fixture
def opened(database_url) -> Iterator[Callable[..., AppTest]]:
    """Opens a page by its file and address, as a browser in Berlin would."""

    def open_page(page: str = "", url: str = database_url, **address: str) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=60)
        app.secrets["fleetflow"] = {"database_url": url}
        app.context = {"timezone": "Europe/Berlin"}
        for name, value in address.items():
            app.query_params[name] = value
        app.run()
        if page:
            app.switch_page(f"app_pages/{page}.py")
            for name, value in address.items():
                app.query_params[name] = value
            app.run()
        return app

    with people.signed_in(database_url):
        yield open_page
    st.cache_data.clear()
    st.cache_resource.clear()


def drive(*events: HarshEvent) -> Drive:
    t_s = np.arange(0, 100.5, 0.5)
    return Drive(Samples(np.full(len(t_s), 60.0), np.zeros(len(t_s)), t_s, np.zeros(len(t_s))), events)


def store(engine: sa.Engine, trip: Drive, driver_id: UUID | None = None, **more) -> UUID:
    with connection(engine) as conn:
        return dashboard.insert_drive(
            conn,
            trip,
            driver_id=driver_id or uuid4(),
            vehicle_id=uuid4(),
            started_at=more.pop("started_at", NOW),
            **more,
        )


def text(app: AppTest) -> str:
    """All words on the page."""
    kinds = (app.title, app.header, app.caption, app.markdown, app.error, app.info, app.code)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


def metrics(app: AppTest) -> dict[str, str]:
    return {each.label: each.value for each in app.metric}


def test_drivers_without_enough_driving_are_listed_without_a_rank(engine, opened):
    careful = uuid4()
    with connection(engine) as conn:
        roster.upsert_driver(conn, careful, name="Simulated Ann Other")
    store(engine, drive(), careful)
    nameless = uuid4()
    store(engine, drive(BRAKE, SURGE), nameless)
    app = opened()
    assert not app.exception
    table = app.dataframe[0].value.set_index("name")
    assert set(table.index) == {"Simulated Ann Other", f"Driver {str(nameless)[:8]}"}
    assert table["rank"].isna().all()
    assert table["interval"].eq("").all()
    assert table.loc["Simulated Ann Other", "mean_score"] == 100.0
    assert table.loc[f"Driver {str(nameless)[:8]}", "per_100_km"] == 120.0
    assert metrics(app)["Average score"] == "95.0"
    assert metrics(app)["Trips scored"] == "2"
    assert "times in Europe/Berlin" in text(app)
    assert "Nobody has a rank yet" in text(app)


def store_fleet(engine: sa.Engine) -> dict[str, UUID]:
    """Four drivers with twenty long days each: one brakes harshly far more often than the others, two alike."""
    long_s = np.arange(0, 14_400.0, 10.0)
    samples = Samples(np.full(len(long_s), 60.0), np.zeros(len(long_s)), long_s, np.zeros(len(long_s)))
    harsh = {"rough": 6, "middle": 2, "same": 2, "calm": 0}
    drivers = {name: uuid4() for name in harsh}
    for name, count in harsh.items():
        for day in range(20):
            store(engine, Drive(samples, (BRAKE,) * count), drivers[name], started_at=NOW - timedelta(days=day + 1))
    return drivers


def test_ranked_drivers_come_the_worst_first_with_their_likely_ranks(engine, opened):
    drivers = store_fleet(engine)
    app = opened()
    assert not app.exception
    table = app.dataframe[0].value
    names = {f"Driver {str(each)[:8]}": name for name, each in drivers.items()}
    assert names[table["name"].iloc[0]] == "rough"
    assert names[table["name"].iloc[-1]] == "calm"
    assert list(table["rank"]) == [1, 2, 2, 4]
    assert table["likely"].iloc[0] == "1"
    assert table["points"].is_monotonic_decreasing
    assert table["verdict"].iloc[0] == "clearly above"
    assert table["verdict"].iloc[-1] == "clearly below"
    assert "Riskiest drivers" in text(app)


def test_an_unusable_trip_never_reaches_the_ranking(engine, opened):
    drivers = store_fleet(engine)
    with connection(engine) as conn:
        values = {"id": drivers["rough"]}
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET quality = 'unusable' WHERE driver_id = %(id)s", values)
    table = opened().dataframe[0].value.set_index("name")
    rough = table.loc[f"Driver {str(drivers['rough'])[:8]}"]
    assert np.isnan(rough["rank"])
    assert rough["verdict"] == "cannot be ranked"
    assert table["rank"].notna().sum() == 3


def test_the_period_comes_from_the_address_and_an_unknown_one_is_the_usual(engine, opened):
    store(engine, drive(), started_at=NOW - timedelta(days=10))
    assert metrics(opened(period="28"))["Trips scored"] == "1"
    assert "No scored trips in the last 7 days" in text(opened(period="7"))
    assert metrics(opened(period="nonsense"))["Trips scored"] == "1"


def test_an_empty_period_offers_all_time(engine, opened):
    store(engine, drive(), started_at=NOW - timedelta(days=400))
    app = opened()
    assert "No scored trips in the last 28 days" in text(app)
    app.button[0].click().run()
    assert metrics(app)["Trips scored"] == "1"
    assert app.query_params["period"] == "all"


@pytest.mark.parametrize("page", ["", "driver", "trip"])
def test_an_empty_database_says_how_to_send_a_first_trip(opened, page):
    app = opened(page)
    assert not app.exception
    assert "No trips yet" in text(app)
    assert "python -m fleetflow send FILE" in text(app)
    assert "curl -X POST http://127.0.0.1:8000/api/v1/telemetry" in text(app)


@pytest.mark.parametrize("page", ["", "driver", "trip"])
def test_a_database_that_is_down_is_one_sentence_and_no_traceback(opened, page):
    app = opened(page, url=f"postgresql://nobody:none@127.0.0.1:{free_port()}/none")
    assert not app.exception
    assert len(app.error) == 1
    assert "The database does not answer." in app.error[0].value


def test_a_page_that_was_drawn_says_when_the_database_last_answered_once_it_is_gone(engine, opened, database_url):
    store(engine, drive())
    app = opened()
    name = sa.engine.make_url(database_url).database
    admin = create_engine(database_url.rsplit("/", 1)[0] + "/postgres", application_name="test")
    try:
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
            conn.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
            conn.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
            )
            st.cache_data.clear()
            app.run()
            assert "It last answered at" in app.error[0].value
            conn.execute(sa.text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))
        app.run()
        assert not app.error
        assert metrics(app)["Trips scored"] == "1"
    finally:
        admin.dispose()


@pytest.mark.parametrize(("revision", "words"), [("0000", "too old"), ("9999", "too new")])
def test_a_schema_of_another_version_is_one_line(engine, opened, revision, words):
    with connection(engine) as conn:
        conn.execute(sa.text("UPDATE telemetry.alembic_version SET version_num = :to"), {"to": revision})
    app = opened()
    assert not app.exception
    assert words in app.error[0].value
    assert "\n" not in app.error[0].value


def test_waiting_trips_are_announced(engine, opened):
    store(engine, drive())
    store(engine, drive(), status="PENDING")
    assert "1 trip waits for a score" in text(opened())


def test_a_driver_is_shown_beside_the_fleet(engine, opened):
    driver_id = uuid4()
    store(engine, drive(BRAKE), driver_id)
    store(engine, drive(), driver_id, started_at=NOW - timedelta(days=2))
    store(engine, drive())
    app = opened("driver", driver=str(driver_id))
    assert not app.exception
    shown = metrics(app)
    assert (shown["Average score"], shown["Rank"], shown["Trips scored"]) == ("97.5", "2", "2")
    assert [each.delta for each in app.metric][:2] == ["fleet 98.3", "of 2 drivers"]
    assert list(app.dataframe[0].value["safety_score"]) == [95, 100]


@pytest.mark.parametrize("address", ["nonsense", str(UUID(int=7)), "'; DROP TABLE telemetry.trip_logs; --"])
def test_an_unknown_driver_is_said_to_be_unknown(engine, opened, address):
    store(engine, drive())
    app = opened("driver", driver=address)
    assert not app.exception
    assert "No such driver" in text(app)


def test_a_driver_without_trips_in_the_period_says_so(engine, opened):
    driver_id = uuid4()
    store(engine, drive(), driver_id, started_at=NOW - timedelta(days=100))
    assert "No trips in the last 28 days" in text(opened("driver", driver=str(driver_id)))


def test_a_driver_whose_only_trip_failed_still_shows_it(engine, opened):
    driver_id = uuid4()
    store(engine, drive(), driver_id, status="FAILED", error="No sample is usable.")
    app = opened("driver", driver=str(driver_id))
    assert not app.exception
    assert list(app.dataframe[0].value["status"]) == ["failed"]


def test_a_trip_explains_its_score_event_by_event(engine, opened):
    trip_id = store(engine, drive(BRAKE, SURGE, DOUBTFUL, GENTLE))
    app = opened("trip", trip=str(trip_id))
    assert not app.exception
    shown = metrics(app)
    assert shown["Score"] == "90"
    assert shown[":red[▼] Harsh braking"] == "1"
    events = app.dataframe[0].value
    assert list(events["peak"]) == ["0.55 g", "0.45 g", "0.70 g"]
    assert list(events["over"]) == ["+0.15 g", "+0.05 g", "+0.30 g"]
    assert list(events["points"]) == ["\N{MINUS SIGN}5", "\N{MINUS SIGN}5", "0"]
    assert events["gone_at"].iloc[0] == "0.56 g"
    assert "From 100 to 90" in text(app)
    assert "Peak **0.55 g**, 0.15 over the 0.40 g threshold." in text(app)
    assert "1 event stayed below" in text(app)
    assert len(app.get("plotly_chart")) == 3


def test_the_address_chooses_the_event_and_the_part_that_is_shown(engine, opened):
    trip_id = store(engine, drive(BRAKE, SURGE))
    app = opened("trip", trip=str(trip_id), event="2", view="20")
    assert not app.exception
    assert ":blue[▲] 2 Rapid acceleration" in text(app)
    assert app.get("segmented_control")[0].value == "20"
    for nonsense in ("5-1", "-", "a-b", "1e999-2", "nan-nan"):
        assert not opened("trip", trip=str(trip_id), event="99", view=nonsense).exception, nonsense


@pytest.mark.parametrize("address", ["nonsense", str(UUID(int=7))])
def test_an_unknown_trip_is_said_to_be_unknown(engine, opened, address):
    store(engine, drive())
    app = opened("trip", trip=address)
    assert not app.exception
    assert "No such trip" in text(app)
    app.button[0].click().run()
    assert len(app.dataframe[0].value) == 1


def test_a_trip_that_waits_says_so_and_fills_in_by_itself(engine, opened):
    trip_id = store(engine, drive(BRAKE), status="PENDING")
    app = opened("trip", trip=str(trip_id))
    assert "This trip waits for its score" in text(app)
    assert not app.metric


def test_a_failed_trip_gives_its_reason(engine, opened):
    trip_id = store(engine, drive(), status="FAILED", error="No sample is usable.")
    app = opened("trip", trip=str(trip_id))
    assert "No sample is usable." in app.error[0].value
    assert "5 attempts" in app.error[0].value


def test_a_trip_with_neither_date_nor_clock_nor_lateral_signal_is_drawn_by_samples(engine, opened):
    event = HarshEvent(EventKind.BRAKING, 1.0, 1.0, 1.0, 0.5, 55.0)
    trip = Drive(Samples(np.array([50.0, 55.0]), np.array([0.1, -0.5])), (event,))
    trip_id = store(engine, trip, started_at=None)
    app = opened("trip", trip=str(trip_id))
    assert not app.exception
    assert app.dataframe[0].value["time"].iloc[0] == "sample 1"
    assert "No date in its points" in text(app)
    assert app.get("segmented_control")[0].options == ["Whole trip"]


def test_a_trip_of_one_point_is_drawn(engine, opened):
    trip_id = store(engine, Drive(Samples(np.array([50.0]), np.array([0.1])), ()), started_at=None)
    app = opened("trip", trip=str(trip_id))
    assert not app.exception
    assert "No harsh events" in text(app)


def test_the_list_of_trips_opens_when_no_trip_is_named(engine, opened):
    store(engine, drive(BRAKE))
    app = opened("trip")
    assert not app.exception
    assert list(app.dataframe[0].value["safety_score"]) == [95]


def test_an_event_is_dismissed_on_its_trip_and_the_score_follows_and_comes_back(engine, opened):
    trip = store(engine, drive(BRAKE))
    app = opened("trip", trip=str(trip))
    assert score_of(engine, trip) == 95
    next(each for each in app.button if each.label == "Bump or pothole").click().run()
    assert not app.exception
    assert score_of(engine, trip) == 100
    assert "Reviewed: not a harsh event" in text(app)
    next(each for each in app.button if each.label == "Undo").click().run()
    assert score_of(engine, trip) == 95


def score_of(engine: sa.Engine, trip: UUID) -> int | None:
    with connection(engine) as conn:
        report = reports.read_trip(conn, trip, 1)
    assert report is not None
    return report.safety_score


def test_tuning_shows_who_moves_and_applies_a_profile_that_a_worker_makes_active(engine, opened):
    store_fleet(engine)
    app = opened("tuning")
    assert not app.exception
    assert "Move a slider to see who moves" in text(app)
    app.slider[0].set_value(0.60).run()
    assert not app.exception
    assert metrics(app)["Harsh events"] == f"{words.MINUS}200"
    app.text_input[0].set_value("Lenient")
    app.text_input[1].set_value("To see who moves")
    next(each for each in app.button if each.label == "Apply and re-score").click().run()
    assert not app.exception
    with connection(engine) as conn:
        while runs.advance_run(conn):
            pass
        stored = profiles.read_active(conn)
    assert (stored.profile.name, stored.note) == ("Lenient", "To see who moves")
    assert stored.profile.rules[EventKind.BRAKING].threshold == 0.6


def test_a_profile_without_a_name_is_refused_and_nothing_is_stored(engine, opened):
    store_fleet(engine)
    app = opened("tuning")
    app.slider[0].set_value(0.60).run()
    next(each for each in app.button if each.label == "Apply and re-score").click().run()
    assert "The name must have 1 to 100 characters." in text(app)
    with connection(engine) as conn:
        assert len(profiles.list_profiles(conn)) == 1
