"""What is handed to Prometheus and Grafana names figures that the API has, and explains each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from fleetflow.queue.announcer import Announcer
from ingest_api.metrics import Metrics

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
    return set(re.findall(r"^(fleetflow_\w+)", metrics.text().decode(), re.MULTILINE))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_figure_that_is_drawn_or_watched_is_one_that_the_api_has(expression: str):
    named = set(re.findall(r"fleetflow_\w+", expression))
    assert named
    assert named <= figures()


def test_every_alert_says_what_happened_and_what_to_do():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_no_two_panels_share_a_number_or_a_place():
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(set(numbers)) == len(DASHBOARD["panels"])
