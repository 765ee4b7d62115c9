"""Signals with known pulses, for tests of event detection."""

from __future__ import annotations

import numpy as np

from fleetflow.safety.detection import find_events
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.trips.agreement import G_MS2
from fleetflow.trips.samples import FloatArray, Samples


def times(hz: float, duration_s: float = 60.0) -> FloatArray:
    return np.arange(0, duration_s, 1 / hz)


def half_sine(t_s: FloatArray, start_s: float, length_s: float) -> FloatArray:
    """Height 1 on [start, start + length]."""
    inside = (t_s >= start_s) & (t_s <= start_s + length_s)
    return np.where(inside, np.sin(np.pi * (t_s - start_s) / length_s), 0.0)


def drive(t_s: FloatArray | None, long_g: FloatArray, lat_g: FloatArray | None = None, kmh: float = 50.0) -> Samples:
    """At constant speed."""
    return Samples(np.full(len(long_g), kmh), np.asarray(long_g, dtype=np.float64), t_s=t_s, g_force_lat=lat_g)


def g_events(samples: Samples) -> list[HarshEvent]:
    """The trip's events but speeding."""
    return [event for event in find_events([samples])[0] if event.kind is not EventKind.SPEEDING]


def peaks(samples: Samples) -> list[tuple[str, float, float]]:
    """Kind, time and size of each g event."""
    return [(event.kind.value, event.peak_s, event.peak_g or 0.0) for event in g_events(samples)]


def ordinary_drive(brake_g: float, *, speed_knows_the_brake: bool = True, duration_s: float = 180.0) -> Samples:
    """At 10 Hz and from 54 km/h: a brake at 22.5-24.5 s that a push makes up for, then gentle driving."""
    t_s = times(10, duration_s)
    brake = -brake_g * half_sine(t_s, 22.5, 2) + brake_g / 4 * half_sine(t_s, 30, 8)
    gentle = sum((g * half_sine(t_s, at, 8) for at, g in ((60, 0.12), (75, -0.12), (100, 0.12), (115, -0.12))), 0 * t_s)
    gained_ms = G_MS2 * 0.1 * np.cumsum(brake + gentle if speed_knows_the_brake else gentle)
    return Samples((15 + gained_ms) * 3.6, brake + gentle, t_s=t_s)
