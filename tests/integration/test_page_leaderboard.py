"""The leaderboard over a real Postgres."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

from fleetflow.storage import roster
from fleetflow.storage.database import connection
from tests.support.pages import BRAKE, NOW, SURGE, drive, store, store_days, store_fleet, text

pytestmark = pytest.mark.postgres


def short_name(driver_id) -> str:
    return f"Driver {str(driver_id)[:8]}"


def test_drivers_without_enough_driving_are_listed_apart_without_a_rank(engine, opened):
    careful, nameless = uuid4(), uuid4()
    with connection(engine) as conn:
        roster.upsert_driver(conn, careful, name="Simulated Ann Other")
    store(engine, drive(), careful)
    store(engine, drive(BRAKE, SURGE), nameless)
    app = opened("leaderboard")
    assert not app.exception
    assert "Nobody has a rank yet" in text(app)
    assert "Not enough driving (2)" in text(app)
    table = app.dataframe[0].value.set_index("name")
    assert set(table.index) == {"Simulated Ann Other", short_name(nameless)}
    assert table.loc[short_name(nameless), "events"] == 2
    assert "times in Europe/Berlin" in text(app)


def test_ranked_drivers_come_the_worst_first_with_their_likely_ranks(engine, opened):
    drivers = store_fleet(engine)
    app = opened("leaderboard")
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["name"].iloc[[0, -1]]) == [short_name(drivers["rough"]), short_name(drivers["calm"])]
    assert list(table["rank"]) == [1, 2, 2, 4]
    assert table["likely"].iloc[0] == "1"
    assert table["points"].is_monotonic_decreasing
    assert list(table["verdict"]) == ["clearly above", "", "", "clearly below"]
    assert table["braking_estimated"].is_monotonic_decreasing
    assert 2.2 < table["braking_estimated"].iloc[0] <= 2.5  # as counted it is 2.5
    assert all(len(each) == 8 for each in table["trend"])


def test_equals_are_read_as_equals_and_sort_as_numbers(engine, opened):
    store_fleet(engine)
    sent = opened("leaderboard").dataframe[0]
    read = convert_arrow_bytes_to_pandas_df(sent.proto.arrow_data.styler.display_values)
    assert list(read.iloc[:, list(sent.value.columns).index("rank")]) == ["1", "=2", "=2", "4"]
    assert sent.value["rank"].dtype.kind == "i"


def test_the_picture_of_an_interval_has_an_address_that_says_its_numbers(engine, opened):
    store_fleet(engine)
    first = opened("leaderboard").dataframe[0].value.iloc[0]
    assert first["interval"].startswith(f"/draw/interval.svg?{first['points']:.1f} from ")
    assert first["interval"].endswith("clearly above")


def test_an_unusable_trip_never_reaches_the_ranking(engine, opened):
    drivers = store_fleet(engine)
    with connection(engine) as conn:
        values = {"id": drivers["rough"]}
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET quality = 'unusable' WHERE driver_id = %(id)s", values)
    ranked, others = (each.value.set_index("name") for each in opened("leaderboard").dataframe)
    assert short_name(drivers["rough"]) not in ranked.index
    assert others.loc[short_name(drivers["rough"]), "needed"] == "signals unusable"
    assert len(ranked) == 3


def test_a_driver_is_shown_beside_his_own_period_before(engine, opened):
    drivers = store_fleet(engine)
    before = {driver_id: 2 for name, driver_id in drivers.items() if name != "same"}
    store_days(engine, before, first_back=29)
    table = opened("leaderboard").dataframe[0].value.set_index("name")
    assert table.loc[short_name(drivers["rough"]), "change"].startswith("worse")
    assert table.loc[short_name(drivers["calm"]), "change"].startswith("improved")
    assert table.loc[short_name(drivers["same"]), "change"] == ""
    assert table["before"].isna().sum() == 1


@pytest.mark.parametrize(
    ("address", "left"),
    [
        ({"find": "ROUGH"}, ["Simulated Rough"]),
        ({"show": "below"}, ["Simulated Calm"]),
        ({"km": "1000"}, ["Simulated Rough", "Simulated Calm"]),
        ({"km": "7", "show": "sideways"}, ["Simulated Rough", "Simulated Calm"]),
    ],
)
def test_filters_come_from_the_address(engine, opened, address, left):
    drivers = store_fleet(engine)
    with connection(engine) as conn:
        for name in ("rough", "calm"):
            roster.upsert_driver(conn, drivers[name], name=f"Simulated {name.capitalize()}")
    app = opened("leaderboard", **address)
    assert not app.exception
    names = [name for name in app.dataframe[0].value["name"] if name.startswith("Simulated")]
    assert names == left


def test_a_search_that_finds_nobody_can_be_cleared(engine, opened):
    store_fleet(engine)
    app = opened("leaderboard", find="nobody")
    assert "No driver matches" in text(app)
    next(each for each in app.button if each.label == "Clear the filters").click().run()
    assert len(app.dataframe[0].value) == 4
    assert "find" not in app.query_params


def test_two_drivers_in_the_address_are_compared_in_a_sentence(engine, opened):
    drivers = store_fleet(engine)
    app = opened("leaderboard", compare=f"{drivers['calm']},{drivers['rough']}")
    assert not app.exception
    sentence = f"certain that {short_name(drivers['rough'])} collects more points per 100 km than"
    assert f"It is **>99 %** {sentence}" in text(app)
    assert "Enough to act on." in text(app)
    alike = opened("leaderboard", compare=f"{drivers['same']},{drivers['middle']}")
    assert "It is **50 %** certain" in text(alike)
    assert "Not enough to tell them apart" in text(alike)
    assert not opened("leaderboard", compare="nonsense,';--").exception


def test_the_chart_shows_the_same_drivers(engine, opened):
    store_fleet(engine)
    app = opened("leaderboard", view="chart")
    assert not app.exception
    assert len(app.get("plotly_chart")) == 1
    assert not app.dataframe


def test_who_drove_only_before_the_period_is_not_on_it(engine, opened):
    store(engine, drive(), started_at=NOW - timedelta(days=40))
    assert "No scored trips in the last 28 days" in text(opened("leaderboard"))


def set_bands(engine, kilometres) -> None:
    """On what roads each driver's trips were, in kilometres by speed band."""
    with connection(engine) as conn:
        for driver_id, bands in kilometres.items():
            values = {"id": driver_id, "bands": list(bands)}
            conn.exec_driver_sql(
                "UPDATE telemetry.trip_logs SET band_km = %(bands)s::float8[] WHERE driver_id = %(id)s", values
            )


def test_on_equal_roads_a_driver_is_held_to_what_the_fleet_collects_where_he_drives(engine, opened):
    drivers = store_fleet(engine)
    motorway, country = (40.0, 20.0, 180.0), (0.0, 240.0, 0.0)
    roads = {name: country if name == "rough" else motorway for name in drivers}
    set_bands(engine, {drivers[name]: bands for name, bands in roads.items()})
    driven = opened("leaderboard").dataframe[0].value.set_index("name")
    app = opened("leaderboard", roads="equal")
    assert not app.exception
    assert "town and motorway drivers compare" in text(app)
    equal = app.dataframe[0].value.set_index("name")
    rough, middle = short_name(drivers["rough"]), short_name(drivers["middle"])
    assert equal.loc[rough, "points"] < driven.loc[rough, "points"]
    assert equal.loc[middle, "points"] > driven.loc[middle, "points"]
    assert f"{middle}" in text(app) or "Nobody moved" in text(app)


def test_nothing_changes_on_equal_roads_where_nobody_knows_the_roads(engine, opened):
    store_fleet(engine)
    with connection(engine) as conn:
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET band_km = NULL")
    driven, equal = (opened("leaderboard", **address) for address in ({}, {"roads": "equal"}))
    assert equal.dataframe[0].value["points"].tolist() == driven.dataframe[0].value["points"].tolist()
    assert "Nobody moved beyond his likely ranks." in text(equal)
