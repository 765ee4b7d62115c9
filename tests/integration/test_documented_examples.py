"""The examples in the documentation, run against the real API and a real worker."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import generate_latest

from fleetflow.trips.wire import TripDecoder
from tests.support.programs import make_settings, running_api, running_worker, wait_for_score
from worker.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
HTTP_API = (ROOT / "docs" / "http-api.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
SCORING = (ROOT / "docs" / "scoring.md").read_text()
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}
OF_THE_MOMENT = {"id", "trip_id", "received_at", "completed_at", "created_at"}


@pytest.fixture
def running(database_url: str) -> Iterator[httpx.Client]:
    settings = make_settings()
    with running_api(settings, database_url) as client, running_worker(settings, database_url):
        yield client


def example(name: str) -> str:
    """The block of docs/http-api.md behind the comment of that name."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```json\n(.*?)```", HTTP_API, re.DOTALL)
    assert found, name
    return found[1]


def lasting(answer: Any) -> Any:
    """An answer without what is another one each time, its figures as exact as documentation needs them."""
    if isinstance(answer, float):
        return round(answer, 6)
    if isinstance(answer, dict):
        return {name: lasting(value) for name, value in answer.items() if name not in OF_THE_MOMENT}
    return [lasting(each) for each in answer] if isinstance(answer, list) else answer


def assert_as_documented(answer: httpx.Response, name: str, status: int = 200) -> None:
    documented = json.loads(example(name))
    assert answer.status_code == status
    assert lasting(answer.json()) == lasting(documented)
    if isinstance(documented, dict):
        assert list(answer.json()) == list(documented)


def test_the_examples_of_the_http_api_are_true(running: httpx.Client):
    posted = running.post("/api/v1/telemetry", content=example("request"), headers=JSON)
    assert_as_documented(posted, "answer: POST", 202)
    address = posted.headers["location"]
    wait_for_score(running, posted.json()["trip_id"])
    assert_as_documented(running.get(address), "answer: trip")
    assert_as_documented(running.get(f"{address}/score"), "answer: score")
    assert_as_documented(running.get(f"{address}/events"), "answer: events")
    refused = running.post("/api/v1/telemetry", content=example("request: refused"), headers=JSON)
    assert_as_documented(refused, "answer: refused", 400)


def test_the_example_of_a_batch_is_true(running: httpx.Client):
    trip = json.loads(example("request"))
    lines = [json.dumps(trip), json.dumps({name: trip[name] for name in ("vehicle_id", "driver_id")})]
    answer = running.post("/api/v1/telemetry/batch", content="\n".join(lines), headers=NDJSON)
    assert answer.status_code == 202
    documented = [json.loads(line) for line in example("answer: batch").splitlines()]
    assert lasting([json.loads(line) for line in answer.text.splitlines()]) == lasting(documented)


def test_the_first_trip_of_the_readme_scores_what_the_readme_says(running: httpx.Client):
    body = re.search(r"--data '(.*?)'", README, re.DOTALL)
    queued, score = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", README, re.DOTALL))
    assert body
    answer = running.post("/api/v1/telemetry", content=body[1], headers=JSON)
    assert answer.status_code == 202
    assert lasting(answer.json()) == lasting(queued)
    assert wait_for_score(running, answer.json()["trip_id"]).items() >= score.items()


def test_the_table_of_scores_is_true(running: httpx.Client):
    rows = re.findall(r"^\| (-?[\d., -]+) \| [\w, ]+ \| (\d+) \|$", SCORING, re.MULTILINE)
    assert len(rows) == 3
    for g_forces, expected in rows:
        points = [{"speed_kmh": 50, "g_force_long": float(g)} for g in g_forces.split(", ")]
        trip = {**json.loads(example("request")), "data": points}
        del trip["sample_hz"]
        answer = running.post("/api/v1/telemetry", json=trip)
        assert wait_for_score(running, answer.json()["trip_id"])["safety_score"] == int(expected), g_forces


def test_every_field_of_the_contract_is_documented():
    _, components = TripDecoder().json_schema()
    fields = {name for component in components.values() for name in component.get("properties", {})}
    assert {"vehicle_id", "g_force_long"} < fields
    assert fields <= set(re.findall(r"`(\w+)`", HTTP_API))


def test_every_code_of_a_refusal_is_documented():
    source = "\n".join(
        path.read_text() for folder in ("ingest_api", "fleetflow/trips") for path in (ROOT / folder).glob("*.py")
    )
    calls = re.findall(r'(?:ProblemError|unavailable|TripRefusedError)\(\s*(?:\d+,\s*)?"(\w+)"', source)
    assert len(set(calls)) > 10
    assert set(calls) <= set(re.findall(r"`(\w+)`", HTTP_API))


def test_every_metric_is_documented(api: httpx.Client):
    names = set(re.findall(r"^# HELP (\w+)", api.get("/metrics").text, re.MULTILINE))
    assert len(names) > 5
    names |= set(re.findall(r"^# HELP (\w+)", generate_latest(Metrics().registry).decode(), re.MULTILINE))
    names |= {"fleetflow_worker_queue_depth", "fleetflow_worker_dead_letters"}  # asked for when Prometheus asks
    assert names == set(re.findall(r"^\| `(fleetflow_\w+)`", OPERATIONS, re.MULTILINE))


def test_every_limit_of_the_http_api_is_the_default():
    settings = make_settings(body_timeout_s=15.0)
    rows = re.findall(r"\| ([\d,.]+) ?([\w/]*) \| `FLEETFLOW_(\w+)` \|", HTTP_API)
    factors = {"hours": 3600.0, "minutes": 60.0}
    assert len(rows) == 8
    for number, unit, name in rows:
        assert float(number.replace(",", "")) * factors.get(unit, 1.0) == getattr(settings, name.lower()), name
