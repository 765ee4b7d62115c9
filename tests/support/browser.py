"""A real Chromium on a real dashboard; what the browser complained about or fetched from outside is kept."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from playwright.sync_api import sync_playwright

from dashboard.signin.gate import COOKIE
from tests.support.ports import PLAIN, free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

ROOT = Path(__file__).parents[2]
PAGE_TIMEOUT_MS = 60_000
"""A trip's page takes four seconds of processor time to draw, and others want the processor too."""
SETTLED = """() => {
    const app = document.querySelector('[data-testid=stApp]')
    return app?.dataset.testConnectionState === 'CONNECTED' && app.dataset.testScriptState === 'notRunning'
        && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')
        && [...document.querySelectorAll('[data-testid=stPlotlyChart]')].every(e => e.querySelector('.main-svg'))
}"""
"""A page comes in parts: neither its title nor the want of charts says that no more come. Streamlit's own state does:
"initial" before the first run, then "running", "rerunRequested" from the moment of a click, or "notRunning"."""
_contexts: WeakKeyDictionary[Browser, dict[tuple[str, str, str, int], BrowserContext]] = WeakKeyDictionary()
"""Of those who are signed in, by address, session, scheme and width; they end with their browser."""
STATE = """() => {
    const app = document.querySelector('[data-testid=stApp]')
    const count = parts => document.querySelectorAll(parts).length
    return {connection: app?.dataset.testConnectionState, script: app?.dataset.testScriptState,
        skeletons: count('[data-testid=stSkeleton]'), stale: count('[data-stale=true]'),
        charts: count('[data-testid=stPlotlyChart]'), drawn: count('[data-testid=stPlotlyChart] .main-svg'),
        title: document.querySelector('h1')?.innerText}
}"""
"""What a page that does not settle still waits for."""
# Streamlit asks /<page>/_stcore/... first to find out under which path it is served; these two are always 404.
EXPECTED_404 = ("/_stcore/health", "/_stcore/host-config")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium from the system.

    Not for the session: Playwright keeps an event loop running in this thread, which other tests want to start.
    """
    with launched_chromium() as browser:
        yield browser


@contextmanager
def launched_chromium() -> Iterator[Browser]:
    """Chromium from the system; fails without it and says what to install."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("Browser tests need Chromium: apt-get install -y --no-install-recommends chromium")
    flags = [
        "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ]  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


class Viewer:
    """One person at one screen: a page of a dashboard, and all that went wrong on it."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.complaints: list[str] = []
        self.outside: list[str] = []
        page.set_default_timeout(PAGE_TIMEOUT_MS)
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note_request)

    def open(self, path: str = "") -> Page:
        """Go to an address of the dashboard and wait until it is drawn."""
        self.page.goto(f"{self.base}/{path}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the script has run to its end and every part and chart of the page is drawn."""
        try:
            self.page.wait_for_function(SETTLED)
        except PlaywrightTimeoutError:
            pytest.fail(f"The page is not drawn: {self.page.evaluate(STATE)}; {self.complaints}")

    def _note_message(self, message: ConsoleMessage) -> None:
        address = message.location.get("url", "")
        if message.type == "error" and not address.endswith(EXPECTED_404):
            self.complaints.append(f"{message.text} ({address})")

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != "127.0.0.1":
            self.outside.append(request.url)


@contextmanager
def viewer(
    browser: Browser,
    base: str,
    *,
    token: str | None = None,
    scheme: str = "light",
    width: int = 1440,
    first_visit: bool = False,
) -> Iterator[Viewer]:
    """A person in Berlin with a light or dark screen; afterwards nothing must have gone wrong or outside.

    With the token of a session (people.start_session) the person is signed in, and comes back with the same browser:
    Streamlit's scripts, which take a second or two to fetch and compile, are there already. On a `first_visit` nothing
    is.
    """
    if first_visit:
        _contexts.get(browser, {}).pop((base, token or "", scheme, width), None)
    context = _signed_in(browser, base, token, scheme, width) if token else _new_context(browser, scheme, width)
    page = context.new_page()
    person = Viewer(page, base)
    try:
        yield person
        assert not person.complaints, person.complaints
        assert not person.outside, person.outside
    finally:
        page.close()
        if not token:
            context.close()


def _signed_in(browser: Browser, base: str, token: str, scheme: str, width: int) -> BrowserContext:
    key = (base, token, scheme, width)
    known = _contexts.setdefault(browser, {})
    if key not in known:
        known[key] = _new_context(browser, scheme, width)
        known[key].add_cookies([{"name": COOKIE, "value": token, "url": base, "httpOnly": True, "sameSite": "Lax"}])
    return known[key]


def _new_context(browser: Browser, scheme: str, width: int) -> BrowserContext:
    return browser.new_context(
        viewport={"width": width, "height": 1400},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="Europe/Berlin",
        locale="en-GB",
    )


@contextmanager
def running_dashboard(database_url: str, folder: Path, **settings: str) -> Iterator[str]:
    """`python -m dashboard` as a process of its own, started in another folder; yields its address."""
    port = free_port()
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "FLEETFLOW_DATABASE_URL": database_url,
        "FLEETFLOW_DASHBOARD_PORT": str(port),
        **settings,
    }
    with (folder / "dashboard.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dashboard"], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            base = f"http://127.0.0.1:{port}"
            wait_until(lambda: _answers(base, process), 60, what="the dashboard's health")
            yield base
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=15)


def _answers(base: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the dashboard ended by itself; see dashboard.log"
    try:
        return httpx.get(f"{base}/_stcore/health", timeout=2, verify=PLAIN).is_success
    except httpx.HTTPError:
        return False
