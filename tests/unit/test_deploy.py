"""What is handed to those who run it: figures for Prometheus and Grafana, and connections that outlast a proxy's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import generate_latest
from ruamel.yaml import YAML

from fleetflow.queue.announcer import Announcer
from fleetflow.queue.interface import QueueState
from ingest_api.metrics import Metrics
from ingest_api.server import server_config
from worker import metrics as of_workers

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
RULES: list[dict[str, Any]] = YAML(typ="safe").load(DEPLOY / "alerts.yml")["groups"][0]["rules"]
EXPRESSIONS = [
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
    *(rule["expr"] for rule in RULES),
]


def figures() -> set[str]:
    metrics = Metrics()
    metrics.watch_announcer(Announcer(publisher=None))  # type: ignore[arg-type]  # it is only asked for its counts
    metrics.refused.labels("invalid_json").inc()
    worker = of_workers.Metrics()
    worker.registry.register(of_workers._Queue(lambda: QueueState("rabbitmq", reachable=True, ready=3, dead=1)))
    text = metrics.text() + generate_latest(worker.registry)
    return set(re.findall(r"^(fleetflow_\w+)", text.decode(), re.MULTILINE))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_figure_that_is_drawn_or_watched_is_one_that_a_program_has(expression: str):
    named = set(re.findall(r"fleetflow_\w+", expression))
    assert named
    assert named <= figures()


def test_every_figure_is_explained_and_the_workers_are_drawn():
    explained = (DEPLOY.parent / "docs" / "operations.md").read_text()
    for name in figures():
        assert f"`{re.sub('_(bucket|sum|count)$', '', name)}`" in explained
    drawn = set(re.findall(r"fleetflow_worker_\w+", " ".join(EXPRESSIONS)))
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in drawn} >= {
        f"fleetflow_worker_{name}"
        for name in ("queue_depth", "trips_scored_total", "trip_seconds", "attempts_total", "trips_failed_total")
    }


def test_every_alert_says_what_happened_and_what_to_do():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_no_two_panels_share_a_number_or_a_place():
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(set(numbers)) == len(DASHBOARD["panels"])


def test_an_idle_connection_is_ended_by_the_proxy_that_sends_and_not_by_the_api():
    most_proxies_s = 60
    assert server_config(FastAPI(), "127.0.0.1", 0).timeout_keep_alive > most_proxies_s
