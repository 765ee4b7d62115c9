"""The demo fleet: eight weeks of simulated trips, sent through the real API; its names say that it is simulated."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import numpy as np
import structlog

from fleetflow.bootstrap import run_program
from fleetflow.sending import Fate, Line, Parcel, send_trips
from fleetflow.simulator import Sensors, Temper, simulate_trip
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.reports import read_newest_trip_at
from fleetflow.storage.roster import upsert_driver, upsert_vehicle
from fleetflow.trips.encode import encode_trip

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from fleetflow.settings import Settings

NAMESPACE = UUID("5f0c8a52-6a53-4b0e-9f0e-3d6b5f5a2c11")
"""The demo's ids are derived from it, so that they are the same wherever the demo runs."""
RECENT_DAYS, EARLIER_DAYS = 28, 28
"""Every working day of the recent weeks has its trips, every second one of the weeks before: enough to compare with."""
DEPOTS = {"Harbour depot (simulated)": 4, "North depot (simulated)": 3, "South depot (simulated)": 3}
"""Vehicles of each depot; each has four drivers."""
DRIVERS_PER_DEPOT = 4
TEMPERS = (0.10, 0.45, 0.75, 0.30, 0.82, 0.20, 0.55, 0.05, 0.65, 0.35, 0.78, 0.25)
"""How roughly each driver drives, from 0 to 1; each depot has calm ones and rough ones."""
EARLIER_TEMPERS = {5: 0.30, 7: 0.90, 11: 0.50, 12: 0.65}
"""Who drove otherwise in the earlier weeks, by number: two got worse, two better."""
FIRM_PER_100_KM, FIRMER_PER_100_KM = 15.0, {2: 50.0, 4: 90.0, 9: 120.0, 10: 50.0}
"""Manoeuvres between calm and harsh; some drivers make so many that a lower threshold moves them up the ranks."""
SHIFTS = (time(6, 30), time(12, 30))
"""When the early and the late shift begin, in UTC; drivers who share a vehicle drive in different ones."""
SHIFT_SLACK_S = 4 * 3600
SHORTEST_S, LONGEST_S = 900, 2400
RATE_HZ = 5.0
NOISE_G = 0.02
DEPOT_AT = dict(zip(DEPOTS, ((53.54, 9.96), (53.62, 10.0), (53.45, 9.98)), strict=True))
"""Somewhere on the map; the ways from there are made up and follow no road."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DemoDriver:
    """One simulated driver; `roughness` from 0 (calm) to 1, and what it was in the earlier weeks."""

    id: UUID
    name: str
    depot: str
    roughness: float
    earlier_roughness: float
    firm_per_100_km: float
    vehicle_id: UUID
    shift: time


@dataclass(frozen=True, slots=True)
class PlannedTrip:
    """One trip still to be driven; the seed makes it the same each time."""

    driver: DemoDriver
    roughness: float
    started_at: datetime
    duration_s: float
    seed: int


def demo_vehicles() -> dict[UUID, tuple[str, str]]:
    """Name and depot of every vehicle, by id."""
    depots = [depot for depot, count in DEPOTS.items() for _ in range(count)]
    names = [f"Simulated van {number:02d}" for number in range(1, len(depots) + 1)]
    return {uuid5(NAMESPACE, name): (name, depot) for name, depot in zip(names, depots, strict=True)}


def demo_drivers() -> list[DemoDriver]:
    """All drivers, each with a vehicle of the own depot and a shift in which nobody else drives it."""
    vehicles = demo_vehicles()
    by_depot = {depot: [key for key, (_, its) in vehicles.items() if its == depot] for depot in DEPOTS}
    seats = [(depot, seat) for depot in DEPOTS for seat in range(DRIVERS_PER_DEPOT)]
    return [_driver(number, depot, seat, by_depot[depot]) for number, (depot, seat) in enumerate(seats, start=1)]


def _driver(number: int, depot: str, seat: int, vehicles: Sequence[UUID]) -> DemoDriver:
    name = f"Simulated driver {number:02d}"
    shift, place = divmod(seat, len(vehicles))
    temper = TEMPERS[number - 1]
    earlier = EARLIER_TEMPERS.get(number, temper)
    firm = FIRMER_PER_100_KM.get(number, FIRM_PER_100_KM)
    return DemoDriver(uuid5(NAMESPACE, name), name, depot, temper, earlier, firm, vehicles[place], SHIFTS[shift])


def plan_trips(today: datetime) -> list[PlannedTrip]:
    """A trip per driver and working day of the recent weeks, and of every second one before, the newest first."""
    recent = _working_days(today.date(), 1, RECENT_DAYS)
    earlier = _working_days(today.date(), RECENT_DAYS + 1, RECENT_DAYS + EARLIER_DAYS)[::2]
    drivers = list(enumerate(demo_drivers()))
    return [
        *(_plan(driver, number, day, driver.roughness) for day in recent for number, driver in drivers),
        *(_plan(driver, number, day, driver.earlier_roughness) for day in earlier for number, driver in drivers),
    ]


def _working_days(today: date, first_back: int, last_back: int) -> list[date]:
    """Mondays to Fridays among the days so far back, the newest first."""
    days = (today - timedelta(days=back) for back in range(first_back, last_back + 1))
    return [day for day in days if day.weekday() < 5]  # noqa: PLR2004


def _plan(driver: DemoDriver, number: int, day: date, roughness: float) -> PlannedTrip:
    rng = np.random.default_rng([number, day.toordinal()])
    begin = datetime.combine(day, driver.shift, tzinfo=UTC)
    started_at = begin + timedelta(seconds=int(rng.integers(SHIFT_SLACK_S)))
    duration_s = float(rng.integers(SHORTEST_S, LONGEST_S))
    return PlannedTrip(driver, roughness, started_at, duration_s, int(rng.integers(2**31)))


def name_fleet(conn: sa.Connection) -> None:
    """Put the simulated drivers and vehicles into the roster."""
    for driver in demo_drivers():
        upsert_driver(conn, driver.id, name=driver.name, group_name=driver.depot)
    for vehicle_id, (name, depot) in demo_vehicles().items():
        upsert_vehicle(conn, vehicle_id, name=name, group_name=depot, vehicle_class="light commercial")


def main() -> int:
    """Send the fleet's trips into a database that has none, in the order in which they were driven."""
    return run_program("demo", send_fleet, database_user="dashboard")


def send_fleet(settings: Settings, database_url: str) -> int:
    """1 when the API did not take them all."""
    engine = create_engine(database_url, application_name="fleetflow-demo", pool_size=1)
    with connection(engine) as conn:
        if read_newest_trip_at(conn) is not None:
            return 0
        name_fleet(conn)
    engine.dispose()
    started = monotonic()
    plan = reversed(plan_trips(datetime.now(UTC)))
    line = Line(f"http://{settings.api_host}:{settings.api_port}", key=settings.key)
    report = send_trips((_drive(trip) for trip in plan), line)
    log.info(
        "demo_fleet_sent",
        trips=len(report.trip_ids),
        refused=report.counts[Fate.REFUSED],
        given_up=report.counts[Fate.GAVE_UP],
        seconds=round(monotonic() - started, 1),
    )
    return 0 if report.all_taken else 1


def _drive(planned: PlannedTrip) -> Parcel:
    driver = planned.driver
    simulated = simulate_trip(
        np.random.default_rng(planned.seed),
        vehicle_id=driver.vehicle_id,
        driver_id=driver.id,
        temper=Temper.of_roughness(planned.roughness, firm=driver.firm_per_100_km),
        duration_s=planned.duration_s,
        hz=RATE_HZ,
        sensors=Sensors(noise_g=NOISE_G),
        started_at=planned.started_at,
        start=DEPOT_AT[driver.depot],
    )
    return Parcel(f"{driver.name}, {planned.started_at:%Y-%m-%d}", encode_trip(simulated.trip))


if __name__ == "__main__":
    sys.exit(main())
