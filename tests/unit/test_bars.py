"""Bars of HTML: where they stand, what they say, and that the ticks are round."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import look, tuning_charts
from dashboard.bars import INK, Axis, Bars
from fleetflow.safety.events import EventKind
from fleetflow.safety.whatif.compare import Scores
from fleetflow.safety.whatif.peaks import Distribution, edges_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

REACH = (0.15, 0.80)


def boxes(tree: Element, color: str) -> list[Element]:
    return [each for each in tree.iter("div") if f"background:{color}" in each.get("style", "")]


def number(box: Element, name: str) -> float:
    found = re.search(rf"(?:^|;){name}:(-?[\d.e+-]+)%", box.get("style", ""))
    assert found
    return float(found[1])


def braking(*, draft: float) -> tuple[Distribution, Element]:
    edges = edges_of(EventKind.BRAKING)
    found = Distribution(edges, np.arange(len(edges), 0, -1))
    return found, tuning_charts.peaks(EventKind.BRAKING, found, REACH, (0.40, draft), "In words")


@given(st.floats(-1e4, 1e4), st.floats(0.01, 1e4), st.integers(2, 8))
def test_ticks_are_on_the_axis_evenly_apart_and_no_more_than_asked_for(low: float, span: float, most: int):
    ticks = Axis(low, low + span).ticks(most)
    assert len(ticks) <= most + 1
    assert all(low - 1e-3 <= each <= low + span + 1e-3 for each in ticks)
    assert np.ptp(np.diff(ticks)) < 1e-5 if len(ticks) > 2 else True


def test_ticks_are_round_numbers():
    assert Axis(*REACH).ticks(6) == [0.2, 0.4, 0.6, 0.8]
    assert Axis(80, 180).ticks(6) == [80, 100, 120, 140, 160, 180]


def test_a_bar_stands_where_its_values_are_and_says_them():
    plot = Bars("In words", 100, Axis(0, 200), Axis(0, 50))
    plot.bar((50, 100), 20, "#123456", "Twenty")
    (bar,) = boxes(plot.tree, "#123456")
    assert [number(bar, name) for name in ("left", "width", "bottom", "height")] == [25, 25, 0, 40]
    assert bar.get("title") == "Twenty"
    assert plot.tree.get("aria-label") == "In words"


def test_what_the_draft_counts_has_the_colour_of_its_kind_and_the_rest_is_ink():
    found, tree = braking(draft=0.35)
    harsh = boxes(tree, look.KINDS[EventKind.BRAKING].picture)
    calm = boxes(tree, INK)
    shown = (found.edges >= REACH[0]) & (found.edges < REACH[1] - 1e-9)
    assert len(harsh) == np.count_nonzero(shown & (found.edges >= 0.35 - 1e-9))
    assert len(calm) == np.count_nonzero(shown) - len(harsh)
    assert min(number(each, "left") for each in harsh) == pytest.approx(100 * 0.20 / 0.65, abs=0.01)
    assert harsh[0].get("title") == f"0.35 to 0.36 g: {found.counts[np.argmin(abs(found.edges - 0.35))]} events"


def test_the_active_threshold_is_dashed_and_the_drafts_solid():
    _, tree = braking(draft=0.35)
    lines = [each for each in tree.iter("div") if "border-left" in each.get("style", "")]
    at = {how: number(each, "left") for each in lines for how in ("dashed", "solid") if how in each.get("style", "")}
    assert at == {
        "dashed": pytest.approx(100 * 0.25 / 0.65, abs=0.01),
        "solid": pytest.approx(100 * 0.2 / 0.65, abs=0.01),
    }


def test_shares_of_scores_add_up_to_all_trips():
    histogram = np.zeros(101, dtype=np.int64)
    histogram[[0, 60, 97, 98, 100]] = [1, 2, 3, 4, 10]
    tree = tuning_charts.scores(Scores(histogram, 90.0), Scores(histogram, 90.0), "")
    said = [each.get("title", "") for each in tree.iter("div") if each.get("title", "").startswith("Score ")]
    shares = [float(share) for each in said for share in re.findall(r"draft ([\d.]+) %", each)]
    assert sum(shares) == pytest.approx(100)
    assert said[-1] == "Score 98 to 100: draft 70.0 %, now 70.0 %"


def test_a_fleet_without_trips_has_bars_of_no_height():
    nothing = Scores(np.zeros(101, dtype=np.int64), 0.0)
    ET.tostring(tuning_charts.scores(nothing, nothing, ""))
    empty = Distribution(edges_of(EventKind.SPEEDING), np.zeros(len(edges_of(EventKind.SPEEDING)), dtype=np.int64))
    tree = tuning_charts.peaks(EventKind.SPEEDING, empty, (80.0, 180.0), (130.0, 130.0), "")
    assert not boxes(tree, INK)
