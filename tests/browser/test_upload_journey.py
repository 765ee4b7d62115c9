"""Three files are dropped: one good, one bad, one known. The cards say so; what is new is loaded and scored, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import people
from tests.support.browser import running_dashboard, viewer
from tests.support.programs import make_settings, running_api, running_worker
from tests.support.trips import trip_body

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(400)]
PATIENCE_MS = 90_000
"""Files are read by processes of their own, which take their time to start on a busy machine."""
UPLOADER = "[data-testid=stFileUploaderDropzoneInput]"
SPEEDS = [20 + second % 40 for second in range(50)]
GOOD = "time;speed;Fahrer;Fahrzeug\n" + "".join(
    f"2026-01-05 08:00:{second:02d};{speed},5;Simulated Ann;Van 7\n" for second, speed in enumerate(SPEEDS)
)


def drop(page: Page, *paths: Path) -> None:
    page.locator(UPLOADER).set_input_files([str(path) for path in paths])
    page.get_by_text("ready ·").wait_for()


def test_three_files_are_told_apart_and_what_is_new_is_scored_once(
    chromium: Browser, database_url: str, tmp_path: Path
):
    known = trip_body()
    contents = {"good.csv": GOOD.encode(), "bad.csv": b"time;speed\n", "known.ndjson": known}
    files = [tmp_path / name for name in contents]
    for path in files:
        path.write_bytes(contents[path.name])
    settings = make_settings()
    with running_api(settings, database_url) as api, running_worker(settings, database_url):
        api.post("/api/v1/telemetry", content=known, headers={"Content-Type": "application/json"}).raise_for_status()
        url = str(api.base_url).rstrip("/")
        with (
            running_dashboard(database_url, tmp_path, FLEETFLOW_API_ADDRESS=url) as base,
            viewer(chromium, base, token=people.start_session(database_url)) as person,
        ):
            person.page.set_default_timeout(PATIENCE_MS)
            page = person.open("upload")
            drop(page, *files)
            page.get_by_text("1 trip ready · 1 known · 0 rows refused").wait_for()
            page.get_by_text("No data rows.").first.wait_for()
            page.get_by_text("Is speed in km/h?").wait_for()
            page.get_by_role("button", name="No, mph").click()
            page.get_by_text("Is speed in km/h?").wait_for(state="detached")
            page.get_by_role("button", name="Load 1 trip").click()
            page.get_by_role("heading", name="1 of 1 trip scored").wait_for()
            person.settle()
            page.get_by_role("button", name="Upload more").click()
            page.get_by_text("Twice is once").wait_for()
            drop(page, files[0])
            page.get_by_role("button", name="No, mph").click()
            page.get_by_text("0 trips ready · 1 known · 0 rows refused").wait_for()
