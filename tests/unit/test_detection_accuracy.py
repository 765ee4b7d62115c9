"""Detection against simulated drives whose truth is known, beside the naive counts of samples and of their runs."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest

from benchmarks.accuracy import DEVICES, Device, measure
from fleetflow.safety.events import EventKind
from fleetflow.simulator import Sensors
from fleetflow.trips.samples import Samples
from tests.support.pulses import g_events, half_sine, ordinary_drive
from tests.support.truth import accuracies, accuracy, drives, harsh_events, harsh_runs, harsh_samples, swung_back

G_KINDS = (EventKind.BRAKING, EventKind.ACCELERATION, EventKind.CORNERING)
HILLS = Sensors(noise_g=0.03, bias_long_g=0.08, bias_lat_g=0.05, steepest_grade=0.06)


@pytest.mark.parametrize(
    ("noise_g", "hz", "recall", "false_per_hour"),
    [
        (0.05, 1, 0.89, 0.5),
        (0.05, 2, 0.98, 1.0),
        (0.05, 5, 0.995, 0.0),
        (0.05, 10, 0.995, 0.0),
        (0.05, 50, 0.995, 0.0),
        (0.10, 1, 0.84, 2.8),
        (0.10, 2, 0.97, 5.3),
        (0.10, 5, 0.99, 2.0),
        (0.10, 10, 0.99, 0.5),
        (0.10, 50, 0.99, 0.5),
    ],
)
def test_noise_hides_few_brakes_and_makes_few(noise_g: float, hz: float, recall: float, false_per_hour: float):
    """The false ones expected were counted over 4 h, so they are known to two standard deviations of that count.

    Over 144 h and 12 seeds at 0.10 g: 2.8 an hour at 1 Hz, 5.7 at 2 Hz; recall 0.91 and 0.99.
    """
    found = accuracy(EventKind.BRAKING, drives(hz, Sensors(noise_g=noise_g), hours=4 if hz > 10 else 12))
    assert found.true > 40
    assert found.recall >= recall
    assert found.false_per_hour <= false_per_hour + 2 * math.sqrt(false_per_hour / 4)


@pytest.mark.parametrize("hz", [1, 2, 5, 10, 50])
def test_mounting_and_hills_make_no_events(hz: float):
    trips = drives(hz, HILLS, hours=4 if hz > 10 else 12)
    for kind, found in zip(G_KINDS, accuracies(G_KINDS, trips), strict=True):
        assert found.recall >= (0.9 if hz == 1 else 0.98), kind
        assert found.false_per_hour <= 0.2, kind


def test_no_event_is_made_where_nothing_was_recorded():
    found = accuracies(G_KINDS, drives(10, Sensors(noise_g=0.03, gaps_per_hour=20), hours=8))
    assert [each.false for each in found] == [0, 0, 0]
    assert min(each.recall for each in found) > 0.85  # the others lie in a gap


@pytest.mark.parametrize(("hz", "time_constant_s"), [(2, 1.0), (5, 1.0), (10, 1.0), (10, 2.0), (50, 1.0)])
def test_a_sensor_that_swings_back_makes_no_accelerations(hz: float, time_constant_s: float):
    """Past 0.20 g, which nobody reaches gently here: 6 to 10 false accelerations an hour if none were doubted."""
    trips = [swung_back(each, time_constant_s) for each in drives(hz, Sensors(noise_g=0.03))]
    found, believed = (accuracy(EventKind.ACCELERATION, trips, partial(harsh_events, above_g=0.2, doubtful_too=each))
                       for each in (False, True))  # fmt: skip
    assert believed.false_per_hour > 2
    assert found.false == 0
    assert found.recall > 0.9


@pytest.mark.parametrize("hz", [1, 2, 10, 50])
def test_bumps_make_a_small_part_of_the_events_that_runs_of_samples_make(hz: float):
    trips = drives(hz, Sensors(noise_g=0.03, bumps_per_minute=6))
    kinds = (EventKind.BRAKING, EventKind.ACCELERATION)
    for found, runs in zip(accuracies(kinds, trips), accuracies(kinds, trips, harsh_runs), strict=True):
        assert found.recall >= 0.9
        assert found.false_per_hour < 0.2 * runs.false_per_hour


def test_counting_samples_counts_every_brake_many_times():
    trips = drives(10, Sensors())
    assert [each.false for each in accuracies(G_KINDS, trips)] == [0, 0, 0]
    naive = accuracy(EventKind.BRAKING, trips, harsh_samples)
    assert naive.false > 5 * naive.true


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_no_fault_of_a_device_makes_more_false_events_than_plainer_counts_see(device: Device):
    """`python -m benchmarks.accuracy` does so at every rate."""
    found, samples, runs = measure(device, 10, hours=2)
    assert found.recall > 0.9
    assert found.false <= runs.false <= samples.false
    assert samples.false > 3 * found.true


@pytest.mark.parametrize(("hz", "late_s"), list(product([1, 2, 5, 10], [0, 1])))
def test_braking_inside_a_turn_is_not_lost_where_the_speed_is_trusted(hz: float, late_s: int):
    lost = [
        (brake_g, before_s)
        for brake_g, before_s in product([0.36, 0.42, 0.5], [-1.0, 0.0, 1.0, 2.0, 3.0])
        if not _braked(_in_a_turn(brake_g, before_s, hz, late_s))
    ]
    assert lost == []


@pytest.mark.parametrize("hz", [2, 5, 10])
def test_what_a_turn_fakes_is_doubted_where_the_speed_does_not_brake(hz: float):
    for brake_g, before_s in product([0.36, 0.42, 0.5], [2.0, 3.0]):
        assert not _braked(_in_a_turn(brake_g, before_s, hz, 1, real=False)), (brake_g, before_s)


def _in_a_turn(brake_g: float, turn_before_s: float, hz: float, late_s: int, *, real: bool = True) -> Samples:
    """A brake with a turn that began so many seconds before it; whole km/h, as late as said."""
    samples = ordinary_drive(brake_g, speed_knows_the_brake=real)
    assert samples.t_s is not None
    late = np.round(np.interp(samples.t_s - late_s, samples.t_s, samples.speed_kmh))
    turning = replace(samples, speed_kmh=late, g_force_lat=0.45 * half_sine(samples.t_s, 22.5 - turn_before_s, 4))
    rows = slice(5, None, round(10 / hz))  # so that a sample lies on the brake's peak
    assert turning.g_force_lat is not None
    return Samples(turning.speed_kmh[rows], turning.g_force_long[rows], samples.t_s[rows], turning.g_force_lat[rows])


def _braked(samples: Samples) -> bool:
    return any(
        each.kind is EventKind.BRAKING and (each.peak_g or 0) > 0.3 and not each.doubts for each in g_events(samples)
    )
