"""Figures of one worker for Prometheus, on a port of its own where a setting gives one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from fleetflow.errors import ConfigurationError
from fleetflow.queue import read_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from prometheus_client import Metric

    from fleetflow.queue import QueueState
    from fleetflow.settings import Settings
    from fleetflow.storage.claims import ClaimedTrip

TRIP_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0)
BATCH_TRIPS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """What a worker counts; `serve` shows it."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter was made says nothing that its reset does not
        self.registry = CollectorRegistry()
        self._attempts = self._counter("fleetflow_worker_attempts_total", "Trips taken to be analysed.")
        self._retries = self._counter("fleetflow_worker_retries_total", "Trips taken after a worker had died of them.")
        self._scored = self._counter("fleetflow_worker_trips_scored_total", "Trips that were given their score.")
        self._failed = self._counter("fleetflow_worker_trips_failed_total", "Trips that were given up, with a reason.")
        self._lost = self._counter("fleetflow_worker_leases_lost_total", "Trips done too late to be written.")
        self._storage = self._counter("fleetflow_worker_storage_failures_total", "Rounds that Postgres did not answer.")
        self._seconds = self._histogram(
            "fleetflow_worker_trip_seconds", "From claim to commit, each trip its share of the batch.", TRIP_SECONDS
        )
        self._batch = self._histogram("fleetflow_worker_batch_trips", "Trips that were done together.", BATCH_TRIPS)
        self._reachable = Gauge(
            "fleetflow_worker_queue_reachable", "1 while this worker can be woken.", registry=self.registry
        )
        self._reachable.set(1.0)

    def taken(self, trips: Sequence[ClaimedTrip]) -> None:
        """These trips were claimed."""
        self._attempts.inc(len(trips))
        self._retries.inc(sum(trip.attempts > 1 for trip in trips))

    def finished(self, *, scored: int, failed: int, lost: int, seconds: float) -> None:
        """A batch was written, so many `seconds` after its claim."""
        self._scored.inc(scored)
        self._failed.inc(failed)
        self._lost.inc(lost)
        trips = scored + failed + lost
        self._batch.observe(trips)
        for _ in range(trips):
            self._seconds.observe(seconds / trips)

    def given_up(self, trips: int) -> None:
        """So many trips have killed too many workers."""
        self._failed.inc(trips)

    def storage_failed(self) -> None:
        """Postgres did not answer."""
        self._storage.inc()

    def queue_is(self, *, reachable: bool) -> None:
        """Whether the queue answered when this worker last asked."""
        self._reachable.set(float(reachable))

    def serve(self, settings: Settings, database_url: str) -> None:
        """Answer Prometheus on the port that is set, if any. Raises ConfigurationError when it is taken."""
        if not settings.worker_metrics_port:
            return
        self.registry.register(_Queue(lambda: read_state(settings, database_url)))
        try:
            start_http_server(settings.worker_metrics_port, settings.worker_metrics_host, self.registry)
        except OSError as error:
            raise ConfigurationError(
                f"The worker cannot listen on {settings.worker_metrics_host}:{settings.worker_metrics_port}"
                f" (FLEETFLOW_WORKER_METRICS_HOST and _PORT): {error.strerror}."
            ) from error

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, buckets=buckets, registry=self.registry)


class _Queue(Collector):
    """Asks the queue how much it holds, whenever Prometheus asks."""

    def __init__(self, ask: Callable[[], QueueState]) -> None:
        self._ask = ask

    def describe(self) -> Iterator[Metric]:
        """What `collect` gives, told without asking."""
        yield from self._families(0, 0)

    def collect(self) -> Iterator[Metric]:
        """Messages that wait and dead letters; nothing while the queue does not answer or does not count."""
        state = self._ask()
        if state.ready is not None:
            yield from self._families(state.ready, state.dead or 0)

    @staticmethod
    def _families(ready: int, dead: int) -> Iterator[Metric]:
        yield GaugeMetricFamily("fleetflow_worker_queue_depth", "Wake-ups that wait in the queue.", value=ready)
        yield GaugeMetricFamily("fleetflow_worker_dead_letters", "Wake-ups of trips that failed.", value=dead)
