"""The upload page: what it says of each file, what a correction changes, and that loading doubles nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import words
from fleetflow.storage import roster
from fleetflow.storage.database import connection
from fleetflow.storage.tables import trip_logs, upload_trips, uploads
from tests.support import people
from tests.support.programs import make_settings, running_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]
APP = Path(__file__).parents[2] / "dashboard" / "app.py"
ROWS = [f"2026-01-05 08:00:{second:02d},{20 + second}" for second in range(40)]
GOOD = ("good.csv", "\n".join(["time,speed", *ROWS, "2026-01-05 08:00:50,fast"]).encode(), "text/csv")
ANN, VAN = uuid4(), uuid4()
BAD = ("bad.csv", b"\x89PNG\r\n\x1a\n", "text/csv")


@pytest.fixture
def page(database_url: str, api: httpx.Client) -> Iterator[Callable[..., AppTest]]:
    """Opens the page in Berlin with files dropped on it."""

    def opened(*files: tuple[str, bytes, str]) -> AppTest:
        app = AppTest.from_file(str(APP), default_timeout=120)
        app.secrets["fleetflow"] = {"database_url": database_url, "api_url": str(api.base_url).rstrip("/")}
        app.context = {"timezone": "Europe/Berlin"}
        app.run()
        app.switch_page("app_pages/upload.py").run()
        if files:
            app.file_uploader[0].set_value(list(files)).run()
        return app

    with people.signed_in(database_url):
        yield opened
    st.cache_data.clear()
    st.cache_resource.clear()


def text(app: AppTest) -> str:
    kinds = (app.title, app.header, app.caption, app.markdown, app.error, app.warning)
    return "\n".join(str(each.value) for kind in kinds for each in kind).replace("\\", "")


def press(app: AppTest, label: str) -> None:
    button = next(each for each in app.button if each.label.replace("\\", "") == label)
    button.click().run()


def test_without_files_the_page_says_what_it_takes(page: Callable[..., AppTest]):
    shown = text(page())
    assert "CSV with any separator" in shown
    assert "Twice is once" in shown


def test_a_file_is_questioned_corrected_loaded_and_scored_once(
    page: Callable[..., AppTest], engine: sa.Engine, database_url: str
):
    with connection(engine) as conn:
        roster.upsert_driver(conn, ANN, name="Simulated Ann")
        roster.upsert_vehicle(conn, VAN, name="Van 7")
    app = page(GOOD, BAD)
    assert not app.exception
    assert "This is a PNG picture." in text(app)
    assert "0 trips ready · 0 known · 1 row refused" in text(app)
    assert "Is speed in km/h?" in text(app)
    for label, name in (("Driver", "Simulated Ann"), ("Vehicle", "Van 7")):
        next(each for each in app.selectbox if each.label == label).set_value(name).run()
    assert "1 trip ready · 0 known · 1 row refused" in text(app)
    press(app, "No, mph")
    assert not app.warning
    press(app, "Load 1 trip")
    assert not app.exception
    assert "0 of 1 trip scored" in text(app)
    with engine.connect() as conn, running_worker(make_settings(), database_url):
        trip = conn.execute(sa.select(trip_logs)).one()
        assert trip.telemetry_blob["speed_kmh"][0] == pytest.approx(20 * 1.609344)
        assert trip.telemetry_blob["g_source"] == "speed"
        assert (trip.driver_id, trip.vehicle_id) == (ANN, VAN)
        upload = conn.execute(sa.select(uploads)).one()
        assert (upload.file_name, upload.mapping["uses"]["speed"]["unit"]) == ("good.csv", "mph")
        assert conn.execute(sa.select(upload_trips)).all() == [(upload.id, trip.id)]
    press(app, "Upload more")
    assert "Twice is once" in text(app)


def test_text_from_a_file_shows_as_itself():
    evil = "<b>*x*</b> $y$ :red[z] [a](b)"
    assert words.literal(evil).replace("\\", "") == evil
    assert "\\<b\\>" in words.literal(evil)
