"""The upload page: what it says of each file, what a correction changes, and that loading doubles nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa
import streamlit as st

from dashboard import words
from dashboard.data.of_uploads import SANDBOX, latest
from dashboard.upload_files import TripFile
from dashboard.upload_sending import Api, send
from fleetflow.importers import Mapping
from fleetflow.quarantine import Quarantine
from fleetflow.storage import roster
from fleetflow.storage.database import connection
from fleetflow.storage.tables import trip_logs, upload_trips, uploads
from tests.support import pages, people
from tests.support.programs import make_settings, running_worker
from tests.support.proxy import FaultyProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpx
    from streamlit.testing.v1 import AppTest

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(240)]
ROWS = [f"2026-01-05 08:00:{second:02d},{20 + second}" for second in range(40)]
GOOD = ("good.csv", "\n".join(["time,speed", *ROWS, "2026-01-05 08:00:50,fast"]).encode(), "text/csv")
ANN, VAN = uuid4(), uuid4()
WHOLE = (
    "whole.csv",
    "\n".join(["time,speed (km/h),driver,vehicle", *(f"{row},Simulated Ann,Van 7" for row in ROWS)]).encode(),
    "text/csv",
)
MANY = "\n".join(
    [
        "time,speed (km/h),driver,vehicle",
        *(f"{row.replace(' 08', f' {hour:02d}')},Simulated Ann,Van 7" for hour in range(12) for row in ROWS),
    ]
).encode()
BERLIN = Mapping(zone="Europe/Berlin")
BAD = ("bad.csv", b"\x89PNG\r\n\x1a\n", "text/csv")


@pytest.fixture
def page(database_url: str, api: httpx.Client) -> Iterator[Callable[..., AppTest]]:
    """Opens the page in Berlin with files dropped on it."""

    def opened(*files: tuple[str, bytes, str]) -> AppTest:
        app = pages.open_page(database_url, "upload", api_url=str(api.base_url).rstrip("/"), timeout_s=120)
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


def test_a_file_with_a_row_changed_is_shown_as_another_and_overwrites_nothing(
    page: Callable[..., AppTest], engine: sa.Engine, api: httpx.Client
):
    name, content, kind = WHOLE
    (body,) = SANDBOX.bodies(content, latest(), SANDBOX.preview(content, latest(), None, BERLIN).mapping)
    api.post("/api/v1/telemetry", content=body, headers={"Content-Type": "application/json"}).raise_for_status()
    app = page((name, content.replace(b",30,", b",31,", 1), kind))
    assert "begin when a stored trip of the same vehicle does, with other values" in text(app)
    assert "0 trips ready" in text(app)
    assert next(each for each in app.button if each.label == "Load 0 trips").disabled
    press(app, "Keep both")
    assert "1 trip ready" in text(app)
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(trip_logs)) == 1


def test_a_click_on_load_is_heard_also_where_a_trip_of_a_cut_off_try_comes_in_at_that_moment(
    page: Callable[..., AppTest], engine: sa.Engine, api: httpx.Client
):
    app = page(("many.csv", MANY, "text/csv"))
    mapping = SANDBOX.preview(MANY, latest(), None, BERLIN).mapping
    body, *_ = SANDBOX.bodies(MANY, latest(), mapping)
    api.post("/api/v1/telemetry", content=body, headers={"Content-Type": "application/json"}).raise_for_status()
    st.cache_data.clear()  # as when a few seconds have passed
    press(app, "Load 12 trips")
    assert not app.exception
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(trip_logs)) == 12


def test_an_upload_that_loses_its_api_says_how_much_is_stored_until_it_is_sent_again(
    page: Callable[..., AppTest], engine: sa.Engine, database_url: str, api: httpx.Client, tmp_path: Path
):
    preview = SANDBOX.preview(MANY, latest())
    file = TripFile("many.csv", "00" * 32, MANY, preview, preview, "", "", {}, {})
    quarantine = Quarantine(tmp_path, 1)
    with FaultyProxy(api.base_url.port or 0) as proxy:
        line = Api(f"http://127.0.0.1:{proxy.port}", quarantine=quarantine)
        heard: list[tuple[TripFile, int]] = []

        def cut_off(which: TripFile, done: int) -> None:
            heard.append((which, done))
            if done == 3:
                proxy.refuse()

        (sent,) = send(database_url, line, [file], cut_off)
        stored = len(sent.trip_ids)
        assert 3 <= stored < 12
        assert heard == [(file, done) for done in range(1, len(heard) + 1)]
        assert "does not answer" in sent.failures[0]
        assert sent.shortfall == f"{stored} of 12 trips stored; safe to upload again."
        shown = page()
        assert not shown.exception
        page_said = text(shown)
        assert "many.csv was interrupted" in page_said.replace("*", "")
        assert f"{stored} of 12 trips stored" in page_said
        proxy.heal()
        (again,) = send(database_url, line, [file], lambda *_: None)
    assert "interrupted (" not in text(page())
    assert (len(again.trip_ids), again.failures, again.shortfall) == (12, [], "")
    assert again.known >= stored
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [MANY]
    with engine.connect() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(trip_logs)) == 12


def test_a_quota_refuses_a_file_and_lets_the_page_live(database_url: str, api: httpx.Client):
    preview = SANDBOX.preview(MANY, latest())
    file = TripFile("many.csv", "00" * 32, MANY, preview, preview, "", "", {}, {})
    with people.signed_in(database_url):
        both = send(database_url, Api(str(api.base_url).rstrip("/"), per_hour=1), [file, file], lambda *_: None)
    assert [len(each.trip_ids) for each in both] == [12, 0]
    assert both[1].failures[0].startswith("The limit is 1 an hour")


def test_text_from_a_file_shows_as_itself():
    evil = "<b>*x*</b> $y$ :red[z] [a](b)"
    assert words.literal(evil).replace("\\", "") == evil
    assert "\\<b\\>" in words.literal(evil)
