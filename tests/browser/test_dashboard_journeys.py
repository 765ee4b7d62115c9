"""The dashboard in a real Chromium: journeys, light and dark, with nothing fetched from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from dashboard.ranking import rank_fleet
from fleetflow.storage import driving, profiles
from fleetflow.storage.database import connection, create_engine
from tests.browser.conftest import NAMES
from tests.support.browser import viewer

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from tests.browser.conftest import Fleet
    from tests.support.browser import Viewer

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(240)]
ROW_PX, HEADER_PX = 36, 32
NAME_X = 110  # on the leaderboard, where ticks come first
INK = {"light": "rgb(52, 64, 84)", "dark": "rgb(201, 209, 220)"}


def click_row(page: Page, row: int, *, x: int = 60) -> None:
    """Click into the first column of a table's row; the cells are drawn on a canvas."""
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x, box["y"] + HEADER_PX + ROW_PX * row + ROW_PX // 2)


def time_labels(page: Page) -> str:
    """The times under a trip's chart: the first is the strip, the second the signals."""
    ticks = page.locator(".js-plotly-plot").nth(1).locator(".xtick text")
    ticks.first.wait_for()  # after a reload the figure stands before its axes do
    return " ".join(ticks.all_text_contents())


def event_headings(person: Viewer, fleet: Fleet) -> list[str]:
    """The heading of the second event's card, as a colleague sees it who opens the trip at that event."""
    page = person.open(f"trip?trip={fleet.worst_trip}&event=2")
    return page.locator("h2").all_inner_texts()


def address(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_from_the_leaderboard_to_a_driver_to_a_trip_and_back_to_what_was_seen(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open("leaderboard?find=a&km=10")
        assert page.locator("h1").inner_text() == "Leaderboard"
        assert page.get_by_role("heading", name="2 drivers by penalty points per 100 km").is_visible()
        assert page.get_by_role("heading", name="Not enough driving (1)").is_visible()
        click_row(page, 1, x=NAME_X)
        page.wait_for_url("**driver=**")
        page.get_by_role("heading", name="By week").wait_for()
        person.settle()
        driver = page.locator("h1").inner_text()
        assert driver.removeprefix("Simulated ") in NAMES
        profile = address(page)
        assert set(profile) == {"driver", "period"}
        page.go_back()
        page.get_by_role("heading", name="2 drivers by penalty points per 100 km").wait_for()
        person.settle()
        assert address(page) == {"find": ["a"], "km": ["10"]}
        click_row(page, 1, x=NAME_X)
        page.get_by_role("heading", name="By week").wait_for()
        person.settle()
        click_row(page, 0)
        page.get_by_role("heading", name="Speed and g-force").wait_for()
        person.settle()
        assert set(address(page)) == {"trip"}
        assert page.locator("h1").inner_text().startswith(f"{driver}, Van")
        trip = address(page)
        page.get_by_role("button", name="Driver").click()
        page.get_by_role("heading", name="By week").wait_for()
        person.settle()
        page.go_back()
        page.get_by_role("heading", name="Speed and g-force").wait_for()
        person.settle()
        assert address(page) == trip
        page.go_back()  # the trip has two steps, see way_back
        page.go_back()
        page.get_by_role("heading", name="By week").wait_for()
        person.settle()
        assert address(page) == profile
        assert page.locator("h1").inner_text() == driver


def test_a_driver_is_coached_and_the_report_printed(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open("leaderboard")
        click_row(page, 0, x=NAME_X)
        page.get_by_role("heading", name="Add a note").wait_for()
        person.settle()
        page.get_by_label("What was agreed").fill("Exit lane earlier <b>!</b>")
        page.get_by_role("button", name="Save note").click()
        page.get_by_role("button", name="Withdraw").wait_for()  # the words alone stand in the form, too
        person.settle()
        assert page.get_by_text("Exit lane earlier <b>!</b>", exact=True).is_visible()
        with page.expect_download() as printed:
            page.get_by_role("button", name="Report (PDF)").click()
        report = PdfReader(printed.value.path())
        assert len(report.pages) == 1
        assert "Exit lane earlier" in report.pages[0].extract_text()
        with page.expect_download() as table:
            page.get_by_role("button", name="Excel").click()
        assert CalamineWorkbook.from_path(table.value.path()).get_sheet_by_index(0).to_python()[0][0] == "Trip id"
        page.get_by_role("button", name="Withdraw").click()
        page.get_by_text("Older and withdrawn notes (1)").wait_for()
        person.settle()
        assert page.get_by_text("No note yet.").is_visible()


def test_from_the_overview_to_the_riskiest_driver_and_back_by_a_shared_link(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open()
        assert page.locator("h1").inner_text() == "Fleet overview"
        page.get_by_role("link", name="Leaderboard").click()
        page.get_by_role("heading", name="2 drivers by penalty points per 100 km").wait_for()
        person.settle()
        for row in (0, 1):
            click_row(page, row, x=18)
            person.settle()
        page.get_by_text("collects more points per 100 km than").wait_for()
        sentence = page.get_by_text("collects more points per 100 km than").inner_text()
        shared = page.url.removeprefix(f"{fleet.base}/")
        click_row(page, 0, x=NAME_X)
        page.wait_for_url("**/driver?**")
        page.get_by_role("heading", name="By week").wait_for()
        person.settle()
        assert page.locator("h1").inner_text().removeprefix("Simulated ") in sentence
    with viewer(chromium, fleet.base, token=fleet.token) as colleague:
        page = colleague.open(shared)
        page.get_by_text(sentence).wait_for()


def test_intervals_are_drawn_inside_the_table(chromium: Browser, fleet: Fleet):
    drawn: list[str] = []
    with viewer(chromium, fleet.base, token=fleet.token, first_visit=True) as person:
        person.page.on("response", lambda each: drawn.append(each.url) if each.ok else None)
        page = person.open("leaderboard")
        page.wait_for_function("performance.getEntriesByType('resource').some(e => e.name.includes('/draw/'))")
    assert sum("/draw/interval.svg?" in url for url in drawn) == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signals_are_drawn_in_the_ink_of_the_theme(chromium: Browser, fleet: Fleet, scheme: str):
    with viewer(chromium, fleet.base, token=fleet.token, scheme=scheme) as person:
        page = person.open(f"trip?trip={fleet.worst_trip}")
        signals = page.locator(".js-plotly-plot").nth(1)
        line = signals.locator(".scatterlayer .trace path.js-line").first
        stroke = line.evaluate("e => getComputedStyle(e).stroke")
        assert stroke == INK[scheme]


def test_a_shared_address_shows_the_same_event_and_part_and_one_time_in_chart_and_words(
    chromium: Browser, fleet: Fleet
):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open(f"trip?trip={fleet.worst_trip}&event=2&view=20")
        heading = page.locator("h2", has_text="2 ").inner_text()
        axis = time_labels(page)
        said = page.locator("p", has_text="km/h").first.inner_text().split(" ")[0]  # the event's time: 08:53:40
        hour_and_minute = said[:5]
        assert hour_and_minute in axis
        page.reload()
        person.settle()
        assert page.locator("h2", has_text="2 ").inner_text() == heading
        assert time_labels(page) == axis


def test_dragging_over_the_chart_shows_that_part(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open(f"trip?trip={fleet.worst_trip}")
        plot = page.locator(".js-plotly-plot").nth(1).locator(".nsewdrag").first.bounding_box()
        assert plot is not None
        y = plot["y"] + plot["height"] / 2
        page.mouse.move(plot["x"] + plot["width"] * 0.4, y)
        page.mouse.down()
        page.mouse.move(plot["x"] + plot["width"] * 0.6, y, steps=8)
        page.mouse.up()
        page.get_by_text("Drawn").wait_for()
        person.settle()
        first, last = (float(part) for part in address(page)["view"][0].split("-"))
        page.get_by_text("Whole trip").first.click()
        page.get_by_text("Drawn").wait_for(state="detached")
        person.settle()
        assert "view" not in address(page)
        assert first == pytest.approx(0.4 * fleet.worst_s, abs=0.03 * fleet.worst_s)
        assert last == pytest.approx(0.6 * fleet.worst_s, abs=0.03 * fleet.worst_s)


def test_choosing_an_event_in_the_table_puts_it_into_the_address(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open(f"trip?trip={fleet.worst_trip}")
        click_row(page, 1, x=18)
        page.wait_for_url("**event=2**")
        page.locator("h2", has_text="2 ").wait_for()
        person.settle()
        assert address(page)["event"] == ["2"]
        assert page.locator("h2", has_text="2 ").inner_text() in event_headings(person, fleet)


def test_a_period_stays_in_the_address_and_on_the_next_page(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open("leaderboard")
        page.get_by_text("56 days", exact=True).click()
        page.wait_for_url("**period=56**")
        person.settle()
        click_row(page, 0, x=NAME_X)
        page.wait_for_url("**driver=**")
        person.settle()
        assert address(page)["period"] == ["56"]


def test_a_page_heals_by_itself_when_the_database_comes_back(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person, fleet.admin.connect() as raw:
        conn = raw.execution_options(isolation_level="AUTOCOMMIT")
        page = person.open()
        conn.execute(sa.text(f'ALTER DATABASE "{fleet.database}" ALLOW_CONNECTIONS false'))
        try:
            conn.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
                {"name": fleet.database},
            )
            page.goto(f"{fleet.base}/?period=56")  # nobody asked for it before: not in any cache
            page.get_by_text("The database does not answer.").wait_for()
            assert "Traceback" not in page.content()
        finally:
            conn.execute(sa.text(f'ALTER DATABASE "{fleet.database}" ALLOW_CONNECTIONS true'))
        page.get_by_role("heading", name="Who stands out").wait_for()
        person.settle()
        assert page.get_by_text("The database does not answer.").count() == 0
        # The page itself was a 503 meanwhile, as the browser notes.
        person.complaints = [each for each in person.complaints if "status of 503" not in each]


def worst_drivers(fleet: Fleet) -> list[tuple[str, int, float]]:
    """Every driver's rank and estimate, as the leaderboard has them."""
    engine = create_engine(fleet.url, application_name="test")
    try:
        with connection(engine) as conn:
            profile = profiles.read_active(conn).profile
            ranked, _ = rank_fleet(driving.read_driver_days(conn, 1, since=None, zone="UTC"), profile)
    finally:
        engine.dispose()
    return list(zip(ranked["driver_id"], ranked["rank"], ranked["points_per_100_km"], strict=True))


def score_shown(page: Page) -> str:
    return page.get_by_test_id("stMetric").filter(has_text="Score").get_by_test_id("stMetricValue").inner_text()


def badge(page: Page) -> Locator:
    """What was made of the event that is open; the table says it too, in a canvas."""
    return page.get_by_test_id("stMarkdown").get_by_text("Dismissed: bump or pothole", exact=True)


def test_an_event_goes_from_the_inbox_to_its_trip_is_dismissed_there_and_comes_back(chromium: Browser, fleet: Fleet):
    ranks = worst_drivers(fleet)
    with (
        viewer(chromium, fleet.base, token=fleet.token) as person,
        viewer(chromium, fleet.base, token=fleet.token, scheme="dark") as colleague,
    ):
        page = person.open("events?period=all&kind=braking")
        page.get_by_role("button", name="Open the trip at this moment").click()
        page.get_by_role("heading", name="Speed and g-force").wait_for()
        person.settle()
        assert set(address(page)) == {"trip", "event", "view"}
        before = score_shown(page)
        heading = page.locator("h2", has_text="Harsh braking").first.inner_text()
        page.get_by_role("button", name="Dismiss").click()
        page.get_by_text("Bump or pothole", exact=True).click()
        page.get_by_text("Dismissed: bump or pothole. The trip's score goes from").first.wait_for()
        person.settle()
        assert int(score_shown(page)) > int(before)
        assert worst_drivers(fleet) != ranks
        page.reload()
        badge(page).wait_for()
        person.settle()
        shared = colleague.open(page.url.removeprefix(f"{fleet.base}/"))
        for screen in (page, shared):
            assert screen.locator("h2", has_text="Harsh braking").first.inner_text() == heading
            assert badge(screen).is_visible()
        assert time_labels(shared) == time_labels(page)
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Waits for a review again").first.wait_for()
        person.settle()
        assert score_shown(page) == before
        assert worst_drivers(fleet) == ranks


def test_a_click_on_an_event_in_the_strip_chooses_it(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open(f"trip?trip={fleet.worst_trip}")
        mark = page.locator(".js-plotly-plot").first.locator("path.point").nth(1).bounding_box()
        assert mark is not None
        page.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
        page.wait_for_url("**event=2**")
        page.locator("h2", has_text="2 ").wait_for()
        person.settle()
        assert address(page)["event"] == ["2"]
