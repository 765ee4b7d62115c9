"""A drive as a list of manoeuvres: speed changes as half-sine pulses of acceleration, turns as pulses of pull.

Every quantity has a closed form in time, so a drive can be sampled at any rate and stays the same drive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.events import EventKind
from fleetflow.simulator.temper import Temper, Urge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetflow.trips.samples import FloatArray

G = 9.80665
HARSH_G = (0.48, 0.75)
"""Clear of the usual 0.4 g, so that whether an event is harsh does not hang on how a detector smooths."""
FIRM_G = (0.22, 0.46)
"""What drivers do who are neither calm nor harsh, the firmer the more rarely: about one in eleven is above 0.4 g."""
HARSH_LONG_S = (1.2, 2.8)
HARSH_TURN_S = (2.0, 3.5)
CALM_G = (0.07, 0.20)
CALM_TURN_G = (0.05, 0.20)
CALM_TURN_S = (2.5, 6.0)
STOP_S = (3.0, 25.0)
CRUISE_S = (8.0, 45.0)
TOWN_MS, ROAD_MS, MOTORWAY_MS = (8.0, 14.0), (16.0, 25.0), (27.0, 34.0)
ZONES = (TOWN_MS, ROAD_MS, MOTORWAY_MS)
ZONE_SHARES = (0.62, 0.28, 0.10)
SPEEDING_MS = (37.5, 41.0)  # 135 to 148 km/h
SLOWEST_TURN_MS = 6.0
STRAIGHT_SHARE = 0.55
STOP_SHARE = 0.25
QUIET_S = 4.0
"""At least this long between two manoeuvres, so that each is an event of its own."""


@dataclass(frozen=True, slots=True)
class Manoeuvre:
    """From `start_s` for `length_s`: the speed changes by `change_ms`, the pull to the left peaks at `pull_g`."""

    start_s: float
    length_s: float
    speed_ms: float
    change_ms: float = 0.0
    pull_g: float = 0.0
    harsh: EventKind | None = None

    @property
    def peak_g(self) -> float:
        """The largest magnitude of its acceleration."""
        return abs(self.pull_g) if self.pull_g else abs(self.change_ms) * np.pi / (2 * self.length_s * G)

    @property
    def distance_m(self) -> float:
        """How far the vehicle comes meanwhile; a half-sine pulse is symmetric, so the mean speed is the middle one."""
        return (self.speed_ms + self.change_ms / 2) * self.length_s


class Planner:
    """Draws one manoeuvre after the other until the time is up."""

    def __init__(self, rng: np.random.Generator, temper: Temper) -> None:
        self._rng = rng
        self._urges = {kind: Urge(rng, getattr(temper, kind.value)) for kind in EventKind}
        self._firm = Urge(rng, temper.firm)
        self._time_s = self._at_m = self._speed_ms = 0.0
        self._plan: list[Manoeuvre] = []

    def plan(self, duration_s: float) -> list[Manoeuvre]:
        """Manoeuvres that fill the time without a hole; the last may end later."""
        self._hold(float(self._rng.uniform(1.0, 5.0)))
        while self._time_s < duration_s:
            self._drive_on()
        return self._plan

    def _drive_on(self) -> None:
        if self._is_due(EventKind.SPEEDING):
            self._reach(self._draw(*SPEEDING_MS), harsh=EventKind.SPEEDING)
            self._hold(self._draw(20.0, 60.0))
            self._reach(self._draw(*ROAD_MS))
        elif self._speed_ms > 0 and self._rng.random() < STOP_SHARE:
            self._reach(0.0)
            self._hold(self._draw(*STOP_S))
        else:
            self._reach(self._next_speed())
        self._cruise()

    def _next_speed(self) -> float:
        return self._draw(*ZONES[int(self._rng.choice(len(ZONES), p=ZONE_SHARES))])

    def _reach(self, speed_ms: float, harsh: EventKind | None = None) -> None:
        """Change the speed; with a harsh start of it when the driver feels like it."""
        kind = EventKind.ACCELERATION if speed_ms > self._speed_ms else EventKind.BRAKING
        if harsh is None and self._is_due(kind):
            self._jerk(speed_ms, kind)
        elif harsh is None and self._firm.is_due(self._at_m):
            self._jerk(speed_ms, None)
        change = speed_ms - self._speed_ms
        if abs(change) > 0.01:  # noqa: PLR2004  # m/s: nothing to do
            length = abs(change) * np.pi / (2 * self._draw(*CALM_G) * G)
            self._add(max(length, 1.0), change_ms=change, harsh=harsh)

    def _jerk(self, speed_ms: float, harsh: EventKind | None) -> None:
        """A harsh or firm pulse towards the wanted speed; none when there is too little speed to lose or gain."""
        length, peak_g = self._draw(*HARSH_LONG_S), self._draw(*HARSH_G) if harsh else self._firm_g()
        change = peak_g * G * 2 * length / np.pi
        if abs(speed_ms - self._speed_ms) >= change:
            self._add(length, change_ms=math.copysign(change, speed_ms - self._speed_ms), harsh=harsh)
            self._was_firm(harsh)
            self._hold(QUIET_S)

    def _cruise(self) -> None:
        self._hold(self._draw(*CRUISE_S))
        if self._speed_ms < SLOWEST_TURN_MS:
            return
        side = 1.0 if self._rng.random() < 0.5 else -1.0  # noqa: PLR2004  # left as often as right
        if self._is_due(EventKind.CORNERING):
            self._add(self._draw(*HARSH_TURN_S), pull_g=side * self._draw(*HARSH_G), harsh=EventKind.CORNERING)
            self._hold(QUIET_S)
        elif self._firm.is_due(self._at_m):
            self._add(self._draw(*HARSH_TURN_S), pull_g=side * self._firm_g())
            self._was_firm(None)
            self._hold(QUIET_S)
        elif self._rng.random() > STRAIGHT_SHARE:
            self._add(self._draw(*CALM_TURN_S), pull_g=side * self._draw(*CALM_TURN_G))
            self._hold(QUIET_S)

    def _firm_g(self) -> float:
        low, high = FIRM_G
        return low + (high - low) * float(self._rng.random()) ** 3

    def _was_firm(self, harsh: EventKind | None) -> None:
        if harsh is None:
            self._firm.give_way()

    def _is_due(self, kind: EventKind) -> bool:
        return self._urges[kind].is_due(self._at_m)

    def _hold(self, length_s: float) -> None:
        self._add(length_s)

    def _add(
        self, length_s: float, *, change_ms: float = 0.0, pull_g: float = 0.0, harsh: EventKind | None = None
    ) -> None:
        manoeuvre = Manoeuvre(self._time_s, length_s, self._speed_ms, change_ms, pull_g, harsh)
        self._plan.append(manoeuvre)
        if harsh is not None:
            self._urges[harsh].give_way()
        self._time_s += length_s
        self._at_m += manoeuvre.distance_m
        self._speed_ms = max(self._speed_ms + change_ms, 0.0)

    def _draw(self, low: float, high: float) -> float:
        return float(self._rng.uniform(low, high))


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """The drive at each time: speed in m/s, accelerations in g (forward, to the left)."""

    t_s: FloatArray
    speed_ms: FloatArray
    long_g: FloatArray
    lat_g: FloatArray


def move(plan: Sequence[Manoeuvre], t_s: FloatArray) -> Motion:
    """Where the manoeuvres take the vehicle, exactly, at any times within them."""
    starts = np.array([each.start_s for each in plan])
    place = np.clip(np.searchsorted(starts, t_s, side="right") - 1, 0, None)
    length = np.array([each.length_s for each in plan])[place]
    change = np.array([each.change_ms for each in plan])[place]
    phase = np.clip((t_s - starts[place]) / length, 0.0, 1.0) * np.pi
    speed = np.array([each.speed_ms for each in plan])[place] + change * (1 - np.cos(phase)) / 2
    long_g = change * np.pi / (2 * length * G) * np.sin(phase)
    lat_g = np.array([each.pull_g for each in plan])[place] * np.sin(phase)
    return Motion(t_s, np.maximum(speed, 0.0), long_g, lat_g)
