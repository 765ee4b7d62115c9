"""The tuning page over a real Postgres."""

from __future__ import annotations

import pytest

from dashboard import words
from fleetflow.safety.events import EventKind
from fleetflow.storage import profiles, runs
from fleetflow.storage.database import connection
from tests.support.pages import metrics, store_fleet, text

pytestmark = pytest.mark.postgres


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
