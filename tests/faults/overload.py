"""What this machine holds, what happens at twice that, and what comes after: `make acceptance ARGS="load"`.

API, one worker, Postgres, broker and client share the machine. Every trip that was taken is looked up at the end.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

import httpx
import psycopg

from fleetflow.storage.backlog import BACKLOG
from tests.faults.figures import Figure, say
from tests.faults.load import Outcome, Trips, offer
from tests.faults.senders import p99, probing
from tests.faults.site import AS_SHIPPED, Site, running_site
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

TRIAL_S, TRIALS = 15.0, 6
STEP = 1.15
"""From one rate that is tried to the next."""
MOST_WAITING_S = 0.3
"""So long's worth of trips may wait at the end of what is held for some seconds: what is in work, and no backlog that
grows. With one second's worth, a rate was taken for held that filled the queue within ten minutes."""
HELD = 0.8
"""Of what is held for some seconds, this is held for long: tables grow, and Postgres has checkpoints to write."""
BOUND_PER_S, LOWEST_BOUND, HIGHEST_BOUND = 20, 2_500, 50_000
"""So many trips may wait for each second of the run, that the bound is met within it; the default for long ones. Of
fewer than the lowest a worker runs out between two looks of the API at the backlog."""
SCORED = 0.8
"""Refusing costs the same two cores something, too."""
ALIVE_S, OVERLOADED_ALIVE_S = 0.05, 0.5
"""What is held leaves the API room to say at once that it lives. At twice that a probe waits in line with up to a
thousand posts, on two cores that client, database, broker and worker want too; supervisors usually give one a second.
"""
GRACE_S = 10.0
"""The API looks at the backlog every few seconds."""
PATIENCE_S = 600.0
SAMPLE_S = 1.0
FOUND: LiteralString = """
SELECT count(*), count(trip.id), count(*) FILTER (WHERE trip.status = 'COMPLETED' AND score.times = 1)
FROM unnest(%s::uuid[]) AS promised (id)
LEFT JOIN telemetry.trip_logs AS trip USING (id)
LEFT JOIN (SELECT trip_id, count(*) AS times FROM telemetry.driver_scores GROUP BY trip_id) AS score
    ON score.trip_id = trip.id
"""
SUMS: LiteralString = """
SELECT (SELECT count(*) FROM telemetry.trip_logs), (SELECT count(*) FROM telemetry.driver_scores)
"""


@dataclass
class Run:
    """The site under load, and all that it promised."""

    site: Site
    conn: psycopg.Connection[Any]
    trips: Trips = field(default_factory=Trips)
    promised: list[UUID] = field(default_factory=list)

    def offer(self, per_s: float | None, seconds: float) -> Outcome:
        """Send, and write down what was taken."""
        outcome = offer(self.site.port, self.trips, per_s, seconds)
        self.promised += outcome.accepted
        return outcome

    def waiting(self) -> int:
        """Trips without a score yet."""
        return unscored(self.conn)

    def drained_after_s(self) -> float:
        """Wait until every trip has its score and the API takes trips; how long that was."""
        began = time.monotonic()
        wait_until(lambda: self.waiting() == 0 and self._ready(), PATIENCE_S, what="the end of the backlog")
        return time.monotonic() - began

    def accounted(self) -> Figure:
        """Whether all that was promised is there, and nothing else."""
        ((promised, stored, scored),) = self.conn.execute(FOUND, [self.promised])
        ((trips, scores),) = self.conn.execute(SUMS)
        text = f"{promised} accepted, {stored} stored, {scored} scored once; {trips} trips and {scores} scores in all"
        kept = promised == stored == scored == trips == scores
        return Figure("every accepted trip is stored and scored once", text, kept)

    def _ready(self) -> bool:
        return httpx.get(f"http://127.0.0.1:{self.site.port}/readyz", timeout=PATIENCE_S).is_success


def unscored(conn: psycopg.Connection[Any]) -> int:
    """Trips that wait or are in a worker's hands."""
    ((waiting, in_work, *_),) = conn.execute(BACKLOG)
    return int(waiting + in_work)


def figures(seconds: float) -> Iterator[Figure]:
    """Find what is held, hold it, offer twice that, and see what comes after."""
    bound = min(max(int(BOUND_PER_S * seconds), LOWEST_BOUND), HIGHEST_BOUND)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(Path(folder), direct=True, **AS_SHIPPED, MAX_WAITING_TRIPS=bound) as site,
        psycopg.connect(site.server.url, autocommit=True) as conn,
    ):
        run = Run(site, conn)
        per_s = HELD * capacity(run, min(seconds, TRIAL_S))
        yield held(run, per_s, seconds)
        yield from overload(run, per_s, seconds, bound)
        yield from afterwards(run, per_s, min(seconds, TRIAL_S))


def capacity(run: Run, trial_s: float) -> float:
    """The highest of some rates at which all is taken and scored at the pace at which it comes."""
    began = time.monotonic()
    full = run.offer(None, trial_s)
    run.drained_after_s()
    per_s = full.statuses[202] / (time.monotonic() - began)
    say(f"        at full speed {full.accepted_per_s:.0f} trips/s are taken; begun with {per_s:.0f}, taken and scored")
    up = _holds(run, per_s, trial_s)
    for _ in range(TRIALS):
        other = per_s * STEP if up else per_s / STEP
        holds = _holds(run, other, trial_s)
        if holds != up:
            return per_s if up else other
        per_s = other
    return per_s


def _holds(run: Run, per_s: float, trial_s: float) -> bool:
    outcome = run.offer(per_s, trial_s)
    waiting = run.waiting()
    run.drained_after_s()
    holds = outcome.all_taken and waiting < MOST_WAITING_S * per_s
    say(f"        {'held' if holds else 'not held'} for {trial_s:g} s: {per_s:.0f} trips/s, {waiting} wait at the end")
    return holds


def held(run: Run, per_s: float, seconds: float) -> Figure:
    """Offer what is held, for long."""
    with sampled(run) as course, alive(run) as alive_s:
        outcome = run.offer(per_s, seconds)
    waiting = run.waiting()
    late_s = run.drained_after_s()
    text = (
        f"{outcome.accepted_per_s:.0f} trips/s; {outcome.shares()}; {outcome.times_ms()}; alive p99"
        f" {1000 * p99(alive_s):.0f} ms; waiting {told(course)}; all scored {late_s:.1f} s later"
    )
    name = f"held for {seconds:g} s, {_lives(ALIVE_S)}: {os.cpu_count()} cores, trips of 60 points, client included"
    return Figure(name, text, outcome.all_taken and waiting < 2 * per_s and p99(alive_s) < ALIVE_S)


def _lives(within_s: float) -> str:
    return f"alive within {1000 * within_s:.0f} ms"


def overload(run: Run, per_s: float, seconds: float, bound: int) -> Iterator[Figure]:
    """Offer twice what is held."""
    with sampled(run) as course, alive(run) as alive_s:
        outcome = run.offer(2 * per_s, seconds)
    text = (
        f"{outcome.accepted_per_s:.0f} of {2 * per_s:.0f} trips/s taken; {outcome.shares()}; {outcome.times_ms()};"
        f" alive p99 {1000 * p99(alive_s):.0f} ms; {outcome.rude or 'no'} refusal without Retry-After"
    )
    polite = set(outcome.statuses) <= {202, 429, 503} and not outcome.rude
    kept = polite and outcome.p99_s() < 5 and p99(alive_s) < OVERLOADED_ALIVE_S
    name = f"twice that for {seconds:g} s, {_lives(OVERLOADED_ALIVE_S)}: taken or told to come back within 5 s"
    yield Figure(name, text, kept)
    kept = max(course) < bound + 10 * per_s
    yield Figure(f"the backlog stays near its bound of {bound} trips", f"waiting {told(course)}", kept)
    scored_per_s = (outcome.statuses[202] - course[-1]) / seconds
    text = f"{scored_per_s:.0f} trips/s scored meanwhile, {per_s:.0f} are held"
    yield Figure(
        f"no collapse: {SCORED:.0%} of what is held is scored all the same", text, scored_per_s > SCORED * per_s
    )


def afterwards(run: Run, per_s: float, trial_s: float) -> Iterator[Figure]:
    """What is left of it, and whether all is as before."""
    waiting = run.waiting()
    soon_s = GRACE_S + waiting / (SCORED * per_s)
    late_s = run.drained_after_s()
    text = f"{late_s:.1f} s later, {waiting} had waited"
    yield Figure(f"after that: all scored and ready again within {soon_s:.0f} s", text, late_s < soon_s)
    again = run.offer(per_s, trial_s)
    text = f"{again.shares()}; {again.times_ms()}"
    yield Figure(f"and as before, for {trial_s:g} s: all taken", text, again.all_taken)
    run.drained_after_s()
    yield run.accounted()


@contextmanager
def sampled(run: Run) -> Iterator[list[int]]:
    """How many trips wait, each second while the block runs."""
    course: list[int] = []
    over = threading.Event()

    def look() -> None:
        with psycopg.connect(run.site.server.url, autocommit=True) as conn:
            while not over.wait(SAMPLE_S):
                course.append(unscored(conn))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield course
    finally:
        over.set()
        thread.join()


@contextmanager
def alive(run: Run) -> Iterator[list[float]]:
    """How long `/healthz` took, again and again while the block runs."""
    times_s: list[float] = []
    with probing(run.site.port, times_s):
        yield times_s


def told(course: list[int], parts: int = 10) -> str:
    """A course in some numbers, the last one included."""
    step = max(len(course) // parts, 1)
    return " ".join(map(str, course[step - 1 :: step]))
