"""Simulated fleets whose true rates are known: drivers who differ in many ways, and events that come in many ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.events import EventKind
from fleetflow.safety.floors import FLOOR_G, FLOOR_KMH
from fleetflow.safety.judging import KINDS, EventColumns, TripColumns
from fleetflow.safety.ranking.days import DriverDays

if TYPE_CHECKING:
    from fleetflow.safety.flat import IndexArray
    from fleetflow.trips.samples import FloatArray

DAYS = 28
LEAST_KM, GREATEST_KM = 5.0, 3000.0
TRIP_KM, TRIP_LOG_SD = 16.5, 0.8
EVENTS_PER_BURST = 2.0
DRIVERS, TRIPS, EVENTS = 500, 100_000, 2_000_000
"""The large fleet: what a few hundred vehicles do in some months."""
QUARTER_DAYS = 90


@dataclass(frozen=True, slots=True)
class Family:
    """One way of being a fleet.

    `cv` is the spread between drivers, `shape` of their rates "gamma" or "lognormal", `rate` events per 100 km and
    kind. `outlier` multiplies one driver's rate. `trip_mood` and `day_mood` are variances of gammas with mean 1 that
    all events of a trip or day share. `common` is the correlation of kinds between drivers.
    """

    name: str
    cv: float = 0.7
    shape: str = "gamma"
    rate: float = 2.0
    outlier: float = 1.0
    trip_mood: float = 0.0
    day_mood: float = 0.0
    bursts: bool = False
    penalties: tuple[float, ...] = (5.0,)
    common: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """`days` has a row per trip; `truth` is each driver's points per 100 km, `counts` the fleet's events per kind."""

    days: DriverDays
    truth: FloatArray
    counts: FloatArray


def simulate_fleet(family: Family, drivers: int, rng: np.random.Generator) -> Fleet:
    """Four weeks of driving."""
    rates = _rates(family, drivers, rng)
    driver, km = _trips(drivers, rng)
    day = rng.integers(0, DAYS, len(driver))
    expected = rates[:, driver] * km / 100 * _moods(family, driver, day, rng)
    counts = _bursts(expected, rng) if family.bursts else rng.poisson(expected).astype(np.float64)
    penalties = np.array(family.penalties)
    days = DriverDays(drivers, driver, day, penalties @ counts, km, km / 40)
    return Fleet(days, penalties @ rates, counts.sum(axis=1))


def large_fleet(random: np.random.Generator, count: int = TRIPS) -> tuple[EventColumns, TripColumns]:
    """So many trips of drivers of different rates; peaks fall off exponentially above the floor."""
    events_in_all = count * EVENTS // TRIPS
    driver = random.integers(0, DRIVERS, count).astype(np.int32)
    distance_km = random.lognormal(2.5, 0.8, count)
    chance = random.gamma(2.0, 0.5, DRIVERS)[driver] * distance_km
    kind = random.integers(0, len(KINDS), events_in_all).astype(np.int8)
    above = random.exponential(1.0, events_in_all)
    peak = np.where(kind == KINDS.index(EventKind.SPEEDING), FLOOR_KMH + 20 * above, FLOOR_G + 0.1 * above)
    trip = random.choice(count, events_in_all, p=chance / chance.sum()).astype(np.int32)
    events = EventColumns(trip, kind, peak, (random.random(events_in_all) < 0.1).astype(np.int8))
    trips = TripColumns(
        driver=driver, vehicle_class=random.integers(0, 3, count).astype(np.int8),
        day=random.integers(0, QUARTER_DAYS, count).astype(np.int32), distance_km=distance_km,
        duration_s=distance_km * 80,
        usable=random.random(count) < 0.98,
    )  # fmt: skip
    return events, trips


def _rates(family: Family, drivers: int, rng: np.random.Generator) -> FloatArray:
    """A row per kind; kinds share a part of their gamma as large as their correlation."""
    size = (len(family.penalties), drivers)
    if not family.cv:
        relative = np.ones(size)
    elif family.shape == "lognormal":
        log_sd = np.sqrt(np.log1p(family.cv**2))
        relative = rng.lognormal(-(log_sd**2) / 2, log_sd, size)
    else:
        shape = 1 / family.cv**2
        shared = rng.gamma(family.common * shape, 1, drivers) if family.common else 0.0
        relative = (shared + rng.gamma((1 - family.common) * shape, 1, size)) / shape
    relative[:, 0] *= family.outlier
    return np.asarray(family.rate * relative, dtype=np.float64)


def _trips(drivers: int, rng: np.random.Generator) -> tuple[IndexArray, FloatArray]:
    """Driver and kilometres of every trip."""
    distance_km = np.exp(rng.uniform(np.log(LEAST_KM), np.log(GREATEST_KM), drivers))
    trips = np.ceil(distance_km / TRIP_KM).astype(np.intp)
    driver = np.repeat(np.arange(drivers), trips)
    part = rng.lognormal(0, TRIP_LOG_SD, len(driver))
    return driver, part / np.bincount(driver, weights=part)[driver] * distance_km[driver]


def _moods(family: Family, driver: IndexArray, day: IndexArray, rng: np.random.Generator) -> FloatArray | float:
    if family.trip_mood:
        return rng.gamma(1 / family.trip_mood, family.trip_mood, len(driver))
    if family.day_mood:
        moods = rng.gamma(1 / family.day_mood, family.day_mood, (int(driver.max()) + 1, DAYS))
        return np.asarray(moods[driver, day], dtype=np.float64)
    return 1.0


def _bursts(expected: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Each incident gives one event and a geometric number of further ones."""
    incidents = rng.poisson(expected / EVENTS_PER_BURST)
    # So many failures before so many successes; nothing comes of no incident.
    further = rng.negative_binomial(np.maximum(incidents, 1), 1 / EVENTS_PER_BURST) * (incidents > 0)
    return (incidents + further).astype(np.float64)
