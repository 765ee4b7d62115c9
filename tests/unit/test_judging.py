"""Judging many trips at once says what judging each event alone says, and an explanation adds up to its score."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.safety.events import EventKind, HarshEvent, Review, Standing
from fleetflow.safety.judging import CLASSES, KINDS, count_harsh, points_of, scores_of
from fleetflow.safety.presets import PRESETS
from fleetflow.safety.profiles import DEFAULT_PROFILE, ProfileError, Rule, ScoringProfile, VehicleClass
from fleetflow.safety.scores import explain, score_trip
from tests.support.columns import columns

PEAKS_G = st.integers(15, 120).map(lambda hundredths: hundredths / 100)
RULES = st.builds(Rule, st.integers(15, 80).map(lambda n: n / 100), st.integers(0, 30), st.none() | st.integers(0, 100))
SPEED_RULES = st.builds(Rule, st.integers(80, 180).map(float), st.integers(0, 30))


@st.composite
def rules(draw: st.DrawFn) -> dict[EventKind, Rule]:
    return {kind: draw(SPEED_RULES if kind is EventKind.SPEEDING else RULES) for kind in EventKind}


@st.composite
def profiles(draw: st.DrawFn) -> ScoringProfile:
    classes = draw(st.sets(st.sampled_from(list(VehicleClass))))
    return ScoringProfile(
        "x", draw(rules()), {each: draw(rules()) for each in classes}, counts_doubtful=draw(st.booleans())
    )


@st.composite
def events(draw: st.DrawFn) -> HarshEvent:
    kind = draw(st.sampled_from(list(EventKind)))
    fast = kind is EventKind.SPEEDING
    return HarshEvent(
        kind,
        0.0,
        draw(st.integers(0, 100)),
        200.0,
        peak_g=None if fast else draw(PEAKS_G),
        speed_kmh=draw(st.integers(80, 200).map(float)),
        doubts=draw(st.sampled_from([(), ("turn",)])),
        review=draw(st.none() | st.sampled_from(list(Review))),
    )


TRIPS = st.lists(st.tuples(st.sampled_from(CLASSES), st.lists(events(), max_size=12)), max_size=6)


@given(TRIPS, profiles())
def test_many_trips_at_once_score_what_each_scores_alone(trips, profile):
    event_columns, trip_columns = columns(trips)
    counts = count_harsh(event_columns, trip_columns.vehicle_class, profile)
    points = points_of(counts, trip_columns.vehicle_class, profile)
    alone = [score_trip(its, profile, vehicle_class) for vehicle_class, its in trips]
    assert counts.tolist() == [[each.counts.get(kind, 0) for kind in KINDS] for each in alone]
    assert points.tolist() == [each.points for each in alone]
    assert scores_of(points).tolist() == [each.safety_score for each in alone]


@given(st.lists(events(), max_size=30), profiles(), st.sampled_from(CLASSES))
def test_the_points_of_an_explanation_add_up_to_what_the_score_lacks(its, profile, vehicle_class):
    explained = explain(its, profile, vehicle_class)
    assert sum(each.points for each in explained.events) == 100 - explained.score.safety_score
    assert all(each.points == 0 for each in explained.events if not each.harsh)
    assert [each.event.peak_s for each in explained.events] == sorted(event.peak_s for event in its)


@given(events(), rules())
def test_an_event_stops_counting_at_the_threshold_that_is_said_to_let_it_go(event, its_rules):
    event = replace(event, doubts=(), review=None)
    gone = explain([event], ScoringProfile("x", its_rules)).events[0].gone_at
    step = 1.0 if event.kind is EventKind.SPEEDING else 0.01

    def harsh_at(threshold: float) -> bool:
        return ScoringProfile("x", {**its_rules, event.kind: Rule(threshold, 1)}).is_harsh(event)

    assert not harsh_at(gone)
    assert harsh_at(gone - step)


@pytest.mark.parametrize(
    ("review", "standing"),
    [
        (None, Standing.DOUBTFUL),
        (Review.CONFIRMED, Standing.CONFIRMED),
        (Review.FALSE, Standing.DISMISSED),
        (Review.DEFENSIVE, Standing.DISMISSED),
        (Review.OTHER_DRIVER, Standing.DISMISSED),
    ],
)
def test_a_person_overrules_the_doubts_of_the_rules(review, standing):
    event = HarshEvent(EventKind.BRAKING, 0, 1, 2, 0.6, 50.0, doubts=("turn",), review=review)
    assert event.standing is standing
    assert DEFAULT_PROFILE.is_harsh(event) is (review is Review.CONFIRMED)


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (Rule(-0.4, 5), "The threshold of braking must be from 0.15 to 2 g."),
        (Rule(0.1, 5), "The threshold of braking must be from 0.15 to 2 g."),
        (Rule(float("nan"), 5), "The threshold of braking must be from 0.15 to 2 g."),
        (Rule(2.1, 5), "The threshold of braking must be from 0.15 to 2 g."),
        (Rule(0.4, 5.5), "The penalty of braking must be a whole number from 0 to 100."),
        (Rule(0.4, float("nan")), "The penalty of braking must be a whole number from 0 to 100."),
        (Rule(0.4, 101), "The penalty of braking must be a whole number from 0 to 100."),
        (Rule(0.4, 5, cap=float("nan")), "The cap of braking must be from 0 to 100 points."),
        (Rule(0.4, -1), "The penalty of braking must be a whole number from 0 to 100."),
        (Rule(0.4, float("inf")), "The penalty of braking must be a whole number from 0 to 100."),
        (Rule(0.4, 5, cap=-1), "The cap of braking must be from 0 to 100 points."),
    ],
)
def test_a_value_that_means_nothing_is_refused_with_its_range(rule, fault):
    profile = replace(DEFAULT_PROFILE, rules={**DEFAULT_PROFILE.rules, EventKind.BRAKING: rule})
    with pytest.raises(ProfileError) as refusal:
        profile.check()
    assert refusal.value.faults == [fault]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": " "}, "The name must have 1 to 100 characters."),
        ({"minimum_km": -1.0}, "The minimum distance must be from 0 to 100,000 km."),
        ({"minimum_km": float("nan")}, "The minimum distance must be from 0 to 100,000 km."),
        ({"minimum_km": float("inf")}, "The minimum distance must be from 0 to 100,000 km."),
        ({"rules": {}}, "braking has no rule."),
        ({"class_rules": {"heavy": {}}}, "heavy: braking has no rule."),
        ({"class_rules": {"tank": DEFAULT_PROFILE.rules}}, "'tank' is no vehicle class"),
    ],
)
def test_a_profile_that_means_nothing_is_refused_with_what_is_missing(change, fault):
    with pytest.raises(ProfileError) as refusal:
        replace(DEFAULT_PROFILE, **change).check()
    assert refusal.value.faults[0].startswith(fault)


def test_every_preset_is_a_valid_profile_whose_numbers_have_a_source():
    for preset in PRESETS:
        ScoringProfile(preset.name, preset.rules).check()
        assert set(preset.sources) == set(preset.rules) == set(EventKind)
        assert all(preset.sources.values())


def test_a_class_without_rules_of_its_own_is_judged_by_the_profiles():
    heavy = {**DEFAULT_PROFILE.rules, EventKind.BRAKING: Rule(0.3, 7)}
    profile = replace(DEFAULT_PROFILE, class_rules={VehicleClass.HEAVY: heavy})
    brake = HarshEvent(EventKind.BRAKING, 0, 1, 2, 0.35, 50.0)
    scores = [score_trip([brake], profile, name).safety_score for name in (*CLASSES, "tractor", None)]
    assert scores == [100, 100, 100, 93, 100, 100]


@given(profiles())
def test_any_profile_survives_being_stored(profile):
    again = ScoringProfile.from_content(profile.name, profile.content())
    assert again == profile
