"""Uploading in a real browser: files are told apart, corrected, loaded and scored, once, whatever happens meanwhile."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from dashboard.signin.gate import COOKIE
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.tables import driver_scores, trip_logs, upload_trips, uploads
from tests.support import people
from tests.support.browser import running_dashboard, viewer
from tests.support.ports import PLAIN
from tests.support.programs import make_settings, running_api, running_worker
from tests.support.proxy import FaultyProxy
from tests.support.trips import trip_body
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Fleet

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(400)]
PATIENCE_MS = 90_000
"""Files are read by processes of their own, which take their time to start on a busy machine."""
UPLOADER = "[data-testid=stFileUploaderDropzoneInput]"
SPEEDS = [20 + second % 40 for second in range(50)]
GOOD = "time;speed;Fahrer;Fahrzeug\n" + "".join(
    f"2026-01-05 08:00:{second:02d};{speed},5;Simulated Ann;Van 7\n" for second, speed in enumerate(SPEEDS)
)
MANY_TRIPS = 120
MANY = "time,speed (km/h),driver,vehicle\n" + "".join(
    f"2026-01-{5 + trip // 24:02d} {trip % 24:02d}:00:{second:02d},{speed},Simulated Ann,Van 7\n"
    for trip in range(MANY_TRIPS)
    for second, speed in enumerate(SPEEDS)
)
expect.set_options(timeout=PATIENCE_MS)


class Site:
    """A dashboard over an API behind a line that can break, and its tables."""

    def __init__(self, base: str, engine: sa.Engine, line: FaultyProxy, token: str) -> None:
        self.base = base
        self.engine = engine
        self.line = line
        self.token = token

    def count(self, table: sa.Table) -> int:
        """Rows there are now."""
        return int(self.read(sa.select(sa.func.count()).select_from(table)))

    def read(self, select: sa.Executable) -> Any:
        """One value."""
        with self.engine.connect() as conn:
            return conn.scalar(select)


@contextmanager
def running_site(database_url: str, folder: Path, *known: bytes) -> Iterator[Site]:
    settings, engine = make_settings(), create_engine(database_url, application_name="test", pool_size=1)
    with running_api(settings, database_url) as api, running_worker(settings, database_url):
        for body in known:
            api.post("/api/v1/telemetry", content=body, headers={"Content-Type": "application/json"}).raise_for_status()
        with (
            FaultyProxy(api.base_url.port or 0) as line,
            running_dashboard(
                database_url, folder, FLEETFLOW_API_ADDRESS=f"http://127.0.0.1:{line.port}",
                FLEETFLOW_DATA_DIR=str(folder),
            ) as base,
        ):  # fmt: skip
            yield Site(base, engine, line, people.start_session(database_url))
    engine.dispose()


def drop(page: Page, *paths: Path) -> None:
    page.locator(UPLOADER).set_input_files([str(path) for path in paths])


def test_three_files_are_told_apart_and_what_is_new_is_scored_once(
    chromium: Browser, database_url: str, tmp_path: Path
):
    known = trip_body()
    contents = {"good.csv": GOOD.encode(), "bad.csv": b"time;speed\n", "known.ndjson": known}
    files = [tmp_path / name for name in contents]
    for path in files:
        path.write_bytes(contents[path.name])
    with (
        running_site(database_url, tmp_path, known) as site,
        viewer(chromium, site.base, token=site.token) as person,
    ):
        person.page.set_default_timeout(PATIENCE_MS)
        page = person.open("upload")
        drop(page, *files)
        expect(page.get_by_text("1 trip ready · 1 known · 0 rows refused")).to_be_visible()
        expect(page.get_by_text("No data rows.").first).to_be_visible()
        asked = page.get_by_text("Is speed in km/h?")
        expect(asked).to_be_visible()
        page.get_by_role("button", name="No, mph").click()
        expect(asked).to_be_hidden()
        page.get_by_role("button", name="Load 1 trip").click()
        expect(page.get_by_role("heading", name="1 of 1 trip scored")).to_be_visible()
        person.settle()
        assert (site.count(trip_logs), site.count(driver_scores), site.count(upload_trips)) == (2, 2, 1)
        page.get_by_role("button", name="Upload more").click()
        expect(page.get_by_text("Twice is once")).to_be_visible()
        drop(page, files[0])
        page.get_by_role("button", name="No, mph").click()
        expect(page.get_by_text("0 trips ready · 1 known · 0 rows refused")).to_be_visible()
        expect(page.get_by_role("button", name="Load 0 trips")).to_be_disabled()
        fastest_kmh = site.read(sa.func.max(trip_logs.c.telemetry_blob["speed_kmh"][39].astext.cast(sa.Float)).select())
    assert fastest_kmh == pytest.approx(59.5 * 1.609344)


def test_a_tab_that_is_closed_half_way_leaves_whole_trips_and_a_second_try_doubles_nothing(
    chromium: Browser, database_url: str, tmp_path: Path
):
    path = tmp_path / "many.csv"
    path.write_text(MANY)
    with running_site(database_url, tmp_path) as site:
        with viewer(chromium, site.base, token=site.token) as person:
            page = person.open("upload")
            drop(page, path)
            page.get_by_role("button", name=f"Load {MANY_TRIPS} trips").click(timeout=PATIENCE_MS)
            wait_until(lambda: site.count(trip_logs) > 3, 60, what="the first trips")
            site.line.blackhole()
            expect(page.get_by_text(re.compile(rf"^many\.csv: \d+ of {MANY_TRIPS} trips sent$"))).to_be_visible()
        assert site.count(trip_logs) < MANY_TRIPS
        with connection(site.engine) as conn:  # as if nothing was heard of it for a while
            conn.execute(sa.update(uploads).values(sending_until=sa.text("now() - interval '1 second'")))
        with viewer(chromium, site.base, token=site.token) as person:
            page = person.open("upload")
            expect(page.get_by_text("many.csv was interrupted")).to_be_visible()
            expect(page.get_by_text("Earlier uploads")).to_be_visible()
            drop(page, path)
            page.get_by_role("button", name=re.compile("^Load ")).click(timeout=PATIENCE_MS)
            site.line.heal()
            expect(page.get_by_role("heading", name=f"{MANY_TRIPS} of {MANY_TRIPS} trips scored")).to_be_visible()
            person.open("upload")
            expect(page.get_by_text("many.csv was interrupted")).to_be_hidden()
        assert (site.count(trip_logs), site.count(driver_scores)) == (MANY_TRIPS, MANY_TRIPS)
        assert site.read(sa.func.min(trip_logs.c.point_count).select()) == len(SPEEDS)


def test_an_upload_beside_the_page_is_refused(fleet: Fleet):
    address = f"{fleet.base}/_stcore/upload_file/nobody/nothing"
    assert httpx.put(address, content=b"x").status_code == 401
    with httpx.Client(cookies={COOKIE: fleet.token}, verify=PLAIN) as signed_in:
        assert signed_in.put(address, content=b"x").status_code == 403
        signed_in.get(f"{fleet.base}/_stcore/health")
        xsrf = signed_in.cookies.get("_streamlit_xsrf", "")
        answer = signed_in.put(address, headers={"X-Xsrftoken": xsrf}, files={"f": ("a.csv", b"x")})
        assert (bool(xsrf), answer.status_code) == (True, 400)
