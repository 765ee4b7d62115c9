"""A simulated trip: a planned drive, sampled, laid on a map, and read by sensors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.events import EventKind
from fleetflow.simulator.route import G, Manoeuvre, Motion, Planner, move
from fleetflow.simulator.sensors import Sensors, sense
from fleetflow.trips.samples import Samples, Trip

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from fleetflow.simulator.temper import Temper
    from fleetflow.trips.samples import FloatArray

EARTH_M = 6_371_008.8
FINE_HZ = 10.0
"""Heading and position are integrated at this rate or faster, whatever the device's."""
START = (52.0, 9.0)
"""Where trips begin when nobody says otherwise; the way is made up and follows no road."""


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """A harsh event that was put in; `peak_g` is None for speeding, whose peak is `speed_kmh`."""

    kind: EventKind
    start_s: float
    peak_s: float
    end_s: float
    peak_g: float | None
    speed_kmh: float


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedTrip:
    """A trip as a device would send it, and what really happened."""

    trip: Trip
    truth: list[TrueEvent]


def simulate_trip(
    rng: np.random.Generator,
    *,
    vehicle_id: UUID,
    driver_id: UUID,
    temper: Temper,
    duration_s: float = 1200.0,
    hz: float = 10.0,
    sensors: Sensors | None = None,
    started_at: datetime | None = None,
    start: tuple[float, float] = START,
) -> SimulatedTrip:
    """One trip; the same generator state gives the same trip. `start` is latitude and longitude in degrees.

    Raises ValueError for a rate or a length that is not above 0.
    """
    if hz <= 0 or duration_s <= 0:
        raise ValueError(f"A trip of {duration_s:g} s at {hz:g} Hz has no samples.")
    plan = Planner(rng, temper).plan(duration_s)
    step = max(int(np.ceil(FINE_HZ / hz)), 1)
    count = max(round(duration_s * hz), 1)
    motion = move(plan, np.arange((count - 1) * step + 1) / (hz * step))
    samples = _on_a_map(motion, start, rng.uniform(0.0, 2 * np.pi), step)
    sensors = sensors or Sensors()
    trip = Trip(
        vehicle_id,
        driver_id,
        sense(samples, sensors, rng),
        started_at=started_at,
        sample_hz=None if sensors.gaps_per_hour else hz,
    )
    return SimulatedTrip(trip, _truth(plan, float(motion.t_s[-1])))


def _on_a_map(motion: Motion, start: tuple[float, float], heading: float, step: int) -> Samples:
    """Integrate heading and position, then keep every `step`-th sample. Left is a falling course."""
    speed = motion.speed_ms
    turning = np.divide(motion.lat_g * G, speed, out=np.zeros_like(speed), where=speed > 1.0)
    course = heading - _integral(turning, motion.t_s)
    latitude = start[0] + np.degrees(_integral(speed * np.cos(course), motion.t_s) / EARTH_M)
    east = _integral(speed * np.sin(course) / np.cos(np.radians(latitude)), motion.t_s)
    longitude = (start[1] + np.degrees(east / EARTH_M) + 180.0) % 360.0 - 180.0
    return Samples(
        speed_kmh=speed[::step] * 3.6,
        g_force_long=motion.long_g[::step].copy(),
        t_s=motion.t_s[::step],
        g_force_lat=motion.lat_g[::step].copy(),
        latitude=latitude[::step],
        longitude=longitude[::step],
        heading_deg=np.degrees(course[::step]) % 360.0,
        odometer_km=_integral(speed, motion.t_s)[::step] / 1000.0,
    )


def _integral(values: FloatArray, t_s: FloatArray) -> FloatArray:
    return np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(t_s))])


def _truth(plan: Sequence[Manoeuvre], end_s: float) -> list[TrueEvent]:
    """The harsh manoeuvres that the trip saw the peak of."""
    events = (_true_event(each, follower) for each, follower in pairwise(plan) if each.harsh)
    return [event for event in events if event.peak_s <= end_s]


def _true_event(manoeuvre: Manoeuvre, follower: Manoeuvre) -> TrueEvent:
    start, end = manoeuvre.start_s, manoeuvre.start_s + manoeuvre.length_s
    if manoeuvre.harsh is EventKind.SPEEDING:
        top_kmh = (manoeuvre.speed_ms + manoeuvre.change_ms) * 3.6
        return TrueEvent(EventKind.SPEEDING, end, end, end + follower.length_s, None, top_kmh)
    assert manoeuvre.harsh is not None  # noqa: S101  # only harsh ones are asked
    middle_kmh = (manoeuvre.speed_ms + manoeuvre.change_ms / 2) * 3.6
    return TrueEvent(manoeuvre.harsh, start, (start + end) / 2, end, float(manoeuvre.peak_g), middle_kmh)
