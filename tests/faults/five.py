"""What must hold after every fault, whatever it was: the one function that each fault test ends with.

Every trip that was promised is there (1), is COMPLETED or FAILED with a reason (2), has exactly one score under the
active profile and the events of one analysis (3), and they are those of a fresh computation (4). Every program that
nobody ended still runs (5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg

from fleetflow.safety.detection import find_events
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.scores import score_trip
from fleetflow.trips.clock import with_clock
from fleetflow.trips.columns import unpack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from uuid import UUID

    from tests.faults.programs import Programs

BOUND_S = 40.0
"""How long trips may take to their end once nobody disturbs any more; leases are short in these tests."""
UNFINISHED: LiteralString = """
SELECT count(*) FROM telemetry.trip_logs WHERE status NOT IN ('COMPLETED', 'FAILED')
"""
TRIPS: LiteralString = """
SELECT trip.id, trip.status, trip.error, trip.telemetry_blob::text, trip.sample_hz, count(score.trip_id),
       min(score.safety_score), min(score.points),
       (SELECT count(*) FROM telemetry.harsh_events AS event WHERE event.trip_id = trip.id)
FROM telemetry.trip_logs AS trip
LEFT JOIN telemetry.driver_scores AS score ON score.trip_id = trip.id AND score.profile_version =
    (SELECT profile_version FROM telemetry.profile_activations ORDER BY id DESC LIMIT 1)
GROUP BY trip.id
"""
REPEATED: LiteralString = """
SELECT DISTINCT trip_id FROM telemetry.harsh_events GROUP BY trip_id, kind, peak_s HAVING count(*) > 1
"""
TWINS: LiteralString = """
SELECT count(*) - count(DISTINCT content_hash) FROM telemetry.trip_logs
"""


@dataclass(frozen=True, slots=True)
class _Trip:
    id: UUID
    status: str
    error: str | None
    blob: str
    sample_hz: float | None
    scores: int
    safety_score: int | None
    points: int | None
    events: int


def assert_the_five(
    programs: Programs,
    promised: Collection[UUID],
    *,
    failed: Collection[UUID] = (),
    recompute: bool = True,
    within_s: float = BOUND_S,
) -> None:
    """Fail with every sentence of `violations`, and with the log of every program that ended by itself."""
    found = list(violations(programs.database_url, promised, failed=failed, recompute=recompute, within_s=within_s))
    assert not found, "\n".join(found)
    assert not programs.fallen(), "\n".join(programs.fallen())


def violations(
    database_url: str,
    promised: Collection[UUID],
    *,
    failed: Collection[UUID] = (),
    recompute: bool = True,
    within_s: float = BOUND_S,
) -> Iterator[str]:
    """What is wrong, in sentences. Trips in `failed` must end FAILED, all others COMPLETED.

    Without `recompute` scores are not compared, since the test made up its events.
    """
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield from _unfinished(conn, within_s)
        trips = [_Trip(*row) for row in conn.execute(TRIPS)]
        yield from _lost(trips, promised)
        yield from _not_at_their_end(trips, failed)
        yield from _not_scored_once(trips)
        yield from (f"Events of trip {row[0]} are stored twice." for row in conn.execute(REPEATED))
        yield from (f"{row[0]} trips are stored twice." for row in conn.execute(TWINS) if row[0])
    if recompute:
        yield from _wrong([trip for trip in trips if trip.status == "COMPLETED"])


def _unfinished(conn: psycopg.Connection[Any], within_s: float) -> Iterator[str]:
    try:
        wait_until(lambda: conn.execute(UNFINISHED).fetchone() == (0,), within_s, what="the end of the backlog")
    except AssertionError as error:
        yield str(error)


def _lost(trips: list[_Trip], promised: Collection[UUID]) -> Iterator[str]:
    lost = set(promised) - {trip.id for trip in trips}
    if lost:
        yield f"{len(lost)} accepted trips are not there: {sorted(map(str, lost))[:3]} ..."
    if len(set(promised)) != len(promised):
        yield "Two different trips were given the same id."


def _not_at_their_end(trips: list[_Trip], failed: Collection[UUID]) -> Iterator[str]:
    for trip in trips:
        expected = "FAILED" if trip.id in failed else "COMPLETED"
        if trip.status != expected:
            yield f"Trip {trip.id} is {trip.status}, not {expected}: {trip.error}"
        if trip.status == "FAILED" and not trip.error:
            yield f"Trip {trip.id} is FAILED without a reason."


def _not_scored_once(trips: list[_Trip]) -> Iterator[str]:
    for trip in trips:
        if trip.scores != (trip.status == "COMPLETED"):
            yield f"Trip {trip.id}, {trip.status}, has {trip.scores} scores."


def _wrong(trips: list[_Trip]) -> Iterator[str]:
    found = find_events([with_clock(unpack(trip.blob), trip.sample_hz) for trip in trips])
    for trip, events in zip(trips, found, strict=True):
        score = score_trip(events, DEFAULT_PROFILE)
        if (score.safety_score, score.points, len(events)) != (trip.safety_score, trip.points, trip.events):
            yield f"Trip {trip.id} has score {trip.safety_score} and {trip.events} events, anew {score.safety_score}."
