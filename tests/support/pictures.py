"""`python -m tests.support.pictures`: draw every page of the dashboard over the demo fleet, into docs/pictures/.

It starts a FleetFlow of its own on free ports, in a temporary folder, and stops it afterwards. A page joins by being a
file in dashboard/app_pages/.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from PIL import Image

from fleetflow.embedded import find_running
from tests.support import people
from tests.support.browser import launched_chromium, viewer
from tests.support.pages import ADDRESSES, PAGES
from tests.support.ports import free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
DARK = ("trip",)
"""Pages that are drawn in the dark as well."""
MOST_BYTES = 150_000
COLORS = (256, 128, 64, 32)
WIDTH, LEAST_HEIGHT, MOST_HEIGHT = 1440, 700, 2000
PATIENCE_S = 600.0
WORST = """\
SELECT trip_logs.id::text, trip_logs.driver_id::text
FROM telemetry.trip_logs JOIN telemetry.driver_scores ON trip_id = trip_logs.id
ORDER BY safety_score, trip_logs.id LIMIT 1"""
UNFINISHED = "SELECT count(*) FROM telemetry.trip_logs WHERE status IN ('PENDING', 'PROCESSING')"
CONTENT_HEIGHT = "document.querySelector('[data-testid=stMainBlockContainer]').scrollHeight"
DRAWN_AGAIN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


def main() -> int:
    """Draw all pages over a demo fleet of its own; the exit code."""
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as demo:
        draw_all(demo)
    return 0


@dataclass(frozen=True, slots=True)
class Demo:
    """A FleetFlow whose demo fleet is scored: where the dashboard is, a trip and its driver, an admin's session."""

    base: str
    places: dict[str, str]
    token: str
    database_url: str


def draw_all(demo: Demo) -> None:
    """Draw each page of a dashboard as an admin sees it, in the light, and some in the dark."""
    PICTURES.mkdir(exist_ok=True)
    with launched_chromium() as browser:
        for page, scheme in [*((page, "light") for page in PAGES), *((page, "dark") for page in DARK)]:
            with viewer(browser, demo.base, token=demo.token, scheme=scheme, width=WIDTH) as person:
                person.page.set_default_timeout(PATIENCE_S * 1000)
                drawn = draw(person.open(ADDRESSES.get(page, page).format(**demo.places)))
            save(drawn, PICTURES / (f"{page}.png" if scheme == "light" else f"{page}-{scheme}.png"))


@contextmanager
def running_demo(folder: Path) -> Iterator[Demo]:
    """`fleetflow up` with the demo fleet, until all its trips have their scores."""
    dashboard_port = free_port()
    environment = {
        **os.environ,
        "FLEETFLOW_DATA_DIR": str(folder / "data"),
        "FLEETFLOW_API_PORT": str(free_port()),
        "FLEETFLOW_DASHBOARD_PORT": str(dashboard_port),
        "FLEETFLOW_DEMO": "true",
    }
    log = folder / "fleetflow.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "fleetflow", "up"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        try:
            wait_until(lambda: b"demo_fleet_sent" in log.read_bytes(), PATIENCE_S, what="the demo fleet's trips")
            url = find_running(folder / "data")
            assert url
            yield Demo(f"http://127.0.0.1:{dashboard_port}", await_scores(url), people.start_session(url), url)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def await_scores(url: str) -> dict[str, str]:
    """Wait until every trip has its score; the worst trip and its driver."""
    with psycopg.connect(url, autocommit=True) as conn:
        wait_until(lambda: conn.execute(UNFINISHED).fetchone() == (0,), PATIENCE_S, what="the demo fleet's scores")
        worst = conn.execute(WORST).fetchone()
    assert worst
    return {"trip": str(worst[0]), "driver": str(worst[1])}


def draw(page: Page) -> bytes:
    """The page as it is when its window is as tall as what is on it."""
    height = min(max(int(page.evaluate(CONTENT_HEIGHT)), LEAST_HEIGHT), MOST_HEIGHT)
    page.set_viewport_size({"width": WIDTH, "height": height})
    page.wait_for_function(DRAWN_AGAIN)
    return page.screenshot()


def save(drawn: bytes, path: Path) -> None:
    """Write the picture with as many colours as fit into MOST_BYTES."""
    with Image.open(io.BytesIO(drawn)) as full:
        opaque = full.convert("RGB")
    for colors in COLORS:
        packed = io.BytesIO()
        # The colours of events are few dots each, and the usual way of choosing colours would blend them with others.
        chosen = opaque.quantize(colors, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
        chosen.save(packed, "PNG", optimize=True)
        if len(packed.getvalue()) <= MOST_BYTES:
            break
    path.write_bytes(packed.getvalue())


if __name__ == "__main__":
    sys.exit(main())
