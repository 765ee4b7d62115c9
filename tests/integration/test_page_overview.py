"""The fleet overview, which opens first, over a real Postgres."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from dashboard import words
from fleetflow.storage import profiles, roster
from fleetflow.storage.database import connection
from tests.support.pages import BRAKE, NOW, drive, metrics, store, store_days, store_fleet, text

pytestmark = pytest.mark.postgres


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


def test_waiting_trips_are_announced(engine, opened):
    store(engine, drive())
    store(engine, drive(), status="PENDING")
    assert "1 trip waits for a score" in text(opened())


def test_figures_of_the_period_stand_beside_the_one_before(engine, opened):
    driver_id = uuid4()
    store(engine, drive(BRAKE), driver_id)
    store(engine, drive(BRAKE, BRAKE), driver_id, started_at=NOW - timedelta(days=30), name="before")
    store(engine, drive(), driver_id, started_at=NOW - timedelta(days=31), name="before that")
    app = opened()
    assert not app.exception
    assert metrics(app)["Fleet score"] == "95.0"
    deltas = {each.label: each.delta for each in app.metric}
    assert (deltas["Fleet score"], deltas["Harsh events per 100 km"], deltas["Trips scored"]) == (
        "0.0", "0.0", f"{words.MINUS}50 %",
    )  # fmt: skip


def test_who_stands_out_and_who_changed_are_ranked_drivers(engine, opened):
    store_fleet(engine)
    app = opened()
    assert not app.exception
    assert metrics(app)["Clearly above"] == "1"
    assert "Who stands out" in text(app)
    assert "Nobody is ranked in both periods yet." in text(app)


def test_a_driver_who_brakes_far_more_than_before_is_said_to_have_changed(engine, opened):
    drivers = store_fleet(engine)
    before = {driver_id: 0 if name == "calm" else 2 for name, driver_id in drivers.items()}
    store_days(engine, before, first_back=29)
    app = opened()
    assert not app.exception
    assert "The fleet as a whole has" in text(app)
    assert "Nobody is ranked in both periods" not in text(app)
    assert "No change is beyond chance" not in text(app)


def test_one_group_is_looked_at_with_the_ranks_of_the_whole_fleet(engine, opened):
    drivers = store_fleet(engine)
    with connection(engine) as conn:
        roster.upsert_driver(conn, drivers["calm"], name="Simulated Calm", group_name="North")
    assert metrics(opened())["Trips scored"] == "80"
    app = opened(group="North")
    assert not app.exception
    assert metrics(app)["Trips scored"] == "20"
    table = opened("leaderboard", group="North").dataframe[0].value
    assert list(table["name"]) == ["Simulated Calm"]
    assert list(table["rank"]) == [4]
    assert metrics(opened(group="No such group"))["Trips scored"] == "80"


def test_a_class_of_vehicles_is_a_fleet_of_its_own(engine, opened):
    vehicles = {name: uuid4() for name in ("heavy", "passenger")}
    with connection(engine) as conn:
        for name, vehicle_id in vehicles.items():
            roster.upsert_vehicle(conn, vehicle_id, name=name, vehicle_class=name)
    store(engine, drive(BRAKE), vehicle_id=vehicles["heavy"])
    store(engine, drive(), vehicle_id=vehicles["passenger"])
    assert metrics(opened(**{"class": "heavy"}))["Fleet score"] == "95.0"
    assert metrics(opened(**{"class": "passenger"}))["Fleet score"] == "100.0"
    app = opened(**{"class": "heavy", "period": "7"})
    assert app.get("selectbox")[0].options == ["All vehicles", "Heavy", "Passenger"]


def test_filters_that_fit_nobody_say_so_and_can_be_cleared(engine, opened):
    with connection(engine) as conn:
        roster.upsert_driver(conn, uuid4(), name="Simulated Idle", group_name="North")
    store(engine, drive())
    app = opened(group="North")
    assert "Nobody drove" in text(app)
    next(each for each in app.button if each.label == "Clear the filters").click().run()
    assert metrics(app)["Trips scored"] == "1"
    assert "group" not in app.query_params


def test_failed_trips_are_listed_with_their_reason(engine, opened):
    store(engine, drive())
    store(engine, drive(), status="FAILED", error="No sample is usable.")
    app = opened()
    assert "Needs a hand" in text(app)
    assert list(app.dataframe[0].value["error"]) == ["No sample is usable."]


def test_a_new_profile_marks_the_course_of_events(engine, opened):
    store_fleet(engine)
    with connection(engine) as conn:
        profiles.insert_activation(conn, profiles.read_active(conn).version, activated_by="test")
    app = opened()
    assert not app.exception
    assert "a profile became active" in text(app)
