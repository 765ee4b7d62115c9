"""A trip's whole way, through the real API and a real worker, woken through Postgres and through RabbitMQ."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.programs import make_settings, running_api, running_worker, wait_for_score
from tests.support.trips import trip_body
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

JSON = {"Content-Type": "application/json"}


@pytest.fixture(params=["postgres", pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)])
def running(request: pytest.FixtureRequest, database_url: str) -> Iterator[httpx.Client]:
    """A client of the running system, under both ways of being woken; sweeping is too slow to help."""
    queue = {"rabbitmq_url": request.getfixturevalue("rabbitmq_url")} if request.param == "rabbitmq" else {}
    settings = make_settings(sweep_s=60.0, **queue)
    with running_api(settings, database_url) as client, running_worker(settings, database_url):
        yield client


def score_of(client: httpx.Client, points: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    answer = client.post("/api/v1/telemetry", content=trip_body(points, **fields), headers=JSON)
    assert answer.status_code == 202, answer.text
    return wait_for_score(client, answer.json()["trip_id"])


def test_the_first_example_scores_95_with_one_harsh_braking(running: httpx.Client):
    driver = str(uuid.uuid4())
    score = score_of(running, driver_id=driver)
    assert {name: score[name] for name in score if name not in {"trip_id", "created_at"}} == {
        "driver_id": driver,
        "safety_score": 95,
        "points": 5,
        "updated_at": None,
        "harsh_braking_count": 1,
        "rapid_accel_count": 0,
        "harsh_cornering_count": 0,
        "speeding_count": 0,
        "profile": {"version": 1, "name": "Default", "active": True},
    }


def test_the_second_example_scores_90_with_a_braking_and_an_acceleration(running: httpx.Client):
    points = [{"speed_kmh": 50, "g_force_long": g, "g_force_lat": 0.0} for g in (0.1, -0.5, 0.1, 0.6)]
    score = score_of(running, points, timestamp="2026-01-01T12:00:00Z")
    assert (score["safety_score"], score["harsh_braking_count"], score["rapid_accel_count"]) == (90, 1, 1)


def test_two_seconds_of_braking_at_10_hz_are_one_event_told_with_its_extent(running: httpx.Client):
    g_force = [0.0] * 20 + [-0.6] * 20 + [0.0] * 20
    points = [{"speed_kmh": 60, "g_force_long": g} for g in g_force]
    score = score_of(running, points, sample_hz=10)
    assert (score["safety_score"], score["harsh_braking_count"]) == (95, 1)
    (event,) = [e for e in running.get(f"/api/v1/trip/{score['trip_id']}/events").json() if e["kind"] == "braking"]
    assert (event["peak_g"], event["harsh"], event["doubts"]) == (0.6, True, [])
    assert event["start_s"] == pytest.approx(1.95)
    assert event["end_s"] == pytest.approx(3.95)
    trip = running.get(f"/api/v1/trip/{score['trip_id']}").json()
    assert trip["status"] == "COMPLETED"
    assert trip["distance_km"] == pytest.approx(60 * 5.9 / 3600)
    assert trip["duration_s"] == pytest.approx(5.9)


def test_a_peak_of_exactly_the_threshold_is_not_harsh(running: httpx.Client):
    score = score_of(running, [{"speed_kmh": 50, "g_force_long": g} for g in (0.0, -0.4, 0.0, 0.4, 0.0)])
    assert score["safety_score"] == 100
    events = running.get(f"/api/v1/trip/{score['trip_id']}/events").json()
    assert [(event["kind"], event["peak_g"], event["harsh"]) for event in events] == [
        ("braking", 0.4, False),
        ("acceleration", 0.4, False),
    ]


def test_a_burst_of_trips_is_scored_to_the_last_without_a_sweep(running: httpx.Client):
    bodies = b"\n".join(trip_body() for _ in range(500))
    answer = running.post("/api/v1/telemetry/batch", content=bodies, headers={"Content-Type": "application/x-ndjson"})
    assert answer.text.count('"QUEUED"') == 500
    last = answer.text.splitlines()[-1].split('"trip_id":"')[1][:36]
    wait_for_score(running, last)
    wait_until(lambda: "fleetflow_trips_waiting 0.0" in running.get("/metrics").text, what="an empty work list")
