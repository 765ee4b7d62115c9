"""Figures of the fleet by their data, and the pictures that the server draws."""

from __future__ import annotations

import asyncio
from datetime import datetime
from xml.etree import ElementTree as ET

import httpx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from dashboard import changes, drawing, fleet_charts, leaderboard_table, look, words
from dashboard.standings import ESTIMATED, stand
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.ranking.pair import compare_pair
from tests.unit.test_standings import FLEET, PERIOD, driven


@pytest.fixture(scope="module")
def found():
    standings = stand(driven(FLEET), DEFAULT_PROFILE, PERIOD)
    drivers = standings.drivers.assign(name=None, group_name=None)
    return drivers, standings.middle


def ends_of(bars) -> np.ndarray:
    return np.asarray(bars.base, dtype=np.float64) + np.asarray(bars.x, dtype=np.float64)


def test_every_ranked_driver_stands_out_once_with_his_interval_and_his_id(found):
    drivers, middle = found
    figure = fleet_charts.stands_out(drivers, middle)
    ids = [row[0] for trace in figure.data if trace.customdata is not None for row in trace.customdata]
    assert sorted(ids) == sorted(drivers["driver_id"])
    worst = next(trace for trace in figure.data if trace.name == "clearly above")
    assert worst.y[0] - worst.error_y.arrayminus[0] == pytest.approx(drivers["low"].iloc[0])
    assert f"middle {middle:.1f}" in {note.text for note in figure.layout.annotations}


def test_intervals_are_drawn_the_worst_on_top_with_ties_and_likely_ranks(found):
    drivers, middle = found
    figure = fleet_charts.intervals(drivers, middle)
    assert figure.layout.yaxis.ticktext[-1].endswith("<b>1</b>")
    assert sum("<b>=2</b>" in text for text in figure.layout.yaxis.ticktext) == 2
    np.testing.assert_allclose(ends_of(figure.data[0]), drivers["high"].to_numpy()[::-1])


def test_changes_run_from_before_to_now(found):
    rows = changes.most_changed(found[0])
    figure = fleet_charts.who_changed(rows)
    np.testing.assert_allclose(ends_of(figure.data[0]), rows["points_per_100_km"].to_numpy()[::-1])
    assert figure.data[2].marker.color[-1] == look.INK
    assert figure.data[2].marker.color[0] == look.GOOD


def test_lines_are_named_at_their_ends_and_the_period_before_is_shaded():
    dates = pd.date_range("2026-10-01", periods=56)
    rates = pd.DataFrame({"date": dates, **dict.fromkeys(look.KIND_COLUMNS, 1.0)})
    figure = fleet_charts.rates_by_kind(rates, [(datetime(2026, 11, 1), "2 Stricter")], dates[28])  # noqa: DTZ001
    assert len(figure.data) == 4
    texts = [note.text for note in figure.layout.annotations]
    assert "2 Stricter" in texts
    assert "period before" in texts
    assert sum(any(each.noun in text for each in look.KINDS.values()) for text in texts) == 4


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.floats(0.1, 10))
def test_names_of_lines_never_overlap_and_keep_their_order(values, apart):
    placed = np.array(fleet_charts.spread(values, apart))
    order = np.argsort(values, kind="stable")
    assert (np.diff(placed[order]) >= apart - 1e-6).all()
    assert placed.min() >= -1e-9


def test_the_densities_of_two_hold_all_of_their_probability():
    pair = compare_pair(np.array([8.0, 12.0]), np.array([0.8, 1.5]))
    np.testing.assert_allclose(np.trapezoid(pair.densities, pair.rate, axis=1), 1.0, atol=0.01)
    swapped = compare_pair(np.array([12.0, 8.0]), np.array([1.5, 0.8]))
    assert pair.first_is_worse == pytest.approx(1 - swapped.first_is_worse)
    assert len(fleet_charts.two_densities(pair, ["A", "B"]).data) == 2


def test_a_pair_has_the_probability_of_the_recipe():
    assert compare_pair(np.array([5.0, 8.0]), np.array([2.0, 5.0])).first_is_worse == pytest.approx(0.7604, abs=1e-4)


def test_the_table_sends_numbers_that_sort_and_an_address_for_every_interval(found):
    drivers, middle = found
    end = leaderboard_table.axis_end(drivers)
    shown = leaderboard_table.ranked_frame(drivers, middle=middle, end=end)
    assert list(shown["rank"]) == [1, 2, 2, 4, 5]
    assert end >= drivers["high"].max()
    assert set(ESTIMATED) < set(shown.columns)
    assert all(drawing.interval_svg(each.split("?", 1)[1]) for each in shown["interval"])


def test_who_needs_more_driving_is_told_how_much():
    rows = pd.DataFrame(
        {
            "driver_id": list("abcd"), "name": None, "group_name": "North", "trips": [1, 9, 3, 0],
            "status": ["not enough driving", "early sign", "not enough driving", "unusable"],
            "km_needed": [41.2, 10.0, np.nan, np.nan], "distance_km": [58.8, 90.0, 5.0, 0.0],
            **dict.fromkeys(look.KIND_COLUMNS, 1.0),
        }
    )  # fmt: skip
    shown = leaderboard_table.unranked_frame(rows)
    assert list(shown["needed"]) == ["about 42.0 km", "about 10.0 km", "a larger fleet", "signals unusable"]
    assert list(shown["sign"]) == ["", "early sign", "", ""]
    assert shown["share"].iloc[0] == pytest.approx(58.8)


@given(st.floats(0, 9e4), st.floats(0, 9e4), st.floats(0, 9e4), st.floats(0, 9e4))
def test_every_interval_has_an_address_that_is_drawn_inside_its_picture(at, low, high, middle):
    address = drawing.interval_address(at, low, high, end=100, middle=middle, verdict="cannot tell")
    picture = drawing.interval_svg(address.removeprefix(f"{drawing.INTERVAL}?"))
    assert picture is not None
    circle = ET.fromstring(picture).find("{http://www.w3.org/2000/svg}circle")  # noqa: S314 - our own
    assert circle is not None
    assert drawing.PAD <= float(circle.attrib["cx"]) <= drawing.WIDTH - drawing.PAD


def get(address: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=drawing.ROUTES))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(address)

    return asyncio.run(ask())


def test_the_server_draws_what_the_address_says():
    answer = get(drawing.interval_address(12.4, 8.1, 17.9, end=40, middle=10.9, verdict="clearly above"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert drawing.STRONG in answer.text


@pytest.mark.parametrize("query", ["", "12", "<script>", "1 from 2 to 3 of 0, middle 1, cannot tell", "9" * 5000])
def test_an_address_that_says_nothing_is_not_found(query):
    assert get(f"{drawing.INTERVAL}?{query}").status_code == 404


@pytest.mark.parametrize(("chance", "said"), [(0.0001, "<1 %"), (0.764, "76 %"), (0.994, "99 %"), (0.9999, ">99 %")])
def test_a_probability_is_never_said_to_be_certain(chance, said):
    assert words.chance(chance) == said
