"""A threshold is moved in a real Chromium, over the large fleet: from the key to the last change of the charts.

Streamlit's slider waits a moment before it asks, so that dragging does not ask at every step; from then on the time is
FleetFlow's and the browser's. The floor is the same move without a browser.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.browsing import person
from benchmarks.fleets import TRIPS
from benchmarks.pages import THRESHOLDS_G, make_site
from benchmarks.report import Row
from benchmarks.services import running_dashboard
from tests.support import people
from tests.support.browser import launched_chromium, viewer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from benchmarks.services import Stack
    from tests.support.browser import Viewer

MOVES = 7
PATIENCE_MS = 120_000
FLOOR = "the same move over the socket"
SLIDER = "Braking is harsh above, g"
WATCH = """() => {
    const seen = window.seen = {pressed: 0, asked: 0, drawn: 0}
    const running = one => ['running', 'rerunRequested'].includes(one.dataset?.testScriptState)
    document.addEventListener('keydown', () => { seen.pressed ||= performance.now() }, true)
    new MutationObserver(changes => {
        for (const {target, attributeName} of changes) {
            const one = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement
            if (attributeName === 'data-test-script-state' && running(one)) seen.asked ||= performance.now()
            if (seen.pressed && one?.closest('.js-plotly-plot, .stHtml, .stMetric')) seen.drawn = performance.now()
        }
    }).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true})
}"""
AGAIN = "() => Object.assign(window.seen, {pressed: 0, asked: 0, drawn: 0})"
QUIET = "() => window.seen.drawn && performance.now() - window.seen.drawn > 600"
TOOK = "() => [window.seen.drawn - window.seen.pressed, window.seen.drawn - window.seen.asked]"


def slider(stack: Stack) -> Iterator[Row]:
    """The whole wait, and that part of it that begins when the slider asks."""
    site = make_site(stack, TRIPS)
    token = people.start_session(site.url)
    with running_dashboard(site.url) as base:
        with person(base, token) as somebody:
            somebody.open("tuning")
            floor_ms = median(somebody.move("Braking", threshold).ms for threshold in THRESHOLDS_G)
        with launched_chromium() as browser, viewer(browser, base, token=token) as person_at:
            person_at.page.set_default_timeout(PATIENCE_MS)
            person_at.open("tuning")
            person_at.page.evaluate(WATCH)
            waits = [_move(person_at) for _ in range(MOVES)]
    whole, asked = (median(each) for each in zip(*waits, strict=True))
    yield Row(f"slider to redrawn charts in Chromium, {TRIPS:,} trips", "-", FLOOR, floor_ms, whole, "ms")
    yield Row("of it, from the slider's question on", "-", FLOOR, floor_ms, asked, "ms")


def _move(somebody: Viewer) -> tuple[float, float]:
    """One step down; until no chart has changed for a while."""
    page: Page = somebody.page
    page.evaluate(AGAIN)
    page.get_by_role("slider", name=SLIDER).press("ArrowLeft")
    page.wait_for_function(QUIET)
    somebody.settle()
    whole, asked = page.evaluate(TOOK)
    return whole, asked
