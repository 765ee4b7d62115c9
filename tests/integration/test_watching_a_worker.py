"""What a worker tells: its figures to Prometheus, and a trip's way, by its id, through the logs of all programs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import httpx
import pytest

from fleetflow.errors import ConfigurationError
from fleetflow.storage.database import connection
from fleetflow.storage.trips import insert_trips
from tests.faults.programs import Programs
from tests.support.ports import HOST, PLAIN, free_port
from tests.support.programs import make_settings, wait_for_score
from tests.support.trips import new_trip, trip_body
from tests.support.waiting import wait_until
from worker.metrics import Metrics

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postgres


def figures(port: int) -> dict[str, float]:
    text = httpx.get(f"http://{HOST}:{port}/metrics", timeout=10, verify=PLAIN).text
    return {name: float(value) for name, value in re.findall(r"^(fleetflow_\w+) (\S+)$", text, re.MULTILINE)}


@pytest.mark.rabbitmq
def test_a_worker_tells_prometheus_what_it_did(engine, database_url: str, rabbitmq_url: str, tmp_path: Path):
    with connection(engine) as conn:
        insert_trips(conn, [new_trip() for _ in range(5)])
    port = free_port()
    with Programs(database_url, tmp_path, RABBITMQ_URL=rabbitmq_url, WORKER_METRICS_PORT=port) as programs:
        programs.start_worker()
        wait_until(lambda: figures(port)["fleetflow_worker_trips_scored_total"] == 5, what="five scores")
        found = figures(port)
        assert found["fleetflow_worker_attempts_total"] == 5
        assert found["fleetflow_worker_trip_seconds_count"] == 5
        assert 0 < found["fleetflow_worker_trip_seconds_sum"] < 60
        assert found["fleetflow_worker_batch_trips_sum"] == 5
        assert (found["fleetflow_worker_queue_reachable"], found["fleetflow_worker_queue_depth"]) == (1, 0)
        assert found["fleetflow_worker_retries_total"] == found["fleetflow_worker_trips_failed_total"] == 0


def test_a_worker_without_a_port_listens_nowhere_and_a_taken_port_is_named(monkeypatch):
    asked: list[tuple[object, ...]] = []

    def taken(*where: object) -> None:
        asked.append(where)
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("worker.metrics.start_http_server", taken)
    Metrics().serve(make_settings(), "postgresql://nobody@127.0.0.1:1/none")
    assert not asked
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1:9 .*already in use"):
        Metrics().serve(make_settings(worker_metrics_port=9), "postgresql://nobody@127.0.0.1:1/none")


def test_a_trip_is_followed_by_its_id_from_receipt_to_score(database_url: str, tmp_path: Path):
    with Programs(database_url, tmp_path) as programs:
        processes = [programs.start_api(), programs.start_worker()]
        with httpx.Client(base_url=f"http://{HOST}:{programs.port}", timeout=10, verify=PLAIN) as client:
            headers = {"Content-Type": "application/json"}
            trip_id = client.post("/api/v1/telemetry", content=trip_body(), headers=headers).json()["trip_id"]
            wait_for_score(client, trip_id)
        wait_until(lambda: "trips_scored" in programs.log(processes[1]), what="the last line")
        lines = [line for each in processes for line in programs.log(each).splitlines() if trip_id in line]
    told = sorted(map(json.loads, lines), key=lambda line: line["timestamp"])
    assert [(line["program"], line["event"]) for line in told] == [
        ("ingest_api", "trips_stored"),
        ("worker", "trips_claimed"),
        ("worker", "trips_scored"),
    ]
    assert told[1]["attempts"] == 1
