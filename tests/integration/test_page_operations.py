"""The operations page over a real Postgres: what it says when all is well, when not, and how trips are tried again."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from dashboard import data
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.storage import backlog, heartbeats, profiles, runs
from fleetflow.storage.database import connection
from fleetflow.storage.heartbeats import Heartbeat
from tests.support.pages import drive, metrics, store, store_fleet, text

pytestmark = pytest.mark.postgres
ALIVE = Heartbeat(
    uuid.uuid4(), "depot", 4711, "RabbitMQ", queue_reachable=True, completed_trips=12, silent_after_s=70.0
)


def beat(engine, heartbeat: Heartbeat = ALIVE) -> None:
    with connection(engine) as conn:
        heartbeats.upsert_heartbeat(conn, heartbeat)


def age(engine, seconds: int) -> None:
    with connection(engine) as conn:
        sql = (
            "UPDATE telemetry.trip_logs SET received_at = now() - make_interval(secs => %(s)s) WHERE status = 'PENDING'"
        )
        conn.exec_driver_sql(sql, {"s": seconds})


def press(app, label: str):
    next(each for each in app.button if each.label == label).click().run()
    assert not app.exception


def test_a_quiet_system_says_so_without_an_alarm(engine, opened):
    beat(engine)
    app = opened("operations")
    assert not app.exception
    assert not app.error
    assert not app.warning
    shown = metrics(app)
    assert (shown["Waiting"], shown["Failed"], shown["Workers alive"]) == ("0", "0", "1")
    assert list(app.dataframe[0].value["worker"]) == ["depot · 4711"]
    assert "every trip that arrived has a score" in text(app)


def test_without_a_live_worker_the_page_says_how_to_start_one(opened):
    app = opened("operations")
    assert "No worker is alive." in app.error[0].value
    assert "python -m worker" in app.error[0].value


def test_a_queue_that_workers_cannot_reach_is_named(engine, opened):
    beat(engine, replace(ALIVE, queue_reachable=False))
    app = opened("operations")
    assert "RabbitMQ cannot be reached as a queue." in app.warning[0].value


def test_late_scores_are_said_to_be_late_here_and_on_the_other_pages(engine, opened):
    beat(engine)
    store(engine, drive())
    store(engine, drive(), status="PENDING")
    age(engine, 10)
    assert not opened("operations").warning
    assert "1 trip waits for a score" in text(opened())
    age(engine, 600)
    data.forget()
    app = opened("operations")
    assert "Scores are delayed." in app.warning[0].value
    assert "the oldest for 10 min" in app.warning[0].value
    assert "Scores are delayed." in text(opened())


def test_failed_trips_show_their_reason_and_all_are_tried_again_at_a_click(engine, opened):
    beat(engine)
    for reason in ("No sample is usable.", "The worker died 5 times."):
        store(engine, drive(), status="FAILED", error=reason)
    app = opened("operations")
    assert set(app.dataframe[1].value["error"]) == {"No sample is usable.", "The worker died 5 times."}
    press(app, "Retry all 2")
    assert metrics(app)["Failed"] == "0"
    assert metrics(app)["Waiting"] == "2"
    with connection(engine) as conn:
        assert backlog.read_backlog(conn).failed == 0


def test_a_retry_is_heard_also_where_another_trip_fails_at_that_moment(engine, opened):
    store(engine, drive(), status="FAILED", error="No sample is usable.")
    app = opened("operations")
    store(engine, drive(), status="FAILED", error="No sample is usable.")
    data.forget()
    press(app, "Retry all 1")
    assert metrics(app)["Waiting"] == "2"


def test_the_fit_of_the_ranking_is_told_once_there_is_one(engine, opened):
    assert "Too little driving to learn from" in text(opened("operations"))
    store_fleet(engine)
    data.forget()
    facts = opened("operations").table[0].value
    assert any("points per 100 km" in str(each) for each in facts.to_numpy().ravel())


def test_a_run_that_goes_on_is_shown_and_can_be_cancelled(engine, opened):
    store(engine, drive())
    with connection(engine) as conn:
        version = profiles.insert_profile(conn, replace(DEFAULT_PROFILE, name="Same"), author="Tester", note="")
        run = runs.insert_run(conn, version, asked_by="Tester", activates=True)
    app = opened("operations")
    assert list(app.dataframe[0].value["state"]) == ["running"]
    press(app, "Cancel")
    with connection(engine) as conn:
        assert runs.read_run(conn, run.id).state is runs.RunState.CANCELLED
