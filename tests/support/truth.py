"""How well events are found: simulated drives whose truth is known, read by devices with known faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

import numpy as np

from fleetflow.safety.detection import find_events
from fleetflow.safety.events import EventKind
from fleetflow.simulator import Sensors, SimulatedTrip, Temper, simulate_trip
from fleetflow.trips.samples import FloatArray, Samples

ROUGH = Temper(braking=30, acceleration=30, cornering=30)
THRESHOLD_G = 0.35
NEAR_S = 1.5
Detector: TypeAlias = Callable[[Sequence[Samples]], list[list[tuple[EventKind, float]]]]


@dataclass(frozen=True)
class Accuracy:
    """Of the events that are harsh at THRESHOLD_G, of one kind."""

    true: int
    found: int
    false: int
    hours: float

    @property
    def recall(self) -> float:
        return self.found / self.true

    @property
    def false_per_hour(self) -> float:
        return self.false / self.hours


def drives(hz: float, sensors: Sensors, *, hours: int = 4, seed: int = 3) -> list[SimulatedTrip]:
    """Trips of an hour; the speed comes a second late in whole km/h, as from many trackers."""
    rng, nobody = np.random.default_rng(seed), UUID(int=0)
    trips = (simulate_trip(rng, vehicle_id=nobody, driver_id=nobody, temper=ROUGH, duration_s=3600.0, hz=hz,
                           sensors=sensors) for _ in range(hours))  # fmt: skip
    return [replace(each, trip=replace(each.trip, samples=_late(each.trip.samples, 1.0))) for each in trips]


def swung_back(each: SimulatedTrip, time_constant_s: float) -> SimulatedTrip:
    """As read by a sensor with a high-pass filter, which swings to the other side after every brake."""
    samples = each.trip.samples
    assert samples.t_s is not None
    keep = float(np.exp(-np.median(np.diff(samples.t_s)) / time_constant_s))
    slow, level = np.empty(len(samples)), 0.0
    for at, value in enumerate(samples.g_force_long.tolist()):
        level = keep * level + (1 - keep) * value
        slow[at] = level
    swung = replace(samples, g_force_long=samples.g_force_long - slow)
    return replace(each, trip=replace(each.trip, samples=swung))


def accuracy(kind: EventKind, trips: Sequence[SimulatedTrip], detector: Detector | None = None) -> Accuracy:
    """Each true event may be found once; what is found besides is false."""
    return accuracies([kind], trips, detector)[0]


def accuracies(
    kinds: Sequence[EventKind], trips: Sequence[SimulatedTrip], detector: Detector | None = None
) -> list[Accuracy]:
    """The same for several kinds, whose events are found at once."""
    samples = [each.trip.samples for each in trips]
    found = list(zip(trips, (detector or harsh_events)(samples), strict=True))
    hours = sum(_hours(each) for each in samples)
    return [_accuracy(kind, found, hours) for kind in kinds]


def _accuracy(
    kind: EventKind, trips: Sequence[tuple[SimulatedTrip, list[tuple[EventKind, float]]]], hours: float
) -> Accuracy:
    true = found = false = 0
    for each, events in trips:
        wanted = [event.peak_s for event in each.truth if event.kind is kind]
        hits = _matched(wanted, sorted(at for event_kind, at in events if event_kind is kind))
        true, found, false = true + len(wanted), found + hits, false + _count(events, kind) - hits
    return Accuracy(true, found, false, hours)


def harsh_events(
    batch: Sequence[Samples], above_g: float = THRESHOLD_G, *, doubtful_too: bool = False
) -> list[list[tuple[EventKind, float]]]:
    """FleetFlow's own."""
    return [
        [
            (each.kind, each.peak_s)
            for each in events
            if (each.peak_g or 0) > above_g and (doubtful_too or not each.doubts)
        ]
        for events in find_events(batch)
    ]


def harsh_samples(batch: Sequence[Samples], above_g: float = THRESHOLD_G) -> list[list[tuple[EventKind, float]]]:
    """The naive count: every sample beyond the threshold is an event."""
    return [[(kind, at) for kind, g, t_s in _signals(each) for at in t_s[g > above_g].tolist()] for each in batch]


def harsh_runs(batch: Sequence[Samples], above_g: float = THRESHOLD_G) -> list[list[tuple[EventKind, float]]]:
    """The better count: neighbouring samples beyond the threshold are one event."""
    return [[(kind, at) for kind, g, t_s in _signals(each) for at in t_s[_begins(g > above_g)].tolist()]
            for each in batch]  # fmt: skip


def _signals(samples: Samples) -> list[tuple[EventKind, FloatArray, FloatArray]]:
    assert samples.t_s is not None
    assert samples.g_force_lat is not None
    long_g, lat_g = samples.g_force_long, samples.g_force_lat
    signals = (EventKind.BRAKING, -long_g), (EventKind.ACCELERATION, long_g), (EventKind.CORNERING, np.abs(lat_g))
    return [(kind, signal, samples.t_s) for kind, signal in signals]


def _begins(beyond: np.ndarray) -> np.ndarray:
    return np.flatnonzero(beyond & ~np.append(False, beyond[:-1]))


def _matched(wanted: Sequence[float], found: Sequence[float]) -> int:
    """How many of the wanted times have a found one near them that no other has."""
    free, hits = list(found), 0
    for at_s in wanted:
        near = [each for each in free if abs(each - at_s) <= NEAR_S]
        if near:
            free.remove(min(near, key=lambda each: abs(each - at_s)))
            hits += 1
    return hits


def _count(events: Sequence[tuple[EventKind, float]], kind: EventKind) -> int:
    return sum(each is kind for each, _ in events)


def _hours(samples: Samples) -> float:
    assert samples.t_s is not None
    return float(samples.t_s[-1] - samples.t_s[0]) / 3600


def _late(samples: Samples, seconds: float) -> Samples:
    assert samples.t_s is not None
    late = np.interp(samples.t_s - seconds, samples.t_s, samples.speed_kmh)
    return replace(samples, speed_kmh=np.round(late))
