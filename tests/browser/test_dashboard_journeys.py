"""The dashboard in a real Chromium: journeys, light and dark, with nothing fetched from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from fleetflow.storage.database import connection, create_engine
from tests.support import dashboard, people
from tests.support.browser import running_dashboard, viewer
from tests.support.postgres import temporary_database, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.postgres]
NAMES = ("Owen Clarke", "Marta Kovač", "Leila Haddad")
ROW_PX, HEADER_PX = 36, 32
WORST_TRIP = """\
SELECT id::text, duration_s FROM telemetry.trip_logs JOIN telemetry.driver_scores ON trip_id = id
ORDER BY safety_score, id LIMIT 1"""
INK = {"light": "rgb(52, 64, 84)", "dark": "rgb(201, 209, 220)"}


@dataclass(frozen=True)
class Fleet:
    """A running dashboard over a seeded fleet."""

    base: str
    admin: sa.Engine
    database: str
    worst_trip: str
    worst_s: float
    token: str


@pytest.fixture(scope="module")
def fleet(postgres_url, postgres_admin, migrated_template, tmp_path_factory) -> Iterator[Fleet]:
    with temporary_database(postgres_admin, template=migrated_template) as name:
        url = url_of(postgres_url, name)
        engine, admin = (
            create_engine(url, application_name="test"),
            create_engine(postgres_url, application_name="test"),
        )
        with connection(engine) as conn:
            dashboard.seed_fleet(conn, now=dashboard.today(), drivers=NAMES, days=14)
            worst = conn.execute(sa.text(WORST_TRIP)).one()
        with running_dashboard(url, tmp_path_factory.mktemp("dashboard")) as base:
            yield Fleet(base, admin, name, worst.id, worst.duration_s, people.start_session(url))
        engine.dispose()
        admin.dispose()


def click_row(page: Page, row: int, *, x: int = 60) -> None:
    """Click into the first column of a table's row; the cells are drawn on a canvas."""
    table = page.locator("[data-testid=stDataFrame] canvas").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x, box["y"] + HEADER_PX + ROW_PX * row + ROW_PX // 2)


def time_labels(page: Page) -> str:
    ticks = page.locator(".js-plotly-plot").first.locator(".xtick text")
    ticks.first.wait_for()  # after a reload the figure stands before its axes do
    return " ".join(ticks.all_text_contents())


def address(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_from_the_leaderboard_to_a_driver_to_a_trip(chromium: Browser, fleet: Fleet, scheme: str):
    with viewer(chromium, fleet.base, token=fleet.token, scheme=scheme) as person:
        page = person.open()
        assert page.locator("h1").inner_text() == "Leaderboard"
        assert page.get_by_role("heading", name="3 drivers by points per 100 km").is_visible()
        click_row(page, 2)
        page.wait_for_url("**driver=**")
        page.get_by_role("heading", name="Score of each trip").wait_for()
        person.settle()
        driver = page.locator("h1").inner_text()
        assert driver.removeprefix("Simulated ") in NAMES
        assert set(address(page)) == {"driver", "period"}
        click_row(page, 0)
        page.get_by_role("heading", name="Speed and g-force").wait_for()
        person.settle()
        assert set(address(page)) == {"trip"}
        assert page.locator("h1").inner_text().startswith(f"{driver}, Van")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_signals_are_drawn_in_the_ink_of_the_theme(chromium: Browser, fleet: Fleet, scheme: str):
    with viewer(chromium, fleet.base, token=fleet.token, scheme=scheme) as person:
        page = person.open(f"trip?trip={fleet.worst_trip}")
        stroke = page.locator(".scatterlayer .trace path.js-line").first.evaluate("e => getComputedStyle(e).stroke")
        assert stroke == INK[scheme]


def test_a_shared_address_shows_the_same_event_and_part(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open(f"trip?trip={fleet.worst_trip}&event=2&view=20")
        heading = page.locator("h2", has_text="2 ").inner_text()
        axis = time_labels(page)
        page.reload()
        person.settle()
        assert page.locator("h2", has_text="2 ").inner_text() == heading
        assert time_labels(page) == axis


def test_the_chart_and_the_words_agree_on_the_time(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open(f"trip?trip={fleet.worst_trip}&event=1&view=20")
        said = page.locator("p", has_text="km/h").first.inner_text().split(" ")[0]  # the event's time: 08:53:40
        hour_and_minute = said[:5]
        assert hour_and_minute in time_labels(page)


def test_dragging_over_the_chart_shows_that_part(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open(f"trip?trip={fleet.worst_trip}")
        plot = page.locator(".nsewdrag").first.bounding_box()
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


def test_a_period_stays_in_the_address_and_on_the_next_page(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token) as person:
        page = person.open()
        page.get_by_text("7 days", exact=True).click()
        page.wait_for_url("**period=7**")
        person.settle()
        click_row(page, 0)
        page.wait_for_url("**driver=**")
        person.settle()
        assert address(page)["period"] == ["7"]


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
        page.get_by_role("heading", name="3 drivers by points per 100 km").wait_for()
        person.settle()
        assert page.get_by_text("The database does not answer.").count() == 0
        # The page itself was a 503 meanwhile, as the browser notes.
        person.complaints = [each for each in person.complaints if "status of 503" not in each]


def test_a_narrow_screen_needs_no_sideways_scrolling(chromium: Browser, fleet: Fleet):
    with viewer(chromium, fleet.base, token=fleet.token, width=820) as person:
        for path in ("", f"trip?trip={fleet.worst_trip}"):
            page = person.open(path)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0
