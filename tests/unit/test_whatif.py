"""Another profile over the same fleet: as if everything were scored again, and only true moves called so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings

from fleetflow.safety.events import EventKind, Standing
from fleetflow.safety.judging import CLASSES, KINDS, EventColumns, TripColumns
from fleetflow.safety.profiles import DEFAULT_PROFILE, TOLERANCE, Rule, ScoringProfile, VehicleClass
from fleetflow.safety.ranking.bunching import points_per_event
from fleetflow.safety.ranking.days import DriverDays
from fleetflow.safety.ranking.leaderboard import Leaderboard, rank_drivers
from fleetflow.safety.whatif.compare import compare, contrast
from fleetflow.safety.whatif.judged import judge
from fleetflow.safety.whatif.prepared import prepare
from fleetflow.safety.whatif.sweep import sweep
from tests.unit.whatif_fleets import fleet_of_drivers, fleets, random_profile, small_fleet, with_rules

if TYPE_CHECKING:
    from collections.abc import Mapping

STRICT = with_rules(braking=Rule(0.35, 5))


def rules_of(profile: ScoringProfile, trips: TripColumns, trip: int):
    return profile.rules_for(CLASSES[trips.vehicle_class[trip]])


def counted_one_by_one(events: EventColumns, trips: TripColumns, profile: ScoringProfile) -> np.ndarray:
    counts = np.zeros((len(trips), len(KINDS)), dtype=int)
    for trip, kind, peak, standing in zip(events.trip, events.kind, events.peak, events.standing, strict=True):
        if profile.lets_count(Standing(standing)):
            counts[trip, kind] += peak > rules_of(profile, trips, trip)[KINDS[kind]].threshold + TOLERANCE
    return counts


def points_one_by_one(counts: np.ndarray, trips: TripColumns, profile: ScoringProfile) -> np.ndarray:
    """Per trip and kind."""
    return np.array(
        [
            [rules_of(profile, trips, trip)[kind].points(int(count)) for kind, count in zip(KINDS, row, strict=True)]
            for trip, row in enumerate(counts)
        ]
    )


@settings(max_examples=50)
@given(fleets)
def test_counts_and_scores_equal_judging_every_event_alone(random: np.random.Generator):
    events, trips = small_fleet(random)
    prepared = prepare(events, trips)
    for profile in (random_profile(random), random_profile(random)):
        judged = judge(prepared, profile)
        counts = counted_one_by_one(events, trips, profile)
        lost = points_one_by_one(counts, trips, profile).sum(axis=1)
        assert np.array_equal(judged.counts, counts)
        assert np.array_equal(judged.points, lost)
        assert np.array_equal(judged.scores, np.maximum(100 - lost, 0))


def points_an_event(counts: np.ndarray, trips: TripColumns, profile: ScoringProfile, used: np.ndarray) -> float:
    """Each trip's events of a kind at what they cost there on average, weighted by their points."""
    points = points_one_by_one(counts, trips, profile)[used]
    penalties = [[rule.penalty for rule in profile.rules_for(name).values()] for name in CLASSES]
    weighed = sum(p * p / n for p, n in zip(points.flat, counts[used].flat, strict=True) if n)
    return points_per_event(weighed, points.sum(), np.array(penalties, dtype=np.float64))


def leaderboard(events: EventColumns, trips: TripColumns, profile: ScoringProfile) -> Leaderboard:
    """As a full re-score would have it."""
    counts = counted_one_by_one(events, trips, profile)
    used = trips.usable
    known = np.isfinite(trips.distance_km) | np.isfinite(trips.duration_s)
    psi0 = points_an_event(counts, trips, profile, used & known)
    points = points_one_by_one(counts, trips, profile).sum(axis=1).astype(np.float64)
    days = DriverDays(
        int(trips.driver.max()) + 1, trips.driver[used].astype(np.intp), trips.day[used].astype(np.intp),
        *(each[used] for each in (points, trips.distance_km, trips.duration_s / 3600)),
    )  # fmt: skip
    return rank_drivers(days, psi0=psi0, minimum_km=profile.minimum_km)


@settings(max_examples=40)
@given(fleets)
def test_the_order_is_the_leaderboards(random: np.random.Generator):
    events, trips = small_fleet(random)
    trips = replace(trips, distance_km=np.where(np.arange(len(trips.driver)) == 0, 9.0, trips.distance_km))
    trips = replace(trips, duration_s=np.where(np.arange(len(trips.driver)) == 0, 900.0, trips.duration_s))
    trips.usable[0] = True
    profile = random_profile(random)
    order, expected = judge(prepare(events, trips), profile).order, leaderboard(events, trips, profile)
    assert np.array_equal(order.rank, expected.rank)
    assert order.fit.mean == pytest.approx(expected.mean, nan_ok=True)
    assert order.points == pytest.approx(expected.points)


@pytest.mark.parametrize("minimum_km", [0.0, 1500.0])
def test_the_order_of_a_whole_fleet_is_the_leaderboards(minimum_km: float):
    events, trips, _ = fleet_of_drivers(3, 60, severity_sd=0.3)
    profile = replace(STRICT, minimum_km=minimum_km)
    order, expected = judge(prepare(events, trips), profile).order, leaderboard(events, trips, profile)
    assert order.ranked.sum() > 20
    assert np.array_equal(order.rank, expected.rank)


def lowered(rules: Mapping[EventKind, Rule], random: np.random.Generator) -> dict[EventKind, Rule]:
    return {
        kind: replace(rule, threshold=rule.threshold - float(random.choice([0, 0.01, 0.1])))
        for kind, rule in rules.items()
    }


@settings(max_examples=50)
@given(fleets)
def test_stricter_thresholds_never_raise_a_score(random: np.random.Generator):
    events, trips = small_fleet(random)
    milder = random_profile(random)
    stricter = replace(
        milder,
        rules=lowered(milder.rules, random),
        class_rules={name: lowered(rules, random) for name, rules in milder.class_rules.items()},
        counts_doubtful=milder.counts_doubtful or bool(random.random() < 0.5),
    )
    found = compare(events, trips, milder, stricter)
    assert (found.score_change <= 0).all()
    assert not found.lost.any()
    before, after = (counted_one_by_one(events, trips, each)[trips.usable].sum() for each in (milder, stricter))
    assert found.gained.sum() == after - before


@settings(max_examples=40)
@given(fleets)
def test_a_profile_compared_with_itself_moves_nobody(random: np.random.Generator):
    events, trips = small_fleet(random)
    profile = random_profile(random)
    found = compare(events, trips, profile, profile)
    for change in (found.move, found.flagged, found.score_change, found.gained, found.lost):
        assert not change.any()


@pytest.mark.parametrize("seed", range(5))
def test_drivers_who_differ_in_nothing_but_how_often_are_never_flagged(seed: int):
    events, trips, _ = fleet_of_drivers(seed, 40, severity_sd=0.0)
    found = compare(events, trips, DEFAULT_PROFILE, STRICT)
    assert (found.move != 0).mean() > 0.3, "luck moves many"
    assert not found.flagged.any()


def test_drivers_who_brake_harder_are_found_to_move_as_they_truly_do():
    flags = right = 0
    for seed in range(3):
        events, trips, severity = fleet_of_drivers(seed, 60, severity_sd=0.4, km=6000)
        found = compare(events, trips, with_rules(braking=Rule(0.25, 5)), DEFAULT_PROFILE)
        harder = severity > np.median(severity)
        flags += int(found.flagged.sum())
        right += int((found.flagged & (harder == (found.moves.p_worse > found.moves.p_better))).sum())
    assert flags > 20
    assert right / flags > 0.9


def test_ranks_move_among_drivers_who_are_ranked_before_and_after():
    events, trips, _ = fleet_of_drivers(2, 40, severity_sd=0.4, km=400)
    found = compare(events, trips, with_rules(braking=Rule(0.2, 5)), with_rules(braking=Rule(0.5, 5)))
    assert 2 <= found.in_both.sum() < 40
    assert not found.move[~found.in_both].any()
    assert not found.moves.expected[~found.in_both].any()
    assert found.move.sum() == 0


def test_scores_are_told_before_and_after_for_usable_trips():
    trips = TripColumns(
        np.zeros(3, dtype=np.int32), np.zeros(3, dtype=np.int8), np.arange(3, dtype=np.int32), np.full(3, 10.0),
        np.full(3, 900.0), np.array([True, True, False]),
    )  # fmt: skip
    peaks = np.array([0.38, 0.42, 0.5, 0.38])
    columns = np.zeros((2, 4), dtype=np.int8)
    events = EventColumns(np.array([0, 0, 1, 2], dtype=np.int32), columns[0], peaks, columns[1])
    found = compare(events, trips, DEFAULT_PROFILE, STRICT)
    assert found.scores_before.mean == 95
    assert found.scores_after.mean == 92.5
    assert np.flatnonzero(found.scores_after.histogram).tolist() == [90, 95]
    assert found.score_change.tolist() == [-5, 0, -5]
    assert found.gained.tolist() == [1, 0, 0, 0], "the unusable trip does not count"


def test_a_dearer_profile_costs_points_and_moves_nobody():
    events, trips, _ = fleet_of_drivers(4, 40, severity_sd=0.4)
    found = compare(events, trips, DEFAULT_PROFILE, with_rules(braking=Rule(0.40, 10)))
    assert found.after.points.sum() == 2 * found.before.points.sum() > 0
    assert not found.move.any()
    assert not found.flagged.any()


def test_a_fleet_without_trips_or_events_is_compared_all_the_same():
    events, trips, _ = fleet_of_drivers(1, 5, severity_sd=0.0)
    nothing = EventColumns(events.trip[:0], events.kind[:0], events.peak[:0], events.standing[:0])
    assert not compare(nothing, trips, DEFAULT_PROFILE, STRICT).flagged.any()
    nobody = TripColumns(
        *(
            getattr(trips, name)[:0]
            for name in ("driver", "vehicle_class", "day", "distance_km", "duration_s", "usable")
        )
    )
    found = compare(nothing, nobody, DEFAULT_PROFILE, STRICT)
    assert np.isnan(found.scores_after.mean)
    assert len(found.move) == 0


def test_one_prepared_fleet_answers_as_a_fresh_one_does():
    events, trips, _ = fleet_of_drivers(6, 30, severity_sd=0.3)
    prepared = prepare(events, trips)
    judge(prepared, with_rules(braking=Rule(0.2, 1)))
    again = contrast(prepared, judge(prepared, DEFAULT_PROFILE), judge(prepared, STRICT))
    fresh = compare(events, trips, DEFAULT_PROFILE, STRICT)
    assert np.array_equal(again.move, fresh.move)
    assert np.array_equal(again.moves.p_worse, fresh.moves.p_worse)


def test_a_sweep_says_where_a_threshold_matters_less_than_another_month():
    events, trips, _ = fleet_of_drivers(7, 80, severity_sd=0.0)
    thresholds = np.arange(20, 66, 5) / 100
    thresholds[4] = np.nextafter(0.4, 1)  # as good as the profile's own, and no second row
    found = sweep(prepare(events, trips), DEFAULT_PROFILE, EventKind.BRAKING, thresholds)
    assert found.thresholds == pytest.approx(thresholds)
    assert found.thresholds[found.active] == DEFAULT_PROFILE.rules[EventKind.BRAKING].threshold
    assert found.agreement[found.active] == pytest.approx(1)
    assert (np.diff(found.events) < 0).all()
    first, last = found.plateau
    assert first <= found.active <= last
    assert (found.agreement[first : last + 1] >= found.repeat).all()
    assert found.worst_staying[found.active] == found.worst_of
    assert found.agreement[-1] < 0.8 < found.agreement[found.active - 1]


def test_a_sweep_falls_below_the_band_only_where_drivers_differ_in_severity():
    below = []
    for severity_sd in (0.0, 0.6):
        events, trips, _ = fleet_of_drivers(8, 80, severity_sd)
        found = sweep(prepare(events, trips), DEFAULT_PROFILE, EventKind.BRAKING, np.array([0.2, 0.25, 0.3, 0.5]))
        below.append((found.agreement < found.band[:, 0]).sum())
    assert below[0] <= 1
    assert below[1] == 4


def test_a_sweep_over_a_kind_that_costs_nothing_changes_nothing():
    events, trips, _ = fleet_of_drivers(9, 30, severity_sd=0.3)
    events = replace(events, kind=(np.arange(len(events.trip)) % 3).astype(np.int8))
    found = sweep(prepare(events, trips), DEFAULT_PROFILE, EventKind.CORNERING, np.array([0.2, 0.3]))
    assert found.agreement == pytest.approx(1)
    assert found.band == pytest.approx(1)


def test_a_threshold_that_nobody_exceeds_leaves_nothing_to_order_by():
    events, trips, _ = fleet_of_drivers(9, 30, severity_sd=0.3)
    found = sweep(prepare(events, trips), DEFAULT_PROFILE, EventKind.BRAKING, np.array([5.0]))
    assert found.events[1] == 0
    assert np.isnan(found.agreement[1])
    assert np.isnan(found.band[1]).all()
    assert found.plateau == (0, 0)


def test_a_sweep_varies_one_class_where_it_has_rules_of_its_own():
    events, trips, _ = fleet_of_drivers(9, 30, severity_sd=0.3)
    trips = replace(trips, vehicle_class=(trips.driver % 2 * CLASSES.index(VehicleClass.HEAVY)).astype(np.int8))
    own = {**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.3, 5)}
    profile = replace(DEFAULT_PROFILE, class_rules={VehicleClass.HEAVY: own})
    prepared, tried = prepare(events, trips), np.array([0.3, 0.35, 0.4])
    heavy = trips.vehicle_class[events.trip] > 0
    for_heavy = sweep(prepared, profile, EventKind.BRAKING, tried, VehicleClass.HEAVY)
    for_others = sweep(prepared, profile, EventKind.BRAKING, tried, VehicleClass.LIGHT)
    for row, threshold in enumerate(tried):
        above = events.peak > threshold + TOLERANCE
        assert for_heavy.events[row] == (above & heavy).sum() + ((events.peak > 0.4 + TOLERANCE) & ~heavy).sum()
        assert for_others.events[row] == (above & ~heavy).sum() + ((events.peak > 0.3 + TOLERANCE) & heavy).sum()
    assert (for_heavy.active, for_others.active) == (0, 2)


def test_where_doubtful_events_count_they_are_gained():
    events, trips, _ = fleet_of_drivers(9, 10, severity_sd=0.3)
    doubtful = replace(events, standing=(np.arange(len(events)) % 2).astype(np.int8) * np.int8(Standing.DOUBTFUL))
    found = compare(doubtful, trips, DEFAULT_PROFILE, replace(DEFAULT_PROFILE, counts_doubtful=True))
    assert found.gained[0] == ((events.peak > 0.4 + TOLERANCE) & (doubtful.standing == Standing.DOUBTFUL)).sum() > 0
    assert not found.lost.any()


def test_a_cap_makes_an_event_cheaper_for_the_fleet_and_flags_nobody_by_itself():
    events, trips, _ = fleet_of_drivers(10, 40, severity_sd=0.0)
    capped = with_rules(braking=Rule(0.25, 5, cap=5))
    found = compare(events, trips, with_rules(braking=Rule(0.25, 5)), capped)
    braked = found.after.counts[:, 0]
    assert found.after.costs[0, 0] == pytest.approx(5 * (braked > 0).sum() / braked.sum())
    assert not found.flagged.any()
