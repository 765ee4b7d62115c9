"""Moves under another profile: what is a different severity of driving, and what is luck."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.safety.ranking.fit import fit
from fleetflow.safety.whatif.mix import (
    KAPPA,
    SURE,
    Cells,
    Moves,
    cells_of,
    kappa_weights,
    moves,
    p_keeps_less,
)

KEPT, LOST = 0, 1
SHARE_KEPT = 0.55  # of events above 0.35 g, how many are above 0.40 g in the published example


def fleet(random: np.random.Generator, drivers: int, kept: np.ndarray | float) -> tuple[Cells, np.ndarray]:
    """Two cells, 5 points an event: kept under the stricter profile or lost; and the exposure in 100 km."""
    exposure = np.exp(random.uniform(np.log(0.05), np.log(30), drivers))
    events = random.poisson(random.gamma(1 / 0.7**2, 4 * 0.7**2, drivers) * exposure)
    above = random.binomial(events, kept)
    counts = np.column_stack([above, events - above]).astype(np.float64)
    return Cells(counts, np.array([5.0, 5.0]), np.array([5.0, 0.0])), exposure


def judged(cells: Cells, exposure: np.ndarray) -> Moves:
    rates = fit(cells.counts.sum(axis=1), exposure, psi=1.0)
    return moves(cells, rates.alpha, rates.beta)


@pytest.mark.parametrize("seed", range(5))
def test_luck_with_a_threshold_is_never_sold_as_a_move(seed: int):
    cells, exposure = fleet(np.random.default_rng(seed), 40, SHARE_KEPT)
    found = judged(cells, exposure)
    assert not found.flagged.any()
    observed = np.argsort(np.argsort(-cells.counts[:, KEPT] / exposure)) - np.argsort(
        np.argsort(-cells.counts.sum(axis=1) / exposure)
    )
    assert np.mean(observed != 0) > 0.5, "the raw order does move"
    assert np.abs(found.expected).mean() < np.abs(observed).mean() / 2


def test_drivers_who_differ_are_found_and_moved_the_right_way():
    flags = right = 0
    for seed in range(5):
        random = np.random.default_rng(seed)
        kept = random.beta(SHARE_KEPT * 3, (1 - SHARE_KEPT) * 3, 200)  # a spread of .25
        cells, exposure = fleet(random, 200, kept)
        found = judged(cells, exposure)
        milder = kept < SHARE_KEPT
        flags += found.flagged.sum()
        right += (found.flagged & (milder == (found.p_better > found.p_worse))).sum()
    assert flags > 20
    assert right / flags > 0.9


def test_the_same_question_has_the_same_answer():
    cells, exposure = fleet(np.random.default_rng(1), 30, 0.5)
    one, again = judged(cells, exposure), judged(cells, exposure)
    assert np.array_equal(one.p_worse, again.p_worse)
    assert np.array_equal(one.expected, again.expected)


costs = st.lists(st.sampled_from([0.0, 3.0, 5.0]), min_size=3, max_size=3).map(np.array)
counts = st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3), min_size=3, max_size=12)


@given(counts, costs)
def test_a_profile_against_itself_or_a_dearer_one_moves_nobody(numbers, points):
    events = np.array(numbers, dtype=np.float64)
    for after in (points, 2 * points, np.zeros(3)):
        found = moves(Cells(events, points, after), 1 + events.sum(axis=1), np.ones(len(events)), draws=50)
        assert not found.flagged.any()
        assert not found.expected.any()


@given(counts, costs, costs)
def test_moves_are_shares_that_turn_round_when_the_profiles_are_swapped(numbers, before, after):
    events = np.array(numbers, dtype=np.float64)
    shape, rate = 1 + events.sum(axis=1), np.ones(len(events))
    there = moves(Cells(events, before, after), shape, rate, draws=50)
    back = moves(Cells(events, after, before), shape, rate, draws=50)
    assert np.array_equal(there.p_worse, back.p_better)
    assert there.expected == pytest.approx(-back.expected)
    assert there.expected.sum() == pytest.approx(0, abs=1e-9)
    assert (there.p_worse + there.p_better <= 1).all()


def test_a_fleet_without_events_moves_nobody():
    none = np.zeros(0, dtype=np.int64)
    nothing = cells_of(none, none, none, drivers=4)
    found = moves(nothing, np.ones(4), np.ones(4))
    assert found.flagged.tolist() == [False] * 4


def test_a_move_is_flagged_from_its_probability_on():
    chances = np.array([SURE, SURE - 0.01, 0.0])
    assert Moves(chances, np.array([0.0, 0.05, SURE]), np.zeros(3)).flagged.tolist() == [True, False, True]


@pytest.mark.parametrize(("kept", "kappa", "expected"), [(2, 20, 0.9008), (2, 200, 0.6849), (8, 20, 0.1708)])
def test_the_published_values_of_ten_events(kept: int, kappa: float, expected: float):
    p = p_keeps_less(np.array([float(kept)]), np.array([10.0 - kept]), SHARE_KEPT, kappa)
    assert p[0] == pytest.approx(expected, abs=5e-5)


def test_kappa_is_large_where_mixes_are_alike_and_small_where_they_differ():
    random = np.random.default_rng(2)
    alike, _ = fleet(random, 300, 0.5)
    apart, _ = fleet(random, 300, random.beta(1, 1, 300))
    mean_alike, mean_apart = (float(kappa_weights(each.counts) @ np.log(KAPPA)) for each in (alike, apart))
    assert mean_alike > np.log(50)
    assert mean_apart == pytest.approx(np.log(2), abs=0.5)  # beta(1, 1) is two events' worth


def test_events_are_told_apart_by_what_they_cost_under_both_profiles():
    driver = np.array([0, 0, 1, 2, 2, 2])
    before, after = np.array([5, 5, 5, 0, 0, 3]), np.array([5, 0, 5, 0, 4, 3])
    cells = cells_of(driver, before, after, drivers=4)
    found = dict(
        zip(zip(cells.before.tolist(), cells.after.tolist(), strict=True), cells.counts.T.tolist(), strict=True)
    )
    assert found == {
        (5, 5): [1, 1, 0, 0], (5, 0): [1, 0, 0, 0], (0, 4): [0, 0, 1, 0], (3, 3): [0, 0, 1, 0],
    }  # fmt: skip
