"""Standings from driven days: the period, the one before, trends; and the fleet's key figures."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import changes, key_figures
from dashboard.periods import TREND_DAYS, period_of
from dashboard.ranking import on_equal_roads
from dashboard.standings import ESTIMATED, RATES, TREND_PRIOR_KM, WEEKS, beyond_likely_ranks, stand
from fleetflow.safety.profiles import DEFAULT_PROFILE

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
PERIOD = period_of(28, "UTC", NOW)
FIRST = PERIOD.first_day


def driven(rows: dict[str, tuple[float, float]], *, km: float = 50.0) -> pd.DataFrame:
    """Days of 50 km by driver: how many brakes a day before and in the period."""
    frames = [
        days_of(driver, range(FIRST - 28, FIRST), before, km) for driver, (before, _) in rows.items() if before >= 0
    ]
    frames += [days_of(driver, range(FIRST, FIRST + 28), now, km) for driver, (_, now) in rows.items() if now >= 0]
    return pd.concat(frames, ignore_index=True)


def days_of(driver: str, days: range, brakes: float, km: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "driver_id": driver, "day": list(days), "points": 5.0 * brakes, "event_costs": 25.0 * brakes,
            "distance_km": km, "hours": km / 50,
            "trips": 2, "mean_score": 100 - 2.5 * brakes, "braking": float(brakes), "acceleration": 0.0,
            "cornering": 0.0, "speeding": 0.0, "usable": True,
        }
    )  # fmt: skip


FLEET = {"a": (1, 4), "b": (2, 2), "c": (2, 2), "d": (2, 0), "new": (-1, 1), "gone": (1, -1)}


def test_who_drove_in_the_period_has_a_row_with_his_rank_in_the_one_before():
    rows = stand(driven(FLEET), DEFAULT_PROFILE, PERIOD).drivers.set_index("driver_id")
    assert list(rows.index) == ["a", "b", "c", "new", "d"]
    assert list(rows["rank"]) == [1, 2, 2, 4, 5]
    assert list(rows["tied"]) == [False, True, True, False, False]
    assert np.isnan(rows.loc["new", "rank_before"])
    assert rows.loc["a", "rank_before"] == 4
    assert rows["braking_per_100_km"].tolist() == [8.0, 4.0, 4.0, 2.0, 0.0]


def test_a_driver_is_compared_with_himself_beyond_the_change_of_the_fleet():
    found = stand(driven(FLEET), DEFAULT_PROFILE, PERIOD)
    rows = found.drivers.set_index("driver_id")
    assert rows.loc["a", "badge"] == "worse"
    assert rows.loc["d", "badge"] == "improved"
    assert rows.loc["b", "badge"] == "unproven"
    assert (rows["fell"] + rows["rose"]).dropna().to_numpy() == pytest.approx(1.0)
    assert np.isnan(rows.loc["new", "rose"])
    assert found.fleet_ratio == pytest.approx((4 + 2 + 2 + 0 + 1) / 5 / ((1 + 2 + 2 + 2 + 1) / 5))


def test_changes_list_who_rose_above_who_fell_the_surest_outside():
    found = stand(driven(FLEET), DEFAULT_PROFILE, PERIOD)
    rows = changes.most_changed(found.ranked.assign(name=None))
    assert rows["driver_id"].iloc[0] == "a"
    assert rows["driver_id"].iloc[-1] == "d"
    assert rows["label"].iloc[0].startswith("+")
    assert changes.since_before(found.drivers)[-1].startswith("improved")
    assert changes.fleet_sentence(found) == "The fleet as a whole has 12 % more points per 100 km."


def test_all_time_has_no_period_before():
    period = period_of(None, "UTC", NOW)
    found = stand(driven(FLEET), DEFAULT_PROFILE, period)
    assert period.read_since is None
    assert found.before.empty
    assert found.drivers["rose"].isna().all()
    assert changes.fleet_sentence(found) == ""
    assert changes.most_changed(found.ranked.assign(name=None)).empty


def test_a_trend_has_eight_weeks_and_a_week_without_driving_stands_at_the_drivers_mean():
    rows = stand(driven(FLEET), DEFAULT_PROFILE, PERIOD).drivers.set_index("driver_id")
    trends, mean = dict(rows["trend"]), rows["points_per_100_km"]["new"]
    assert {len(each) for each in trends.values()} == {WEEKS}
    assert trends["new"][0] == pytest.approx(mean, abs=0.01)
    assert trends["a"][0] < trends["a"][-1]


def on_two_roads(days: pd.DataFrame) -> pd.DataFrame:
    """Driver a in town, where the fleet collects three times as much as on the motorway, which the others took."""
    days = days.assign(town_km=0.0, country_km=0.0, motorway_km=0.0)
    town = days["driver_id"] == "a"
    days.loc[town, "town_km"], days.loc[~town, "motorway_km"] = 50.0, 50.0
    return on_equal_roads(days, np.array([300.0, 0.0, 100.0]), DEFAULT_PROFILE)


def test_a_trend_counts_kilometres_as_the_ranking_does():
    days = on_two_roads(driven(FLEET))
    weight = dict(zip(days["driver_id"], days["weight"], strict=True))
    rows = stand(days, DEFAULT_PROFILE, PERIOD).drivers.set_index("driver_id")
    for driver, brakes in (("a", 4), ("b", 2)):
        mean, exposure = rows["points_per_100_km"][driver], 3.5 * weight[driver]
        expected = (7 * 5 * brakes + TREND_PRIOR_KM / 100 * mean) / (exposure + TREND_PRIOR_KM / 100)
        assert rows["trend"][driver][-1] == pytest.approx(expected, abs=0.01)


def test_a_trend_has_neither_the_points_nor_the_kilometres_of_a_drive_whose_length_nobody_knows():
    days = driven(FLEET)
    unknown = days_of("a", range(FIRST + 27, FIRST + 28), 40, np.nan)
    found = stand(pd.concat([days, unknown], ignore_index=True), DEFAULT_PROFILE, PERIOD).drivers
    trend = found.set_index("driver_id")["trend"]["a"]
    assert trend[-1] == pytest.approx(trend[-2], abs=0.01)


def test_speeding_is_estimated_by_plain_kilometres_on_equal_roads_too():
    days = driven(FLEET).assign(speeding=1.0)
    plain, equal = (
        stand(each, DEFAULT_PROFILE, PERIOD).drivers.set_index("driver_id") for each in (days, on_two_roads(days))
    )
    assert equal["speeding_estimated"].to_dict() == plain["speeding_estimated"].to_dict()
    assert equal["braking_estimated"]["a"] < plain["braking_estimated"]["a"]


def test_who_drove_nothing_usable_is_listed_and_never_ranked():
    days = driven(FLEET)
    days.loc[days["driver_id"] == "a", "usable"] = False
    rows = stand(days, DEFAULT_PROFILE, PERIOD).drivers.set_index("driver_id")
    assert (rows.loc["a", "rank"], rows.loc["a", "status"], rows.loc["a", "unusable_trips"]) == (0, "unusable", 56)
    assert rows["unusable_trips"].sum() == 56


def test_a_fleet_that_has_not_driven_has_no_standings_and_no_figures():
    nothing = driven(FLEET).iloc[:0]
    found = stand(nothing, DEFAULT_PROFILE, PERIOD)
    assert found.drivers.empty
    assert found.ranked.empty
    assert np.isnan(found.middle)
    assert key_figures.totals(nothing).trips == 0
    assert key_figures.by_day(nothing).empty


def test_a_period_is_followed_back_by_one_of_the_same_length_without_overlap():
    for days in (7, 28, 56):
        period = period_of(days, "Asia/Singapore", NOW)
        marks = pd.DataFrame({"day": range(period.last_day - 2 * days - 3, period.last_day + 1)})
        now, before = period.now(marks)["day"], period.before(marks)["day"]
        assert (len(now), len(before)) == (days, days)
        assert before.max() + 1 == now.min()
        assert period.read_since is not None
        assert (NOW - period.read_since).days >= max(2 * days, TREND_DAYS) - 1


def test_totals_weigh_scores_by_trips_and_rates_by_distance():
    days = pd.concat([days_of("a", range(1), 4, 50.0), days_of("b", range(1), 0, 150.0).assign(trips=6)])
    sums = key_figures.totals(days)
    assert (sums.trips, sums.events, sums.distance_km) == (8, 4, 200)
    assert sums.score == pytest.approx((2 * 90 + 6 * 100) / 8)
    assert sums.rate == pytest.approx(2.0)


def test_days_without_driving_are_days_and_carry_the_last_week():
    days = key_figures.by_day(pd.concat([days_of("a", range(3), 1, 50.0), days_of("a", range(20, 21), 1, 50.0)]))
    assert len(days) == 21
    rates = key_figures.smooth_rates(days)
    assert rates["braking"].iloc[:3].tolist() == [2.0, 2.0, 2.0]
    assert rates["braking"].iloc[12:19].isna().all()
    assert len(key_figures.course_of_ratio(days, "events", "distance_km", 100.0)) == 21


@given(st.floats(1, 1e4), st.floats(1, 1e4), st.floats(1, 5))
def test_a_change_that_is_beyond_chance_stays_so_with_more_events_and_less_bunching(now, before, bunching):
    args = (100.0, before, 100.0)
    if key_figures.is_beyond_chance(now, *args, bunching):
        assert key_figures.is_beyond_chance(now, *args, 1.0)
        assert key_figures.is_beyond_chance(4 * now, 400.0, 4 * before, 400.0, bunching)


def test_nothing_is_beyond_chance_where_nothing_happened():
    assert not key_figures.is_beyond_chance(0, 100, 5, 100, 1.0)
    assert not key_figures.is_beyond_chance(5, 0, 5, 100, 1.0)
    assert key_figures.is_beyond_chance(100, 100, 300, 100, 1.0)


def test_a_kinds_rate_is_estimated_between_the_drivers_own_and_the_fleets():
    rows = stand(driven(FLEET), DEFAULT_PROFILE, PERIOD).drivers
    counted, estimated = (rows[names[0]].to_numpy() for names in (RATES, ESTIMATED))
    assert np.all(np.sign(estimated - counted.mean()) * (estimated - counted) <= 0)
    assert list(np.argsort(-estimated, kind="stable")) == list(np.argsort(-counted, kind="stable"))


def test_equal_roads_weigh_a_kilometre_by_what_the_fleet_collects_there():
    days = driven(FLEET)
    town = days["driver_id"] == "a"
    days.loc[days.index[-1], "usable"] = False
    weighed = on_two_roads(days)
    used = weighed[weighed["usable"]]
    assert used.loc[town, "weight"].min() > 1 > used.loc[~town, "weight"].max()
    assert (used["distance_km"] * used["weight"]).sum() == pytest.approx(used["distance_km"].sum())
    assert weighed["weight"].iloc[-1] == 1.0


def test_who_moves_beyond_his_likely_ranks_is_named():
    rows = {
        "driver_id": ["a", "b", "c", "d"],
        "rank": [1, 2, 3, 0],
        "rank_low": [1, 1, 3, 0],
        "rank_high": [2, 2, 3, 0],
    }
    before = pd.DataFrame(rows)
    after = before.assign(rank=[2, 3, 1, 4])
    assert beyond_likely_ranks(after, before)["driver_id"].tolist() == ["b", "c"]
