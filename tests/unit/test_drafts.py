"""A draft as an address and in words, the lines of the slope chart, and what else tuning works out without a page."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import drafts, drawing, run_view, slopes, slopes_picture
from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule, ScoringProfile
from tests.support.runs import make_run

THRESHOLDS = st.integers(15, 200).map(lambda hundredths: hundredths / 100)
RULES = st.fixed_dictionaries(
    {
        kind: st.tuples(
            THRESHOLDS if kind is not EventKind.SPEEDING else st.integers(80, 250).map(float), st.integers(0, 100)
        )
        for kind in EventKind
    }
)


def with_rule(kind: EventKind, rule: Rule, profile: ScoringProfile = DEFAULT_PROFILE) -> ScoringProfile:
    return replace(profile, rules=MappingProxyType({**profile.rules, kind: rule}))


@given(RULES)
def test_every_draft_comes_back_from_its_address(values):
    draft = drafts.with_rules(DEFAULT_PROFILE, values)
    assert drafts.from_address(drafts.to_address(draft), DEFAULT_PROFILE) == draft


@given(st.text(max_size=60) | st.from_regex(r"[0-9xna.e_+-]{0,40}"))
def test_any_address_gives_a_profile_that_means_something(text):
    drafts.from_address(text, DEFAULT_PROFILE).check()


@pytest.mark.parametrize(
    "text", [None, "", "x", "9x9_9x9_9x9_9x9", "0.4x5", "nanx1_0.4x5_0.45x0_130x0", "0.4x5.5_" * 4]
)
def test_an_address_that_means_nothing_is_no_draft(text):
    assert drafts.from_address(text, DEFAULT_PROFILE) == DEFAULT_PROFILE


def test_a_draft_keeps_caps_and_the_rules_of_vehicle_classes():
    active = with_rule(EventKind.BRAKING, Rule(0.4, 5, cap=30))
    active = replace(active, class_rules=MappingProxyType({"heavy": DEFAULT_PROFILE.rules}))
    draft = drafts.from_address("0.36x5_0.4x5_0.45x0_130x0", active)
    assert draft.rules[EventKind.BRAKING] == Rule(0.36, 5, cap=30)
    assert draft.class_rules == active.class_rules


def test_differences_name_each_value_that_changed_with_its_unit():
    other = with_rule(EventKind.BRAKING, Rule(0.36, 6))
    other = with_rule(EventKind.SPEEDING, Rule(120.0, 1, cap=10), other)
    other = replace(other, class_rules={"heavy": DEFAULT_PROFILE.rules}, counts_doubtful=True, minimum_km=50.0)
    assert drafts.differences(DEFAULT_PROFILE, other) == [
        "braking 0.40 g → 0.36 g",
        "braking 5 → 6 points",
        "speeding 130 km/h → 120 km/h",
        "speeding 0 → 1 point",
        "speeding at most any → 10 points a trip",
        "rules for heavy",
        "doubtful events count",
        "ranked from 0 → 50 km",
    ]
    assert drafts.differences(other, other) == []


def moves(count: int, movers: int) -> pd.DataFrame:
    """So many drivers, the first of whom move: half of them by more than noise."""
    move = np.where(np.arange(count) < movers, np.arange(count) % 5 + 1, 0)
    return pd.DataFrame(
        {
            "driver_id": [str(each) for each in range(count)],
            "driver": [f"Driver {each:03d}" for each in range(count)],
            "before": np.arange(count) + 1,
            "after": np.arange(count)[::-1] + 1,
            "move": move,
            "flagged": (np.arange(count) % 2 == 0) & (move != 0),
            "points_before": np.ones(count),
            "points_after": np.ones(count),
        }
    )


def test_a_small_fleet_is_shown_whole_and_each_row_is_taken_once():
    laid_out = slopes.lay_out(moves(12, 4))
    assert len(laid_out.shown) == laid_out.all_drivers == 12
    assert sorted(laid_out.shown["row_before"]) == sorted(laid_out.shown["row_after"]) == list(range(12))
    assert list(laid_out.shown.sort_values("row_before")["before"]) == list(range(1, 13))


def test_of_a_large_fleet_only_movers_are_shown_and_the_sure_ones_come_first():
    laid_out = slopes.lay_out(moves(500, 200))
    assert (len(laid_out.shown), laid_out.all_drivers, laid_out.movers) == (40, 500, 200)
    assert laid_out.shown["flagged"].all()
    assert (laid_out.shown["move"].abs() >= 3).all()
    assert slopes.lay_out(moves(500, 0)).shown.empty


def test_a_slope_chart_has_a_line_a_driver_and_says_the_move_beside_the_name():
    laid_out = slopes.lay_out(moves(6, 3))
    lines = slopes_picture.lines_svg(laid_out.shown.to_dict("records"), row_px=20, height=120)
    first = laid_out.shown.iloc[0]
    begin, end = (20 * first[side] + 10 for side in ("row_before", "row_after"))
    assert len(lines) == 6
    assert lines[0].get("d") == f"M0 {begin}C50 {begin} 50 {end} 100 {end}"
    picture = slopes_picture.draw(laid_out, ("profile 1", "draft"), "In words")
    assert picture.get("aria-label") == "In words"
    before, after = ([text.text or "" for text in side] for side in (picture[0], picture[2]))
    assert (before[0], after[0], len(before), len(after)) == ("profile 1", "draft", 7, 7)
    assert sum("+" in each for each in after) == 3
    assert not any("+0" in each for each in after)


def test_a_sure_move_is_bold_and_one_to_fewer_points_green():
    laid_out = slopes.lay_out(moves(6, 3))
    picture = slopes_picture.draw(laid_out, ("profile 1", "draft"), "")
    bold = [row.text or "" for row in picture[2][1:] if "font-weight:600" in row.get("style", "")]
    lines = unquote(picture[1].get("src", ""))
    assert len(bold) == laid_out.shown["flagged"].sum() == 2
    assert lines.count(drawing.GOOD) == 2
    assert lines.rindex(drawing.GOOD) > lines.rindex(drawing.GREY), "sure moves lie above the others"


def test_what_a_driver_is_called_stays_text():
    frame = moves(2, 2).assign(driver="<img src=x onerror=alert(1)>")
    picture = slopes_picture.draw(slopes.lay_out(frame), ("profile 1", "draft"), "</div><b>")
    text = ET.tostring(picture, encoding="unicode", short_empty_elements=False)
    assert text.count("<img") == 1, "only the lines"
    assert "<b>" not in text


def test_the_time_left_of_a_run_follows_its_pace_and_is_not_guessed_too_early():
    run = make_run(total_trips=1000, done_trips=250)
    assert run_view.time_left_s(run, 10.0) == pytest.approx(30)
    assert run_view.describe(run, 10.0) == "Applying profile 2: 250 of 1,000 trips, about 30 s left"
    assert run_view.time_left_s(run, 0.5) is None
    assert run_view.time_left_s(make_run(total_trips=1000, done_trips=0), 60.0) is None
