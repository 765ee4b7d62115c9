"""What holds for every signal, whatever its events."""

from __future__ import annotations

import math
from dataclasses import astuple, replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.safety.detection import find_events
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule, ScoringProfile
from fleetflow.safety.scores import score_trip
from fleetflow.trips.offset import LIMIT_G
from tests.support.recipes import Recipe, recipes

examples = settings(max_examples=60, deadline=None)


def facts(events: list[HarshEvent], *kinds: EventKind) -> list[tuple[float | None, ...]]:
    return [astuple(event)[1:6] for event in events if event.kind in (kinds or tuple(EventKind))]


@examples
@given(st.lists(recipes(), max_size=6))
def test_a_batch_gives_exactly_what_its_trips_give_alone(drives: list[Recipe]):
    batch = [drive.samples() for drive in drives]
    assert find_events(batch) == [find_events([samples])[0] for samples in batch]


@examples
@given(recipes())
def test_turning_the_sensor_around_swaps_braking_and_acceleration(drive: Recipe):
    """Before the doubts, of which the rebound has a direction, and as far as no speed contradicts."""
    samples = replace(drive.samples(), speed_kmh=np.full(drive.size, 90.0))
    (events,), (turned,) = find_events([samples]), find_events([replace(samples, g_force_long=-samples.g_force_long)])
    assert facts(events, EventKind.BRAKING) == facts(turned, EventKind.ACCELERATION)
    assert facts(events, EventKind.ACCELERATION) == facts(turned, EventKind.BRAKING)


@examples
@given(recipes())
def test_left_is_as_good_as_right(drive: Recipe):
    samples = drive.samples()
    if samples.g_force_lat is not None:
        assert find_events([samples]) == find_events([replace(samples, g_force_lat=-samples.g_force_lat)])


@examples
@given(recipes(), st.floats(0, 200))
def test_a_speed_that_never_changes_is_as_good_as_none(drive: Recipe, kmh: float):
    samples = drive.samples()
    constant, none = (replace(samples, speed_kmh=np.full(drive.size, each)) for each in (kmh, math.nan))
    (events,), (without,) = find_events([constant]), find_events([none])
    told = [[(e.kind, e.start_s, e.peak_s, e.end_s, e.peak_g, e.doubts) for e in each if e.peak_g is not None]
            for each in (events, without)]  # fmt: skip
    assert told[0] == told[1]


@examples
@given(recipes(rates=(1.0, 2.0, 4.0, 8.0, 32.0)), st.integers(-1000, 1000))  # times that stay exact when moved
def test_a_later_start_moves_the_events_and_changes_nothing_else(drive: Recipe, shift: int):
    samples = drive.samples()
    assert samples.t_s is not None
    (events,), (moved,) = find_events([samples]), find_events([replace(samples, t_s=samples.t_s + shift)])
    for kind in EventKind:
        np.testing.assert_allclose(
            [(e.start_s + shift, e.peak_s + shift, e.end_s + shift, e.peak_g or 0) for e in events if e.kind is kind],
            [(e.start_s, e.peak_s, e.end_s, e.peak_g or 0) for e in moved if e.kind is kind],
            atol=1e-6,
        )


@examples
@given(recipes())
def test_events_are_in_order_finite_and_never_above_what_was_measured_and_its_offset(drive: Recipe):
    samples = drive.samples()
    (events,) = find_events([samples])
    assert [event.peak_s for event in events] == sorted(event.peak_s for event in events)
    highest = {
        EventKind.BRAKING: np.nanmax(-samples.g_force_long, initial=0),
        EventKind.ACCELERATION: np.nanmax(samples.g_force_long, initial=0),
        EventKind.CORNERING: 0 if samples.g_force_lat is None else np.nanmax(np.abs(samples.g_force_lat), initial=0),
    }
    for event in events:
        assert event.start_s <= event.peak_s <= event.end_s
        assert all(math.isfinite(each) for each in facts([event])[0] if each is not None)
        if event.peak_g is not None:
            assert 0.15 <= event.peak_g <= highest[event.kind] + LIMIT_G + 1e-9


@examples
@given(recipes(rates=(None,)))
def test_between_two_events_of_a_kind_the_signal_falls_by_a_tenth_of_a_g(drive: Recipe):
    samples = drive.samples()
    (events,) = find_events([samples])
    measured = samples.g_force_long[np.isfinite(samples.g_force_long)]
    for kind, signal in ((EventKind.BRAKING, -measured), (EventKind.ACCELERATION, measured)):
        for one, other in pairwise(event for event in events if event.kind is kind):
            lowest = signal[int(one.peak_s) : int(other.peak_s)].min()
            assert max(lowest, 0) <= min(one.peak_g or 0, other.peak_g or 0) - 0.1 + 1e-6


@examples
@given(recipes(), st.floats(0.15, 1.0), st.floats(0.15, 1.0))
def test_a_higher_threshold_never_counts_more_and_never_costs_more(drive: Recipe, one: float, other: float):
    samples = drive.samples()
    (events,) = find_events([samples])

    def score(threshold: float):
        rules = {kind: replace(rule, threshold=threshold) for kind, rule in DEFAULT_PROFILE.rules.items()}
        return score_trip(events, ScoringProfile("x", {**rules, EventKind.SPEEDING: Rule(100.0, 1)}))

    low, high = score(min(one, other)), score(max(one, other))
    assert low.safety_score <= high.safety_score
    assert all(high.counts.get(kind, 0) <= low.counts.get(kind, 0) for kind in EventKind)


@examples
@given(recipes(), st.data())
def test_an_event_less_is_never_a_lower_score(drive: Recipe, data: st.DataObject):
    samples = drive.samples()
    (events,) = find_events([samples])
    fewer = [event for event in events if data.draw(st.booleans())]
    assert score_trip(fewer, DEFAULT_PROFILE).safety_score >= score_trip(events, DEFAULT_PROFILE).safety_score
