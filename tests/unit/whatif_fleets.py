"""Fleets as columns for the tests of what-if: drivers with a rate and a mix of severity of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from fleetflow.safety.events import EventKind
from fleetflow.safety.floors import FLOOR_G, FLOOR_KMH
from fleetflow.safety.judging import CLASSES, KINDS, EventColumns, TripColumns
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule, ScoringProfile, VehicleClass

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

DAYS = 60


def with_rules(**rules: Rule) -> ScoringProfile:
    """The default profile with other rules for some kinds, by their name."""
    return replace(
        DEFAULT_PROFILE, rules={**DEFAULT_PROFILE.rules, **{EventKind(k): rule for k, rule in rules.items()}}
    )


def random_profile(random: np.random.Generator) -> ScoringProfile:
    """Anything a profile can say; thresholds above the floor, often on the same hundredth as peaks are."""
    return replace(
        DEFAULT_PROFILE,
        rules=_random_rules(random),
        class_rules={name: _random_rules(random) for name in VehicleClass if random.random() < 0.5},
        counts_doubtful=bool(random.random() < 0.3),
        minimum_km=float(random.choice([0.0, 0.0, 30.0])),
    )


def _random_rules(random: np.random.Generator) -> dict[EventKind, Rule]:
    caps = (None, None, 0, 7, 20)
    return {
        kind: Rule(_peak(random, kind), int(random.integers(0, 11)), caps[random.integers(len(caps))]) for kind in KINDS
    }


def _peak(random: np.random.Generator, kind: EventKind) -> float:
    floor, spread = (FLOOR_KMH, 40.0) if kind is EventKind.SPEEDING else (FLOOR_G, 0.15)
    return round(floor + random.exponential(spread) + 0.01, 2)


def small_fleet(random: np.random.Generator) -> tuple[EventColumns, TripColumns]:
    """A few drivers with all that columns may hold: trips unusable, undated, of unknown length, without events."""
    count, many = int(random.integers(1, 60)), int(random.integers(0, 200))
    trips = TripColumns(
        driver=random.integers(0, 6, count).astype(np.int32),
        vehicle_class=random.integers(0, len(CLASSES), count).astype(np.int8),
        day=random.integers(-1, 6, count).astype(np.int32),
        distance_km=np.where(random.random(count) < 0.1, np.nan, random.lognormal(3, 1, count)),
        duration_s=np.where(random.random(count) < 0.3, np.nan, random.lognormal(7, 1, count)),
        usable=random.random(count) < 0.8,
    )
    kind = random.integers(0, len(KINDS), many).astype(np.int8)
    peaks = np.array([_peak(random, KINDS[each]) for each in kind], dtype=np.float64)
    standing = random.integers(0, 4, many).astype(np.int8)
    return EventColumns(random.integers(0, count, many).astype(np.int32), kind, peaks, standing), trips


fleets: SearchStrategy[np.random.Generator] = st.integers(0, 2**32).map(np.random.default_rng)


def fleet_of_drivers(
    seed: int, drivers: int, severity_sd: float, km: float = 2000.0
) -> tuple[EventColumns, TripColumns, np.ndarray]:
    """Braking only, 16.5 km a trip on 60 days, some 6 events per 100 km above the floor; and each driver's severity.

    Peaks exceed the floor exponentially by 0.1 g in the mean, times a driver's own factor (log sd `severity_sd`).
    """
    random = np.random.default_rng(seed)
    trip_count = random.integers(3, int(2 * km / 16.5), drivers)
    driver = np.repeat(np.arange(drivers), trip_count).astype(np.int32)
    distance = random.lognormal(2.6, 0.6, len(driver))
    rates = random.gamma(1 / 0.7**2, 6 * 0.7**2, drivers)
    events = random.poisson(rates[driver] * distance / 100)
    trip = np.repeat(np.arange(len(driver)), events)
    severity = np.exp(random.normal(0, severity_sd, drivers))
    peak = FLOOR_G + 0.1 * severity[driver[trip]] * random.exponential(1.0, len(trip))
    trips = TripColumns(
        driver=driver, vehicle_class=np.zeros(len(driver), dtype=np.int8),
        day=random.integers(0, DAYS, len(driver)).astype(np.int32), distance_km=distance,
        duration_s=distance * 80, usable=np.ones(len(driver), dtype=bool),
    )  # fmt: skip
    zeros = np.zeros(len(trip), dtype=np.int8)
    return EventColumns(trip.astype(np.int32), zeros, peak, zeros), trips, severity
