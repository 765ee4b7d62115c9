"""The page that opens first, over a real Postgres."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.pages import NOW, drive, metrics, store, text

pytestmark = pytest.mark.postgres


def test_the_period_comes_from_the_address_and_an_unknown_one_is_the_usual(engine, opened):
    store(engine, drive(), started_at=NOW - timedelta(days=10))
    assert metrics(opened(period="28"))["Trips scored"] == "1"
    assert "No scored trips in the last 7 days" in text(opened(period="7"))
    assert metrics(opened(period="nonsense"))["Trips scored"] == "1"


def test_an_empty_period_offers_all_time(engine, opened):
    store(engine, drive(), started_at=NOW - timedelta(days=400))
    app = opened()
    assert "No scored trips in the last 28 days" in text(app)
    app.button[0].click().run()
    assert metrics(app)["Trips scored"] == "1"
    assert app.query_params["period"] == "all"


def test_waiting_trips_are_announced(engine, opened):
    store(engine, drive())
    store(engine, drive(), status="PENDING")
    assert "1 trip waits for a score" in text(opened())
