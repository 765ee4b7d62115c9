"""`python -m tests.faults.bare URL`: what a worker does to trips, batch after batch until none waits, and nothing else.

No queue, sweep, heartbeat, watchdog, metrics or log: how fast this is, is what a worker could score at most. A process
of its own, as a worker is.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from uuid import uuid4

from fleetflow.safety.events import DETECTION_VERSION
from fleetflow.storage import claims
from fleetflow.storage.database import connection, create_engine
from tests.support.queues import make_settings
from worker.analysis import Analysis, analyse
from worker.results import insert_results

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from fleetflow.storage.claims import ClaimedTrip


def main(url: str) -> None:
    """Score all trips that wait in that database."""
    engine = create_engine(url, application_name="bare", pool_size=1)
    while _batch(engine):
        pass


def _batch(engine: sa.Engine) -> Sequence[ClaimedTrip]:
    settings, token = make_settings(), uuid4()
    with connection(engine) as conn:
        trips = claims.claim_fresh(
            conn,
            token,
            lease_s=settings.lease_s,
            max_trips=settings.batch_trips,
            max_points=settings.batch_points,
        )
    done = [result for result in analyse(trips) if isinstance(result, Analysis)] if trips else []
    with connection(engine) as conn:
        findings = {result.trip.id: result.findings for result in done}
        claims.complete_trips(conn, token, findings, detection_version=DETECTION_VERSION)
        insert_results(conn, done)
    return trips


if __name__ == "__main__":
    main(sys.argv[1])
