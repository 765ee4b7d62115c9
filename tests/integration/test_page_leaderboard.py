"""The leaderboard over a real Postgres."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest

from fleetflow.storage import roster
from fleetflow.storage.database import connection
from tests.support.pages import BRAKE, SURGE, drive, metrics, store, store_fleet, text

pytestmark = pytest.mark.postgres


def test_drivers_without_enough_driving_are_listed_without_a_rank(engine, opened):
    careful = uuid4()
    with connection(engine) as conn:
        roster.upsert_driver(conn, careful, name="Simulated Ann Other")
    store(engine, drive(), careful)
    nameless = uuid4()
    store(engine, drive(BRAKE, SURGE), nameless)
    app = opened()
    assert not app.exception
    table = app.dataframe[0].value.set_index("name")
    assert set(table.index) == {"Simulated Ann Other", f"Driver {str(nameless)[:8]}"}
    assert table["rank"].isna().all()
    assert table["interval"].eq("").all()
    assert table.loc["Simulated Ann Other", "mean_score"] == 100.0
    assert table.loc[f"Driver {str(nameless)[:8]}", "per_100_km"] == 120.0
    assert metrics(app)["Average score"] == "95.0"
    assert metrics(app)["Trips scored"] == "2"
    assert "times in Europe/Berlin" in text(app)
    assert "Nobody has a rank yet" in text(app)


def test_ranked_drivers_come_the_worst_first_with_their_likely_ranks(engine, opened):
    drivers = store_fleet(engine)
    app = opened()
    assert not app.exception
    table = app.dataframe[0].value
    names = {f"Driver {str(each)[:8]}": name for name, each in drivers.items()}
    assert names[table["name"].iloc[0]] == "rough"
    assert names[table["name"].iloc[-1]] == "calm"
    assert list(table["rank"]) == [1, 2, 2, 4]
    assert table["likely"].iloc[0] == "1"
    assert table["points"].is_monotonic_decreasing
    assert table["verdict"].iloc[0] == "clearly above"
    assert table["verdict"].iloc[-1] == "clearly below"
    assert "Riskiest drivers" in text(app)


def test_an_unusable_trip_never_reaches_the_ranking(engine, opened):
    drivers = store_fleet(engine)
    with connection(engine) as conn:
        values = {"id": drivers["rough"]}
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET quality = 'unusable' WHERE driver_id = %(id)s", values)
    table = opened().dataframe[0].value.set_index("name")
    rough = table.loc[f"Driver {str(drivers['rough'])[:8]}"]
    assert np.isnan(rough["rank"])
    assert rough["verdict"] == "cannot be ranked"
    assert table["rank"].notna().sum() == 3
