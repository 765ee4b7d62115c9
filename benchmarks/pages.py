"""The dashboard over a large fleet: every page cold and warm, a slider, a long trip, ten people at once, and growth.

Times are those of a browser's socket, from the click to the last part of the answer. Cold is the first page that a
dashboard shows after its start, warm the same page again; the floor is the page that shows nothing, warm.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from statistics import median
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import psycopg

from benchmarks.browsing import Person, Run, person
from benchmarks.fleets import TRIPS
from benchmarks.report import Row
from benchmarks.services import fresh_database, running_dashboard
from benchmarks.stored import store_large_fleet, store_scores
from fleetflow.storage.database import connection, create_engine
from tests.support import people
from tests.support.dashboard import insert_drive, make_drive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.services import Stack

ROUNDS = 5
PEOPLE = 10
SMALLER, LARGEST = 10_000, 1_000_000
FLOOR_PAGE, FLOOR = "driver", "a page with nothing on it"
DRAFT = "draft=0.35x5_0.4x5_0.45x0_130x0"
THRESHOLDS_G = (0.33, 0.34, 0.36, 0.37, 0.38)
HARSH_TRIP = "SELECT trip_id::text FROM telemetry.harsh_events WHERE peak_g > 0.5 ORDER BY id LIMIT 1"
BUSY_DRIVER = "SELECT driver_id::text FROM telemetry.trip_logs GROUP BY driver_id ORDER BY count(*) DESC LIMIT 1"
GROWING = ("overview", "leaderboard", "driver", "events", "tuning")


@dataclass(frozen=True, slots=True)
class Site:
    """A database with so many trips, the token of somebody's session on it, and the floor's figure there."""

    url: str
    token: str
    trips: int
    floor_ms: float


def pages(stack: Stack) -> Iterator[Row]:
    """All of it over the large fleet, then the pages that add up trips over a tenth of it."""
    site = make_site(stack, TRIPS)
    for page, query in _addresses(site.url).items():
        yield from _opened(site, page, query)
    yield from _long_trip(site)
    yield from _slider(site)
    yield from _crowd(site)
    yield from _grown(stack, SMALLER)


def million(stack: Stack) -> Iterator[Row]:
    """The same pages over ten times as many trips; filling the database takes minutes."""
    yield from _grown(stack, LARGEST)


@cache
def make_site(stack: Stack, trips: int) -> Site:
    """A fleet of so many trips in a database of its own, filled once for all that ask for it."""
    url = fresh_database(stack.database_url, f"bench_pages_{trips}")
    store_large_fleet(url, trips)
    store_scores(url)
    token = people.start_session(url)
    return Site(url, token, trips, _floor_ms(url, token))


@contextmanager
def _visited(site: Site) -> Iterator[Person]:
    """Somebody at a dashboard that has just started."""
    with running_dashboard(site.url) as base, person(base, site.token) as somebody:
        yield somebody


def _addresses(url: str) -> dict[str, str]:
    """Every page's address by its name; those that show one thing show a busy one."""
    with psycopg.connect(url) as conn:
        trip, driver = (conn.execute(each.encode()).fetchone() for each in (HARSH_TRIP, BUSY_DRIVER))
    assert trip
    assert driver
    chosen = {"driver": f"driver={driver[0]}", "trip": f"trip={trip[0]}", "tuning": DRAFT}
    names = ("overview", "leaderboard", "driver", "trip", "events", "tuning", "upload", "operations", "administration",
             "audit")  # fmt: skip
    return {name: chosen.get(name, "") for name in names}


def _floor_ms(url: str, token: str) -> float:
    with running_dashboard(url) as base, person(base, token) as somebody:
        somebody.open(FLOOR_PAGE)
        return _warm_ms(somebody, FLOOR_PAGE, "")


def _warm_ms(somebody: Person, page: str, query: str) -> float:
    return median(somebody.open(page, query).ms for _ in range(ROUNDS))


def _opened(site: Site, page: str, query: str) -> Iterator[Row]:
    """A page as the first of a dashboard that has just started, then again."""
    with _visited(site) as somebody:
        first = somebody.open(page, query)
        assert "could not be drawn" not in first.words, f"{page} failed"
        warm_ms = _warm_ms(somebody, page, query)
    yield Row(f"{page}, cold, {site.trips:,} trips", "-", FLOOR, site.floor_ms, first.ms, "ms")
    yield Row(f"{page}, warm, {site.trips:,} trips", "-", FLOOR, site.floor_ms, warm_ms, "ms")


def _store_long_trip(url: str) -> str:
    """An hour at 10 Hz with events of all kinds."""
    engine = create_engine(url, application_name="bench", pool_size=1)
    drive = make_drive(np.random.default_rng(1), minutes=60, hz=10, temper=4)
    with connection(engine) as conn:
        trip = insert_drive(
            conn,
            drive,
            driver_id=UUID(int=1),
            vehicle_id=UUID(int=1),
            started_at=datetime.now(UTC) - timedelta(hours=2),
        )
    engine.dispose()
    return str(trip)


def _long_trip(site: Site) -> Iterator[Row]:
    trip = _store_long_trip(site.url)
    with _visited(site) as somebody:
        somebody.open(FLOOR_PAGE)
        empty_kb = somebody.open(FLOOR_PAGE).sent_kb
        opened = somebody.open("trip", f"trip={trip}")
    yield Row("trip of 36,000 points, opened", "-", FLOOR, site.floor_ms, opened.ms, "ms")
    yield Row("trip of 36,000 points, sent", "-", FLOOR, empty_kb, opened.sent_kb, "kB")


def _slider(site: Site) -> Iterator[Row]:
    """From letting go of a threshold to the last part of the preview."""
    with _visited(site) as somebody:
        somebody.open("tuning")
        moved = [somebody.move("Braking", threshold).ms for threshold in THRESHOLDS_G]
    yield Row(f"slider to preview, {site.trips:,} trips", "-", FLOOR, site.floor_ms, median(moved), "ms")


def _crowd(site: Site) -> Iterator[Row]:
    """The slowest of all when everybody clicks at the same moment, each on another page."""
    addresses = list(_addresses(site.url).items())
    with running_dashboard(site.url) as base, ExitStack() as stack, ThreadPoolExecutor(PEOPLE) as pool:
        crowd = [stack.enter_context(person(base, site.token)) for _ in range(PEOPLE)]
        runs: list[Run] = []
        for turn in range(ROUNDS):
            asked = [addresses[(number + turn) % len(addresses)] for number in range(PEOPLE)]
            clicked = list(pool.map(lambda who, what: who.open(*what), crowd, asked))
            runs += clicked if turn else []  # the first turn finds every cache empty
    slowest = max(run.ms for run in runs)
    yield Row(f"{PEOPLE} people at once, the slowest of {len(runs)}", "-", FLOOR, site.floor_ms, slowest, "ms")


def _grown(stack: Stack, trips: int) -> Iterator[Row]:
    site = make_site(stack, trips)
    addresses = _addresses(site.url)
    for page in GROWING:
        yield from _opened(site, page, addresses[page])
