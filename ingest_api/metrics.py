"""Figures for Prometheus, in a registry of the app's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from fleetflow.queue.announcer import Announcer
    from fleetflow.storage.backlog import Backlog

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
TRIPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """What the API counts."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when a counter was made says nothing that its reset does not
        self.registry = CollectorRegistry()
        self.accepted = self._counter("fleetflow_trips_accepted_total", "Trips answered 202 that were new.")
        self.duplicates = self._counter("fleetflow_trips_duplicate_total", "Trips answered 202 that were known.")
        self.refused = Counter(
            "fleetflow_trips_refused_total", "Trips refused, by code.", ["code"], registry=self.registry
        )
        self.hung_up = self._counter("fleetflow_clients_gone_total", "Clients that hung up within their body.")
        self.points = self._counter("fleetflow_points_accepted_total", "Points of new trips.")
        self.seconds = self._histogram("fleetflow_accept_seconds", "From a trip's body to its answer.", SECONDS)
        self.commit_trips = self._histogram("fleetflow_commit_trips", "Trips that shared one commit.", TRIPS)
        self._waiting = self._gauge("fleetflow_trips_waiting", "Trips that no worker has taken yet.")
        self._oldest = self._gauge("fleetflow_oldest_waiting_seconds", "How long the oldest of them has waited.")
        self._failed = self._gauge("fleetflow_trips_failed", "Trips that could not be scored.")

    def show_backlog(self, backlog: Backlog) -> None:
        """What waits in the database, the same for every process."""
        self._waiting.set(backlog.waiting)
        self._oldest.set(backlog.oldest_s or 0.0)
        self._failed.set(backlog.failed)

    def watch_announcer(self, announcer: Announcer) -> None:
        """Show the announcer's own counts."""
        self.registry.register(_WakeUps(announcer))

    def text(self) -> bytes:
        """The figures in Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, buckets=buckets, registry=self.registry)


class _WakeUps(Collector):
    """Reads the announcer when somebody asks."""

    def __init__(self, announcer: Announcer) -> None:
        self._announcer = announcer

    def collect(self) -> Iterator[Metric]:
        """One counter per outcome, and whether the queue can be reached."""
        wake_ups = CounterMetricFamily("fleetflow_wake_ups", "Wake-ups of workers, by outcome.", labels=["outcome"])
        for outcome in ("published", "refused_full", "dropped", "failures"):
            wake_ups.add_metric([outcome], getattr(self._announcer, outcome))
        yield wake_ups
        told = "1 while workers can be woken, 0 while they only sweep."
        yield GaugeMetricFamily("fleetflow_queue_reachable", told, value=float(self._announcer.reachable))
