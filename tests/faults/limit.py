"""A gateway that sends far more than its key may, beside others that do not: `make acceptance ARGS="limit"`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg

from fleetflow.access import Scope
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.keys import insert_key
from tests.faults.figures import Figure
from tests.faults.load import Outcome, Trips, offer_side_by_side
from tests.faults.overload import Run
from tests.faults.site import AS_SHIPPED, running_site
from tests.support.ports import PLAIN
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_S = 30.0
OTHERS, PER_S = 3, 30
HASTY_PER_S = 200
PER_MINUTE = 60
"""What the hasty one's key may: so many at once, then one a second."""
OTHERS_P99_S = 1.0
"""Above that operators are told to raise an alarm."""
ROOM = 2
"""Its minute begins with its first trip and ends with its last, neither of which is known to the millisecond."""


def figures(seconds: float) -> Iterator[Figure]:
    """All send at once; then every trip that was taken is looked up."""
    seconds = min(seconds, LONGEST_S)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder), direct=True, **AS_SHIPPED) as site,
        psycopg.connect(site.server.url, autocommit=True) as conn,
    ):
        run = Run(site, conn)
        hasty, *others = map(Trips, _keys(site.server.url, site.port))
        rates = [(hasty, HASTY_PER_S), *((each, PER_S) for each in others)]
        refused, *taken = offer_side_by_side(site.port, rates, seconds)
        run.promised += [trip_id for each in (refused, *taken) for trip_id in each.accepted]
        yield of_the_hasty(refused, seconds)
        yield of_the_others(taken)
        run.drained_after_s()
        yield run.accounted()


def _keys(database_url: str, port: int) -> list[str]:
    """The hasty one's key, then those of the others, all known to the API."""
    engine = create_engine(database_url, application_name="tests", pool_size=1)
    with connection(engine) as conn:
        limits = [PER_MINUTE, *[None] * OTHERS]
        keys = [insert_key(conn, "a gateway", Scope, created_by="tests", per_minute=each)[1] for each in limits]
    engine.dispose()
    headers = {"Authorization": f"Bearer {keys[-1]}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, verify=PLAIN) as client:
        wait_until(lambda: client.get("/metrics").is_success, what="the API's knowledge of the keys")
    return keys


def of_the_hasty(outcome: Outcome, seconds: float) -> Figure:
    """Whether it had its share, and was told when to come back."""
    may = PER_MINUTE * (1 + seconds / 60)
    text = (
        f"{outcome.statuses[202]} of {outcome.offered} taken, {may:.0f} are its share; {outcome.shares()};"
        f" {outcome.times_ms()}; {outcome.rude or 'no'} refusal without Retry-After"
    )
    kept = set(outcome.statuses) == {202, 429} and not outcome.rude and abs(outcome.statuses[202] - may) <= ROOM
    return Figure("a key above its limit: its share is taken, the rest is told 429 with Retry-After", text, kept)


def of_the_others(outcomes: list[Outcome]) -> Figure:
    """Whether they noticed anything."""
    text = "; ".join(f"{each.shares()}, {each.times_ms()}" for each in outcomes)
    kept = all(each.all_taken and each.p99_s() < OTHERS_P99_S for each in outcomes)
    return Figure(f"the {OTHERS} keys beside it: all is taken, p99 within {OTHERS_P99_S:g} s", text, kept)
