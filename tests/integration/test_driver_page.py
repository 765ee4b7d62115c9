"""The driver page over a real Postgres: where somebody stands, why it changed, coaching, and the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np
import pytest
import sqlalchemy as sa
from pypdf import PdfReader

from dashboard import driver_report
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule
from fleetflow.storage import coaching, profiles, roster, runs
from fleetflow.storage.database import connection
from fleetflow.trips.samples import Samples
from tests.support.dashboard import Drive
from tests.support.pages import metrics, store, text

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.postgres
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
BRAKE = HarshEvent(EventKind.BRAKING, 20.0, 21.0, 22.0, 0.554, 48.0)
LONG_S = np.arange(0, 14_400.0, 10.0)
LONG = Samples(np.full(len(LONG_S), 60.0), np.zeros(len(LONG_S)), LONG_S, np.zeros(len(LONG_S)))
HARSH = {"rough": (8, 3), "middle": (2, 2), "calm": (0, 0)}
"""Harsh events on each long day of the four weeks before and of the last four."""


def drivers_of_two_months(engine: sa.Engine, names: dict[str, str] | None = None) -> dict[str, UUID]:
    ids = {name: uuid4() for name in HARSH}
    with connection(engine) as conn:
        for name, driver_id in ids.items():
            roster.upsert_driver(conn, driver_id, name=(names or {}).get(name, name), group_name="Harbour")
    for name, (before, after) in HARSH.items():
        for back in range(2, 54, 5):
            events = (BRAKE,) * (after if back < 28 else before)
            store(engine, Drive(LONG, events), ids[name], started_at=NOW - timedelta(days=back))
    return ids


def button(app: AppTest, label: str):
    return next(each for each in app.button if each.label == label)


def badge_words(app: AppTest) -> str:
    return "\n".join(str(each.value) for each in app.markdown)


def test_a_ranked_driver_is_shown_with_how_sure_everything_is(engine, opened):
    ids = drivers_of_two_months(engine)
    app = opened("driver", driver=str(ids["rough"]), period="28")
    assert not app.exception
    shown = metrics(app)
    assert shown["Rank"] == "1 of 3"
    assert float(shown["Points per 100 km"]) > 4
    deltas = {each.label: each.delta for each in app.metric}
    assert deltas["Rank"].startswith("likely 1")
    assert deltas["Rank"].endswith("was 1")
    assert deltas["Points per 100 km"].startswith("90 %: ")
    assert "Harbour" in badge_words(app)
    assert "likely better" in badge_words(app)
    assert len(app.get("plotly_chart")) == 4
    assert [each.label for each in app.get("download_button")] == ["Report (PDF)", "CSV", "Excel"]


def test_another_week_or_series_can_be_looked_at_and_the_next_driver_opened(engine, opened):
    ids = drivers_of_two_months(engine)
    app = opened("driver", driver=str(ids["rough"]))
    series = next(each for each in app.get("segmented_control") if each.label == "What to show")
    series.set_value("Score").run()
    assert not app.exception
    assert button(app, "Previous").disabled
    button(app, "Next").click().run()
    assert app.query_params["driver"] == str(ids["middle"])


def test_every_period_is_drawn_also_where_there_is_nothing_before(engine, opened):
    ids = drivers_of_two_months(engine)
    app = opened("driver", driver=str(ids["calm"]), period="all")
    assert not app.exception
    assert metrics(app)["Score"] == "100.0"
    assert "Choose 7, 28 or 56 days" in text(app)
    for period in ("56", "7"):
        app.query_params["period"] = period
        app.run()
        assert not app.exception
        assert "nothing to compare" in text(app)


def test_a_change_of_profile_is_told_apart_from_driving(engine, opened):
    ids = drivers_of_two_months(engine)
    rules = MappingProxyType({**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.40, 8)})
    with connection(engine) as conn:
        conn.execute(sa.text("UPDATE telemetry.profile_activations SET activated_at = now() - interval '90 days'"))
        version = profiles.insert_profile(conn, replace(DEFAULT_PROFILE, name="Dear", rules=rules), author="a", note="")
        runs.activate(conn, version, activated_by="a")
        while runs.advance_run(conn):
            pass
    app = opened("driver", driver=str(ids["middle"]), period="28")
    why = next(each for each in app.get("plotly_chart") if "Roads driven" in str(each.proto))
    assert "Profile +" in why.proto.alt


def test_a_note_is_added_shown_with_before_and_after_and_withdrawn(engine, opened):
    ids = drivers_of_two_months(engine)
    app = opened("driver", driver=str(ids["rough"]))
    assert "No note yet" in text(app)
    button(app, "Save note").click().run()
    assert "A note has 1 to 2,000 characters." in app.error[0].value
    app.text_area[0].set_value("Exit lane *earlier*")
    app.date_input[0].set_value((NOW - timedelta(days=28)).date())
    button(app, "Save note").click().run()
    assert not app.exception
    assert [each.value for each in app.get("text")] == ["Exit lane *earlier*"]
    assert len(app.get("plotly_chart")) == 5
    assert app.text_area[0].value == ""
    button(app, "Withdraw").click().run()
    assert not app.exception
    assert "Older and withdrawn notes (1)" in [each.label for each in app.expander]
    assert "withdrawn" in text(app)
    with connection(engine) as conn:
        assert [note.note for note in coaching.list_notes(conn, ids["rough"])] == ["Exit lane *earlier*"]


def test_the_report_of_a_driver_says_what_the_page_says(engine, opened, monkeypatch):
    ids = drivers_of_two_months(engine, {"rough": "Simulated Marta Kovač"})
    with connection(engine) as conn:
        coaching.insert_note(conn, ids["rough"], (NOW - timedelta(days=28)).date(), "Exit lane earlier", author="a")
    printed = []
    monkeypatch.setattr("dashboard.report_view.show_button", printed.append)
    app = opened("driver", driver=str(ids["rough"]), period="28")
    assert not app.exception
    pages = PdfReader(BytesIO(driver_report.render(printed[-1]))).pages
    said = pages[0].extract_text()
    assert len(pages) == 1
    wanted = (
        "Simulated Marta Kovač",
        "1 of 3",
        "Europe/Berlin",
        "Exit lane earlier",
        "points per 100 km before",
        str(ids["rough"]),
    )
    for each in (*wanted, metrics(app)["Points per 100 km"], "profile 1"):
        assert each in said
