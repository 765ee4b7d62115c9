"""The driver page's pure parts: hours and weeks of a driver, two periods side by side, why a figure changed, charts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import changing, driver_charts, driver_view, habit_charts, hours, look, movements, weeks
from dashboard.changing import Explanation, Report
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule

CUT = datetime(2026, 10, 1, tzinfo=UTC)
MONDAY = (date(2026, 9, 7) - date(1970, 1, 1)).days
STRICT = replace(
    DEFAULT_PROFILE, rules=MappingProxyType({**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.36, 6, cap=12)})
)


def days(**points_by_driver: list[float]) -> pd.DataFrame:
    """A hundred kilometres and two trips a day from a Monday on, with so many points."""
    rows = [
        {
            "driver_id": driver, "day": MONDAY + number, "points": cost, "event_costs": 5.0 * cost,
            "distance_km": 100.0, "hours": 2.0, "trips": 2,
            "mean_score": 100 - cost / 2, "braking": cost / 5, "acceleration": 0.0, "cornering": 0.0, "speeding": 0.0,
        }
        for driver, costs in points_by_driver.items()
        for number, cost in enumerate(costs)
    ]  # fmt: skip
    return pd.DataFrame(rows)


FLEET = days(calm=[0, 5] * 7, middle=[5, 10] * 7, rough=[20, 30] * 7)


def trips(*rows: tuple[datetime, float, float]) -> pd.DataFrame:
    """Trips by when they began, seconds and kilometres."""
    frame = pd.DataFrame(rows, columns=["began_at", "duration_s", "distance_km"])
    frame["began_at"] = frame["began_at"].astype("datetime64[us, UTC]")
    bands = {"town_km": 0.5, "country_km": 0.3, "motorway_km": 0.2}
    shares = {name: share * frame["distance_km"] for name, share in bands.items()}
    return frame.assign(started_at=frame["began_at"], trip_id=[str(n) for n in range(len(frame))], **shares)


def events(*rows: tuple[datetime, str, float, float], **more: list[object]) -> pd.DataFrame:
    """Events by the beginning of their trip, kind, peak and speed, reviewed by nobody unless told."""
    frame = pd.DataFrame(rows, columns=["began_at", "kind", "peak", "speed_kmh"])
    frame["began_at"] = frame["began_at"].astype("datetime64[us, UTC]")
    nobody = pd.Series([None] * len(frame), dtype=object)
    plain = {"review": nobody, "review_then": nobody, "vehicle_class": nobody, "doubtful": False}
    frame = frame.assign(trip_id=[str(n // 2) for n in range(len(frame))], **plain)
    return frame.assign(**{name: pd.Series(values, dtype=object) for name, values in more.items()})


TRIPS = st.lists(
    st.tuples(
        st.floats(0, 5000).map(lambda hour: CUT + timedelta(hours=hour)),
        st.floats(0, 30_000),
        st.floats(0, 500),
    ),
    max_size=20,
)


@settings(max_examples=25)
@given(TRIPS, st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]))
def test_no_kilometre_is_lost_between_the_hours(rows, zone):
    table = hours.distance_km(trips(*rows), zone)
    assert table.sum() == pytest.approx(sum(km for _, _, km in rows), rel=1e-5, abs=1e-5)
    assert (table >= 0).all()


def test_a_trip_over_the_hour_is_shared_between_both_in_local_time():
    tuesday = datetime(2026, 11, 17, 6, 45, tzinfo=UTC)  # 7:45 in Berlin
    table = hours.distance_km(trips((tuesday, 3600, 40.0)), "Europe/Berlin")
    assert table[1, 7] == pytest.approx(10)
    assert table[1, 8] == pytest.approx(30)
    counts = hours.event_counts(pd.Series([tuesday, pd.NaT], dtype="datetime64[us, UTC]"), "Europe/Berlin")
    assert counts[1, 7] == counts.sum() == 1


def test_a_week_is_estimated_as_the_leaderboard_would_that_week_alone():
    found = weeks.by_week(FLEET, DEFAULT_PROFILE)
    second = FLEET[FLEET["day"] >= MONDAY + 7]
    alone = movements.figures(second, DEFAULT_PROFILE)
    week = pd.Timestamp("2026-09-14")
    for driver in ("calm", "middle", "rough"):
        row = found[(found["driver_id"] == driver) & (found["week"] == week)].iloc[0].to_dict()
        assert row["points"] == pytest.approx(alone.loc[driver, "mean"])
        assert row["points_low"] < row["points"] < row["points_high"]
    assert list(weeks.of_fleet(found, "points")["week"]) == [pd.Timestamp("2026-09-07"), week]


def test_a_weeks_score_has_an_interval_once_the_days_tell_how_much_they_differ():
    many, few = weeks.by_week(FLEET, DEFAULT_PROFILE), weeks.by_week(days(one=[5, 5, 10]), DEFAULT_PROFILE)
    rough = many[many["driver_id"] == "rough"].iloc[0]
    assert rough["score_low"] < rough["score"] < rough["score_high"]
    assert few["score"].tolist() == [pytest.approx(100 - 20 / 6)]
    assert few["score_low"].isna().all()
    assert weeks.by_week(FLEET[:0], DEFAULT_PROFILE).empty


def test_two_periods_of_a_driver_are_compared_beyond_the_fleets_change():
    later = FLEET.assign(day=FLEET["day"] + 28)
    better = later.assign(points=later["points"].where(later["driver_id"] != "rough", later["points"] / 10))
    same, fell = movements.compare(FLEET, later, DEFAULT_PROFILE), movements.compare(FLEET, better, DEFAULT_PROFILE)
    assert same["fell"].to_numpy() == pytest.approx([0.5, 0.5, 0.5], abs=0.1)
    assert fell["fell"]["rough"] > 0.95
    assert movements.change_words(movements.row_of(fell, "rough")).endswith("likely better")
    assert movements.change_words(movements.row_of(same, "nobody")) == "Not enough driving to compare"
    alone = movements.compare(FLEET, later[later["driver_id"] != "rough"], DEFAULT_PROFILE)
    assert movements.change_words(movements.row_of(alone, "rough")) == "Not enough driving to compare"


@pytest.mark.parametrize(("chance", "said"), [(0.0001, "<1 %"), (0.76, "76 %"), (0.9999, ">99 %")])
def test_no_probability_is_said_to_be_certain(chance, said):
    assert movements.percent(chance) == said


def test_the_days_around_a_talk_leave_its_own_day_out():
    before, after = movements.around(date(2026, 11, 13), "Europe/Berlin")
    assert before.until == datetime(2026, 11, 12, 23, tzinfo=UTC)
    assert after.since == datetime(2026, 11, 13, 23, tzinfo=UTC)
    assert (before.since, after.until) == (
        datetime(2026, 10, 15, 22, tzinfo=UTC), datetime(2026, 12, 11, 23, tzinfo=UTC)
    )  # fmt: skip


REVIEWS = st.sampled_from([None, "confirmed", "false"])
SOME_EVENTS = st.lists(
    st.tuples(
        st.integers(-20, 20).map(lambda day: CUT + timedelta(days=day)),
        st.sampled_from(["braking", "acceleration", "cornering"]),
        st.floats(0.3, 0.9),
        st.floats(10, 120),
        REVIEWS,
        REVIEWS,
    ),
    max_size=30,
)
DRIVEN = trips((CUT - timedelta(days=9), 7200, 150.0), (CUT + timedelta(days=9), 7200, 240.0))


@settings(max_examples=25)
@given(SOME_EVENTS, st.floats(0, 40), st.floats(0, 40), st.floats(0, 1))
def test_the_parts_of_a_change_add_up_to_the_tenth_whatever_happened(rows, figure, now, own_share):
    found = events(*(row[:4] for row in rows), review=[row[4] for row in rows], review_then=[row[5] for row in rows])
    before, after = Report(DEFAULT_PROFILE, 150.0, figure), Report(STRICT, 240.0, now)
    explained = changing.explain(found, DRIVEN, CUT, before, after, own_share=own_share)
    assert explained is not None
    assert explained.before + sum(explained.parts.values()) == explained.after == round(now * 10)


def report(figure: float, km: float, profile=DEFAULT_PROFILE) -> Report:
    return Report(profile, km, figure)


def test_an_event_that_was_dismissed_since_is_the_reviews_merit_and_not_the_drivers():
    early = CUT - timedelta(days=9)
    found = events((early, "braking", 0.5, 20.0), (early, "braking", 0.5, 20.0), review=["false", None])
    explained = changing.explain(found, DRIVEN, CUT, report(10 / 3, 150.0), report(0.0, 240.0), own_share=1.0)
    assert explained is not None
    assert explained.before == 67  # two events in 150 km, as they counted then
    assert explained.parts["Reviews"] < 0
    assert explained.parts["Profile"] == 0


def test_another_threshold_is_the_profiles_doing():
    late = CUT + timedelta(days=9)
    found = events((CUT - timedelta(days=9), "braking", 0.5, 20.0), (late, "braking", 0.37, 20.0))
    explained = changing.explain(found, DRIVEN, CUT, report(3.3, 150.0), report(2.5, 240.0, STRICT), own_share=1.0)
    assert explained is not None
    assert explained.parts["Profile"] > 0
    assert explained.parts["Reviews"] == 0


def test_without_driving_in_both_periods_nothing_is_explained():
    assert changing.explain(events(), DRIVEN, CUT, report(1, 0.0), report(1, 240.0), own_share=1.0) is None


def test_the_cap_of_a_trip_is_shared_among_its_events():
    three = events(*[(CUT, "braking", 0.5, 20.0)] * 3).assign(trip_id="1")
    assert changing.event_points(three, STRICT) == pytest.approx([4, 4, 4])
    assert changing.event_points(three.assign(doubtful=True), STRICT) == pytest.approx([0, 0, 0])


def test_the_waterfall_leads_from_before_to_now():
    figure = driver_charts.waterfall(Explanation(181, {"Driving": -75, "Pull to fleet": 8}, 114))
    bar = figure.data[0]
    assert list(bar.x) == pytest.approx([18.1, 7.5, 0.8, 11.4])
    assert list(bar.base) == pytest.approx([0, 10.6, 10.6, 0])
    assert "−7.5" in bar.text[1]  # noqa: RUF001 - a real minus


def test_each_week_stands_on_its_interval_and_coaching_is_marked():
    found = weeks.by_week(FLEET, DEFAULT_PROFILE)
    mine = found[found["driver_id"] == "rough"]
    figure = driver_charts.by_week(mine, weeks.of_fleet(found, "points"), "points", [date(2026, 9, 10)])
    bars, dots = figure.data[2], figure.data[3]
    assert list(bars.base) == pytest.approx(list(mine["points_low"]))
    assert list(np.add(bars.base, bars.y)) == pytest.approx(list(mine["points_high"]))
    assert list(dots.y) == pytest.approx(list(mine["points"]))
    assert [note.text for note in figure.layout.annotations] == ["⚑ coached"]


def test_a_strip_shows_each_event_at_its_multiple_and_says_the_rates():
    shown = pd.DataFrame(
        {"kind": ["braking", "braking"], "multiple": [1.4, 0.8], "harsh": [True, False], "said": ["a", "b"]}
    )
    figure = habit_charts.severity(shown, dict.fromkeys(EventKind, (2.0, 1.0)), {EventKind.BRAKING: 1.2})
    below, harsh, medians = figure.data
    assert (list(below.x), list(harsh.x), list(medians.x)) == ([0.8], [1.4], [1.2])
    assert list(harsh.marker.color) == [look.KINDS[EventKind.BRAKING].color]
    assert all("fleet 1.00 · 2.0" in note.text for note in figure.layout.annotations)


def test_an_hour_with_little_driving_has_no_colour():
    driven, counts = np.zeros((7, 24)), np.zeros((7, 24))
    driven[0, 8], driven[0, 9], counts[0, 8], counts[0, 9] = 50.0, 5.0, 2.0, 1.0
    heat = habit_charts.hours(driven, counts).data[0]
    assert heat.z[0][8] == pytest.approx(4)
    assert np.isnan(heat.z[0][9])


def test_before_is_hollow_and_after_is_solid():
    row = dict(
        zip(
            ["mean_before", "low_before", "high_before", "mean_after", "low_after", "high_after"], range(6), strict=True
        )
    )
    bars, dots = driver_charts.before_after(row, 5.0).data
    assert (list(bars.base), list(np.add(bars.base, bars.x)), list(dots.x)) == ([1, 4], [2, 5], [0, 3])
    assert list(dots.marker.color) == [look.PAGE, look.ACCENT]


def test_the_next_driver_is_the_next_on_the_leaderboard_and_those_not_on_it_come_last():
    names = {"a": "Ann", "b": "Bob", "c": "Cid"}
    ranking = pd.DataFrame({"driver_id": ["c", "a"]})
    assert driver_view.neighbours(ranking, names, "c") == (None, "a")
    assert driver_view.neighbours(ranking, names, "a") == ("c", "b")
    assert driver_view.neighbours(ranking, names, "b") == ("a", None)
