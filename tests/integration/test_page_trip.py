"""A trip's page over a real Postgres."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.trips.samples import Samples
from tests.support.dashboard import Drive
from tests.support.pages import BRAKE, DOUBTFUL, GENTLE, SURGE, drive, metrics, score_of, store, text

pytestmark = pytest.mark.postgres


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
    assert len(app.get("plotly_chart")) == 5


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
    assert app.get("segmented_control")[0].options == [":gray[Whole trip]"]


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
    next(each for each in app.get("menu_button") if each.key == "dismiss_trip").click("Bump or pothole").run()
    assert not app.exception
    assert score_of(engine, trip) == 100
    assert r"Dismissed\: bump or pothole" in text(app)
    next(each for each in app.button if each.label == "Undo").click().run()
    assert score_of(engine, trip) == 95
