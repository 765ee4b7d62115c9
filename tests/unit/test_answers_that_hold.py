"""How long answers about a whole fleet hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.data.of_size import HOLDS_S, LONGEST_S, hold_s


@pytest.mark.parametrize(
    ("trips", "seconds"), [(0, 5), (20_000, 5), (30_000, 10), (100_000, 30), (1_000_000, 300), (50_000_000, 300)]
)
def test_the_larger_the_fleet_the_longer_an_answer_holds(trips: int, seconds: int):
    assert hold_s(trips) == seconds


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.sampled_from(HOLDS_S))
def test_answers_hold_no_shorter_in_a_larger_fleet_and_never_longer_than_caches_keep_them(one, other, least_s):
    held = [hold_s(trips, least_s) for trips in sorted((one, other))]
    assert least_s <= held[0] <= held[1] <= LONGEST_S
