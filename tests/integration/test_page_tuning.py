"""The tuning page over a real Postgres: a draft is a link, shows who moves, and becomes a profile by a run."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from dashboard import data, words
from dashboard.data import of_fleet
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule
from fleetflow.storage import profiles, roster, runs
from fleetflow.storage.database import connection
from tests.support.pages import drive, metrics, store, store_fleet, text

pytestmark = pytest.mark.postgres
LENIENT = "0.6x5_0.4x5_0.45x0_130x0"


def press(app, label: str):
    next(each for each in app.button if each.label == label).click().run()
    assert not app.exception
    return app


def finish_runs(engine) -> None:
    with connection(engine) as conn:
        while runs.advance_run(conn):
            pass
    data.forget()


def store_profile(engine, threshold: float = 0.3, name: str = "Stricter") -> int:
    rules = MappingProxyType({**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(threshold, 5)})
    with connection(engine) as conn:
        profile = replace(DEFAULT_PROFILE, name=name, rules=rules)
        return profiles.insert_profile(conn, profile, author="Tester", note="For *now*.")


def test_a_moved_slider_makes_a_draft_that_is_in_the_address_and_can_be_discarded(engine, opened):
    store_fleet(engine)
    app = opened("tuning")
    assert not app.exception
    assert "Move a slider to see who moves" in text(app)
    assert "draft" not in app.query_params
    app.slider[0].set_value(0.60).run()
    assert not app.exception
    assert app.query_params["draft"] == LENIENT
    assert metrics(app)["Harsh events"] == "0"
    assert app.metric[0].delta == f"{words.MINUS}200 from 200"
    assert "**Draft** · braking 0.40 g → 0.60 g" in text(app)
    press(app, "Discard")
    assert "draft" not in app.query_params
    assert app.slider[0].value == 0.40
    app.query_params["draft"] = LENIENT  # what a browser sends whose address lags behind
    app.run()
    assert "draft" not in app.query_params
    app.slider[0].set_value(0.60).run()
    assert app.query_params["draft"] == LENIENT


def test_a_link_with_a_draft_shows_it_and_one_that_means_nothing_is_no_draft(engine, opened):
    store(engine, drive())
    app = opened("tuning", draft="0.36x7_0.4x5_0.45x0_130x0")
    assert (app.slider[0].value, app.number_input[0].value) == (0.36, 7)
    assert "braking 5 → 7 points" in text(app)
    assert "Move a slider to see who moves" in text(opened("tuning", draft="nonsense"))


def test_a_draft_becomes_the_active_profile_by_a_run_and_the_way_back_is_one_click(engine, opened):
    store_fleet(engine)
    app = press(opened("tuning", draft=LENIENT), "Apply…")
    assert "80 trips will be scored again" in text(app)
    press(app, "Apply and re-score")
    assert "The name must have 1 to 100 characters." in text(app)
    with connection(engine) as conn:
        assert len(profiles.list_profiles(conn)) == 1
    app.text_input[0].set_value("Lenient")
    app.text_area[0].set_value("To see who moves")
    press(app, "Apply and re-score")
    assert "draft" not in app.query_params
    finish_runs(engine)
    with connection(engine) as conn:
        stored = profiles.read_active(conn)
    assert (stored.profile.name, stored.note) == ("Lenient", "To see who moves")
    assert stored.profile.rules[EventKind.BRAKING].threshold == 0.6
    press(app.run(), "Make active")
    with connection(engine) as conn:
        assert profiles.read_active(conn).version == 1


def test_the_history_tells_what_each_version_changed_and_loads_it_into_the_sliders(engine, opened):
    store_fleet(engine)
    store_profile(engine)
    app = opened("tuning")
    assert ":gray-badge[braking 0.40 g → 0.30 g]" in text(app)
    assert ":gray-badge[speeding 130 km/h · 0 points]" in text(app)
    assert "For \\*now\\*." in text(app)
    press(app, "Load")
    assert app.slider[0].value == 0.30


def test_a_group_narrows_what_the_draft_is_tried_on(engine, opened):
    drivers = store_fleet(engine)
    with connection(engine) as conn:
        roster.upsert_driver(conn, drivers["rough"], name="Simulated Rough", group_name="North")
    everybody = opened("tuning", draft=LENIENT)
    north = opened("tuning", draft=LENIENT, group="North")
    assert everybody.metric[0].delta == f"{words.MINUS}200 from 200"
    assert north.metric[0].delta == f"{words.MINUS}120 from 120"


def test_a_kind_that_costs_nothing_has_no_threshold_that_matters(engine, opened):
    store_fleet(engine)
    app = opened("tuning")
    assert app.get("plotly_chart")
    control = next(each for each in app.segmented_control if each.label == "Kind")
    control.set_value(EventKind.SPEEDING).run()
    assert "Speeding costs no points, so its threshold moves nobody." in text(app)


def test_an_empty_fleet_has_no_sliders_but_its_profiles(engine, opened):
    app = opened("tuning")
    assert not app.exception
    assert not app.slider
    assert "FleetFlow" in text(app)
    store(engine, drive())
    data.forget()
    assert len(opened("tuning").slider) == 4


def test_trips_that_come_in_while_a_draft_is_looked_at_are_in_all_of_its_figures(engine, opened):
    store_fleet(engine)
    app = opened("tuning", draft=LENIENT)
    store(engine, drive())
    of_fleet._fleet.clear()  # as after its time: what was judged before is still remembered
    app.run()
    assert not app.exception
    assert metrics(app)["Harsh events"] == "0"
