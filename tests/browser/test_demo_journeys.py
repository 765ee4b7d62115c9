"""The demo fleet as a newcomer starts it, walked through by a manager and a safety officer from page to page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.browser.test_dashboard_journeys import NAME_X, address, badge, click_row, score_shown
from tests.browser.test_tuning_journey import follow_and_go_back, metric, open_leaderboard, standings, tune
from tests.support.browser import viewer
from tests.support.pictures import running_demo
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.support.pictures import Demo

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.long, pytest.mark.timeout(600)]
SCORE_X = 340  # in the table of a driver's trips
WORST_SCORE = """\
SELECT min(safety_score) FROM telemetry.driver_scores JOIN telemetry.trip_logs ON id = trip_id
WHERE trip_logs.driver_id = %s AND profile_version = 1 AND started_at > now() - interval '27 days'"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("demo")) as running:
        yield running


def worst_score(demo: Demo, driver_id: str) -> int:
    with psycopg.connect(demo.database_url) as conn:
        row = conn.execute(WORST_SCORE, [driver_id]).fetchone()
    assert row
    return int(row[0])


def sort_by_score(page: Page) -> None:
    """Click the header of a driver's trips; the lowest come first."""
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    page.mouse.click(box["x"] + SCORE_X, box["y"] + 16)


def test_a_manager_goes_from_the_overview_to_what_made_the_worst_trip_of_the_riskiest_driver_bad(
    chromium: Browser, demo: Demo
):
    with viewer(chromium, demo.base, token=demo.token) as person:
        page = person.open()
        assert page.locator("h1").inner_text() == "Fleet overview"
        open_leaderboard(person)
        click_row(page, 0, x=NAME_X)
        page.get_by_role("heading", name="By week").wait_for()
        person.settle()
        assert metric(page, "Rank").startswith("1 of ")
        driver = address(page)["driver"][0]
        sort_by_score(page)
        click_row(page, 0)
        page.get_by_role("heading", name="Speed and g-force").wait_for()
        person.settle()
        score = worst_score(demo, driver)
        assert int(score_shown(page)) == score
        explanation = page.get_by_role("heading", name=f"From 100 to {score}")
        assert explanation.is_visible()
        page.get_by_role("button", name="Driver").click()
        page.get_by_role("heading", name="By week").wait_for()
        person.settle()
        page.go_back()
        explanation.wait_for()
        person.settle()


def test_a_manager_tunes_braking_sees_who_moves_applies_it_and_goes_back(chromium: Browser, demo: Demo):
    with viewer(chromium, demo.base, token=demo.token) as person:
        page = person.open()
        open_leaderboard(person)
        before = standings(person)
        tune(person)
        assert metric(page, "Drivers who move") != "0"
        page.get_by_role("button", name="Apply…").click()
        page.get_by_label("Name").fill("Stricter braking")
        page.get_by_role("button", name="Apply and re-score").click()
        page.get_by_text("Scored under profile 2, “Stricter braking”").wait_for()
        follow_and_go_back(person, before)


def test_an_officer_dismisses_an_event_sees_score_and_rank_follow_and_takes_it_back(chromium: Browser, demo: Demo):
    with (
        viewer(chromium, demo.base, token=demo.token) as officer,
        viewer(chromium, demo.base, token=demo.token, scheme="dark") as manager,
    ):
        manager.open()
        open_leaderboard(manager)
        before = standings(manager)
        page = officer.open("events")
        page.get_by_role("button", name="Open the trip at this moment").click()
        page.get_by_role("heading", name="Speed and g-force").wait_for()
        officer.settle()
        score = score_shown(page)
        page.get_by_role("button", name="Dismiss").click()
        page.get_by_text("Bump or pothole", exact=True).click()
        page.get_by_text("Dismissed: bump or pothole. The trip's score goes from").first.wait_for()
        officer.settle()
        assert int(score_shown(page)) > int(score)
        open_leaderboard(manager)
        wait_until(lambda: standings(manager) != before, what="other figures on the leaderboard")
        page.reload()
        badge(page).wait_for()
        officer.settle()
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Waits for a review again").first.wait_for()
        officer.settle()
        assert score_shown(page) == score
        open_leaderboard(manager)
        wait_until(lambda: standings(manager) == before, what="the leaderboard as it was")
