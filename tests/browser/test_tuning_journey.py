"""A manager tunes braking to 0.35 g, sees who moves, applies it, sees the leaderboard follow, and goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fleetflow.storage.database import connection, create_engine
from tests.support import dashboard, people
from tests.support.browser import running_dashboard, viewer
from tests.support.programs import make_settings, running_worker
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

    from tests.support.browser import Viewer

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(240)]
STEPS = 5
"""Of the slider, 0.01 g each: from 0.40 to 0.35 g."""


@pytest.fixture
def seeded(database_url: str) -> str:
    engine = create_engine(database_url, application_name="test", pool_size=1)
    with connection(engine) as conn:
        dashboard.seed_fleet(conn, now=dashboard.today(), days=27)
    engine.dispose()
    return database_url


def open_leaderboard(person: Viewer) -> None:
    person.page.get_by_role("link", name="Leaderboard").click()
    person.page.get_by_role("heading", name="by penalty points per 100 km").wait_for()
    cells(person).first.wait_for(state="attached")
    person.settle()


def cells(person: Viewer) -> Locator:
    """What the table tells a screen reader of the rows in view."""
    return person.page.get_by_test_id("stDataFrame").first.locator("[role=gridcell]")


def standings(person: Viewer) -> list[str]:
    return cells(person).all_text_contents()


def metric(page: Page, label: str) -> str:
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue").inner_text()


def tune(person: Viewer) -> None:
    page = person.page
    page.get_by_role("link", name="Tuning").click()
    page.get_by_text("Move a slider to see who moves").wait_for()
    slider = page.get_by_role("slider", name="Braking is harsh above, g")
    for _ in range(STEPS):
        slider.press("ArrowLeft")
    page.get_by_text("braking 0.40 g → 0.35 g").first.wait_for()
    person.settle()


def follow_and_go_back(person: Viewer, before: list[str]) -> None:
    """See the leaderboard under the new profile, make the first one active again, see the leaderboard as it was."""
    open_leaderboard(person)
    wait_until(lambda: standings(person) != before, what="the leaderboard under profile 2")
    person.page.get_by_role("link", name="Tuning").click()
    person.page.get_by_role("button", name="Make active").click()
    person.page.get_by_text("Scored under profile 1").wait_for()
    open_leaderboard(person)
    wait_until(lambda: standings(person) == before, what="the leaderboard as it was")


def test_braking_is_tuned_applied_and_taken_back(chromium: Browser, seeded: str, tmp_path: Path):
    token = people.start_session(seeded)
    with running_dashboard(seeded, tmp_path) as base, viewer(chromium, base, token=token) as person:
        page = person.open()
        open_leaderboard(person)
        before = standings(person)
        assert len(before) > STEPS
        tune(person)
        draft = page.url.removeprefix(f"{base}/")
        moved = metric(page, "Drivers who move")
        assert moved != "0"
        with viewer(chromium, base, token=token) as colleague:
            assert metric(colleague.open(draft), "Drivers who move") == moved
        page.get_by_role("button", name="Apply…").click()
        page.get_by_label("Name").fill("Stricter braking")
        page.get_by_label("Why").fill("Rear-end collisions in town.")
        page.get_by_role("button", name="Apply and re-score").click()
        page.get_by_text("Applying profile 2: 0 of").wait_for()
        assert page.get_by_text("Scored under profile 1").is_visible()
        with running_worker(make_settings(), seeded):
            page.get_by_text("Scored under profile 2, “Stricter braking”").wait_for()
        assert page.get_by_text("Rear-end collisions in town.").is_visible()
        follow_and_go_back(person, before)
