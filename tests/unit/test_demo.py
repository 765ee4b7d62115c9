"""The demo fleet as planned: distinct drivers, plausible days, nothing that could be taken for real."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.demo import demo_drivers, demo_vehicles, plan_trips

NOW = datetime(2026, 11, 24, 13, tzinfo=UTC)


def test_everyone_and_everything_is_named_as_simulated():
    drivers, vehicles = demo_drivers(), demo_vehicles()
    assert (len(drivers), len(vehicles), len({driver.depot for driver in drivers})) == (12, 10, 3)
    named = [name for driver in drivers for name in (driver.name, driver.depot)]
    named += [name for pair in vehicles.values() for name in pair]
    assert [name for name in named if "simulated" not in name.lower()] == []


def test_drivers_differ_in_temper_and_every_depot_has_calm_and_rough_ones():
    drivers = demo_drivers()
    assert len({driver.roughness for driver in drivers}) == len({driver.id for driver in drivers}) == 12
    for depot in {driver.depot for driver in drivers}:
        tempers = [driver.roughness for driver in drivers if driver.depot == depot]
        assert min(tempers) <= 0.25
        assert max(tempers) >= 0.75


@given(st.integers(0, 500_000_000).map(lambda seconds: NOW - timedelta(days=1000) + timedelta(seconds=seconds)))
def test_the_plan_is_thirty_trips_a_driver_in_eight_weeks_twenty_of_them_in_the_last_four(now):
    trips = plan_trips(now)
    recent = [trip for trip in trips if trip.started_at.date() >= now.date() - timedelta(days=28)]
    assert set(Counter(trip.driver.name for trip in trips).values()) == {30}
    assert set(Counter(trip.driver.name for trip in recent).values()) == {20}
    assert all(now - timedelta(days=57) < trip.started_at for trip in trips)
    assert all(trip.started_at + timedelta(seconds=trip.duration_s) <= now for trip in trips)
    assert all(trip.started_at.weekday() < 5 for trip in trips)


def test_some_drivers_got_worse_and_some_better_since_the_earlier_weeks():
    changes = [driver.roughness - driver.earlier_roughness for driver in demo_drivers()]
    assert (sum(each > 0 for each in changes), sum(each < 0 for each in changes)) == (2, 2)


@pytest.mark.parametrize("key", ["vehicle_id", "id"])
def test_nobody_and_no_vehicle_is_in_two_places_at_once(key):
    def who(trip):
        return getattr(trip.driver, key)

    trips = sorted(plan_trips(NOW), key=lambda trip: (who(trip), trip.started_at))
    for _, group in groupby(trips, key=who):
        for earlier, later in pairwise(group):
            assert earlier.started_at + timedelta(seconds=earlier.duration_s) <= later.started_at


def test_the_plan_of_a_day_is_always_the_same():
    assert plan_trips(NOW) == plan_trips(NOW)
    assert plan_trips(NOW) != plan_trips(NOW + timedelta(days=1))
