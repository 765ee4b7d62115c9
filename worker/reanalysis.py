"""Stored trips analysed again by this version's detection: what the worker does when nothing fresh waits."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from fleetflow.safety.events import DETECTION_VERSION
from fleetflow.storage import reanalyses
from fleetflow.storage.database import connection
from worker.analysis import Analysis, Failure, analyse
from worker.results import insert_results

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    import sqlalchemy as sa

    from fleetflow.settings import Settings

log = structlog.get_logger()


def reanalyse_portion(engine: sa.Engine, settings: Settings) -> bool:
    """Do the next portion, if somebody asked for it and no other worker has one in hand; whether there was one."""
    token = uuid4()
    with connection(engine) as conn:
        trips = reanalyses.claim_portion(
            conn, token, detection_version=DETECTION_VERSION, lease_s=settings.lease_s,
            max_trips=settings.batch_trips, max_points=settings.batch_points, max_attempts=settings.max_attempts,
        )  # fmt: skip
    if not trips:
        return False
    results = analyse(trips)
    with connection(engine) as conn:
        _replace(conn, token, results)
    return True


def _replace(conn: sa.Connection, token: UUID, results: Sequence[Analysis | Failure]) -> None:
    """Let the new results take the place of the old ones; a trip that cannot be analysed any more keeps the old."""
    analysed = {result.trip.id: result for result in results if isinstance(result, Analysis)}
    skipped = [result.trip.id for result in results if isinstance(result, Failure)]
    last = max(result.trip.id for result in results)
    if not reanalyses.settle_portion(conn, token, last, done=len(analysed), skipped=len(skipped)):
        log.warning("lease_lost", reanalysis=True)
        return
    findings = {trip_id: result.findings for trip_id, result in analysed.items()}
    replaced = reanalyses.replace_findings(conn, findings, detection_version=DETECTION_VERSION)
    insert_results(conn, [analysed[trip_id] for trip_id in sorted(replaced)])
    for trip_id in skipped:
        log.error("reanalysis_skipped", trip_id=str(trip_id))
