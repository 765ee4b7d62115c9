"""The worker's loop: wake up, claim, analyse, write in one transaction, settle. Losing its place costs time only."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import structlog

from fleetflow.errors import QueueUnavailableError, StorageUnavailableError
from fleetflow.safety.events import DETECTION_VERSION
from fleetflow.storage import claims, retention, runs
from fleetflow.storage.database import connection
from fleetflow.storage.policy import FOR_GOOD, Policy, read_policy
from worker.analysis import Analysis, Failure, analyse
from worker.deliveries import HeldDeliveries
from worker.heartbeat import Pulse
from worker.metrics import Metrics
from worker.reanalysis import reanalyse_portion
from worker.results import insert_results
from worker.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    import sqlalchemy as sa

    from fleetflow.queue.interface import Consumer
    from fleetflow.settings import Settings
    from fleetflow.storage.claims import ClaimedTrip

SHUTDOWN_GRACE_S = 7.0
"""A stopped worker is gone within ten seconds: this long to finish, the rest to hand back what it could not."""
QUEUE_RETRY_S = 1.0
"""While nobody can wake it, the worker looks for trips this often."""
RUN_POLL_S = 1.0
"""Nobody announces a re-score run, and people watch its progress."""
REMOVAL_S, REMOVAL_TRIPS = 600.0, 200
"""How often a worker looks for samples that are older than they are kept, and how many trips it takes at once."""
STORAGE_RETRY_S = (0.2, 3.0)

log = structlog.get_logger()


class Worker:
    """One process's worker; `run` returns after `stop`."""

    def __init__(self, settings: Settings, engine: sa.Engine, consumer: Consumer) -> None:
        self._settings = settings
        self._engine = engine
        self._consumer = consumer
        self._held = HeldDeliveries(consumer, settings.batch_trips)
        self._pulse = Pulse(settings)
        self.metrics = Metrics()
        self._stopping = threading.Event()
        self._claims: set[UUID] = set()
        self._retry_s = STORAGE_RETRY_S[0]
        self._next_sweep = time.monotonic()
        self._next_removal = time.monotonic()
        self._watchdog = Watchdog(settings.batch_time_limit_s, SHUTDOWN_GRACE_S, self._hand_back_claims)

    def stop(self) -> None:
        """Finish what is claimed, then return from `run`. May be called from a signal handler."""
        self._stopping.set()
        self._watchdog.shutting_down()
        self._consumer.interrupt()

    def run(self) -> None:
        """Work until `stop`; Postgres and the queue may come and go."""
        self._watchdog.start()
        idle = False
        while not self._stopping.is_set():
            self._receive(self._idle_s() if idle else 0.0)
            idle = not self._work_safely()
        with contextlib.suppress(StorageUnavailableError):
            self._hand_back_claims()
            with connection(self._engine) as conn:
                self._pulse.stop(conn)
        self._consumer.close()
        self._watchdog.close()

    def _idle_s(self) -> float:
        """How long to wait for a wake-up: until the next sweep, or until a new run should be noticed."""
        return min(max(self._next_sweep - time.monotonic(), 0.0), RUN_POLL_S)

    def _receive(self, timeout_s: float) -> None:
        try:
            self._held.add(self._consumer.receive(self._settings.batch_trips, timeout_s))
            self._queue_is(reachable=True)
        except QueueUnavailableError as error:
            self._queue_is(reachable=False)
            log.warning("queue_unavailable", reason=str(error))
            self._held.forget()
            self._stopping.wait(min(timeout_s, QUEUE_RETRY_S))

    def _queue_is(self, *, reachable: bool) -> None:
        self._pulse.queue_reachable = reachable
        self.metrics.queue_is(reachable=reachable)

    def _work_safely(self) -> bool:
        """One round; True when there was something to do. Waits a little when Postgres is out of reach."""
        try:
            with self._watchdog.watching():
                worked = self._work()
        except StorageUnavailableError as error:
            log.warning("storage_unavailable", reason=str(error))
            self.metrics.storage_failed()
            self._stopping.wait(self._retry_s * random.uniform(0.5, 1.0))  # noqa: S311  # jitter is no secret
            self._retry_s = min(self._retry_s * 2, STORAGE_RETRY_S[1])
            return True
        self._retry_s = STORAGE_RETRY_S[0]
        return worked

    def _work(self) -> bool:
        if self._claims:
            self._hand_back_claims()  # claimed before Postgres went away: nobody else can take them
        if time.monotonic() >= self._next_sweep:
            self._sweep()
        trips = self._process(alone=False)
        if self._rescore() or trips:
            return True
        return reanalyse_portion(self._engine, self._settings) or self._remove_samples()  # nobody waits for these

    def _rescore(self) -> bool:
        """Do a batch of the re-score run, if there is one that no other worker has in hand."""
        with connection(self._engine) as conn:
            run = runs.advance_run(conn)
        if run is not None and run.state is runs.RunState.COMPLETED:
            log.info("rescore_completed", run=run.id, profile=run.profile_version, trips=run.done_trips)
        return run is not None

    def _remove_samples(self) -> bool:
        """Remove the samples of some trips that are older than they are kept; whether there may be more."""
        if time.monotonic() < self._next_removal:
            return False
        with connection(self._engine) as conn:
            days = read_policy(conn, Policy.of(self._settings)).keep_samples_days
            removed = 0 if days == FOR_GOOD else retention.remove_samples(conn, days=days, limit=REMOVAL_TRIPS)
        if removed:
            log.info("samples_removed", trips=removed, days=days)
        if removed < REMOVAL_TRIPS:
            self._next_removal = time.monotonic() + REMOVAL_S
        return removed > 0

    def _sweep(self) -> None:
        """Look after trips whose worker died, each alone, so that one that kills workers has no company."""
        with connection(self._engine) as conn:
            self._pulse.beat(conn)
            given_up = claims.fail_exhausted(conn, max_attempts=self._settings.max_attempts)
            self.metrics.given_up(len(given_up))
            for trip_id in given_up:
                log.error("trip_failed", trip_id=str(trip_id), reason="its worker died too often")
        while not self._stopping.is_set() and self._process(alone=True):
            pass
        # Early enough that the trips of a dead worker are done, not only found, within lease and sweep.
        self._next_sweep = time.monotonic() + self._settings.sweep_s * random.uniform(0.7, 0.9)  # noqa: S311

    def _process(self, *, alone: bool) -> Sequence[ClaimedTrip]:
        """Claim, analyse and finish one batch; the trips that were claimed."""
        token, began = uuid4(), time.monotonic()
        self._claims.add(token)
        with connection(self._engine) as conn:
            trips = self._claim(conn, token, alone=alone)
        if trips:
            self.metrics.taken(trips)
            log.info("trips_claimed", trip_ids=[str(trip.id) for trip in trips], attempts=trips[0].attempts)
        self._settle(self._finish(token, analyse(trips), began) if trips else set())
        self._claims.discard(token)
        return trips

    def _claim(self, conn: sa.Connection, token: UUID, *, alone: bool) -> Sequence[ClaimedTrip]:
        settings = self._settings
        if alone:
            trip = claims.claim_retry(conn, token, lease_s=settings.lease_s, max_attempts=settings.max_attempts)
            return [trip] if trip else []
        return claims.claim_fresh(
            conn, token, lease_s=settings.lease_s, max_trips=settings.batch_trips, max_points=settings.batch_points
        )

    def _finish(self, token: UUID, results: Sequence[Analysis | Failure], began: float) -> set[UUID]:
        """Write events, scores and states in one transaction; the ids that were completed by it."""
        analysed = {result.trip.id: result for result in results if isinstance(result, Analysis)}
        failures = [result for result in results if isinstance(result, Failure)]
        with connection(self._engine) as conn:
            findings = {trip_id: result.findings for trip_id, result in analysed.items()}
            completed = claims.complete_trips(conn, token, findings, detection_version=DETECTION_VERSION)
            insert_results(conn, [analysed[trip_id] for trip_id in sorted(completed)])
            for failure in failures:
                claims.fail_trip(conn, token, failure.trip.id, failure.reason)
        self._pulse.completed_trips += len(completed)
        self._tell(analysed.keys(), completed, failures, time.monotonic() - began)
        return completed

    def _tell(
        self, analysed: AbstractSet[UUID], completed: set[UUID], failures: Sequence[Failure], seconds: float
    ) -> None:
        """What became of a batch, for logs and metrics."""
        lost = analysed - completed
        self.metrics.finished(scored=len(completed), failed=len(failures), lost=len(lost), seconds=seconds)
        if completed:
            log.info("trips_scored", trip_ids=[str(trip_id) for trip_id in sorted(completed)])
        for trip_id in lost:
            log.warning("lease_lost", trip_id=str(trip_id))
        for failure in failures:
            log.error("trip_failed", trip_id=str(failure.trip.id), reason=failure.reason)

    def _settle(self, completed: set[UUID]) -> None:
        if not self._held:
            return
        try:
            with connection(self._engine) as conn:
                self._held.settle(conn, completed)
        except QueueUnavailableError:
            self._held.forget()

    def _hand_back_claims(self) -> None:
        """Return what was claimed and not finished; what cannot be returned comes back when its lease ends."""
        for token in list(self._claims):
            with connection(self._engine) as conn:
                handed_back = claims.hand_back(conn, token)
            self._claims.discard(token)
            if handed_back:
                log.info("handed_back", trips=len(handed_back))
