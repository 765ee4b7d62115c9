"""A driver's page over a real Postgres."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from dashboard import words
from tests.support.pages import BRAKE, NOW, drive, metrics, store, text

pytestmark = pytest.mark.postgres


def test_a_driver_is_shown_beside_the_fleet(engine, opened):
    driver_id = uuid4()
    store(engine, drive(BRAKE), driver_id)
    store(engine, drive(), driver_id, started_at=NOW - timedelta(days=2))
    store(engine, drive())
    app = opened("driver", driver=str(driver_id))
    assert not app.exception
    shown = metrics(app)
    assert (shown["Score"], shown["Rank"], shown["Distance"]) == ("97.5", words.DASH, "3.3 km")
    assert next(each for each in app.metric if each.label == "Distance").delta == "2 trips"
    assert list(app.dataframe[0].value["safety_score"]) == [95, 100]


@pytest.mark.parametrize("address", ["nonsense", str(UUID(int=7)), "'; DROP TABLE telemetry.trip_logs; --"])
def test_an_unknown_driver_is_said_to_be_unknown(engine, opened, address):
    store(engine, drive())
    app = opened("driver", driver=address)
    assert not app.exception
    assert "No such driver" in text(app)


def test_a_driver_without_trips_in_the_period_says_so(engine, opened):
    driver_id = uuid4()
    store(engine, drive(), driver_id, started_at=NOW - timedelta(days=100))
    assert "No trips in the last 28 days" in text(opened("driver", driver=str(driver_id)))


def test_a_driver_whose_only_trip_failed_still_shows_it(engine, opened):
    driver_id = uuid4()
    store(engine, drive(), driver_id, status="FAILED", error="No sample is usable.")
    app = opened("driver", driver=str(driver_id))
    assert not app.exception
    assert list(app.dataframe[0].value["status"]) == ["failed"]
