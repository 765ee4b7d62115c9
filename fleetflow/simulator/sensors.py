"""What a device makes of a drive: hills it feels, noise, bias, bumps, gaps, frozen speeds, missing positions."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray, Samples

BUMP_S = 0.12
GAP_S = (3.0, 20.0)
FROZEN_S = (3.0, 8.0)
HILLS_M = (420.0, 1130.0, 2750.0)
"""Lengths of the waves that a hilly road is made of; no ratio is whole, so that no hill comes twice."""


@dataclass(frozen=True, slots=True)
class Sensors:
    """All off by default: a perfect device on a flat road. Biases in g, rates per minute or per hour of driving.

    `steepest_grade` is rise over run (0.06 is 6 %): an accelerometer takes a climb for acceleration.
    """

    noise_g: float = 0.0
    bias_long_g: float = 0.0
    bias_lat_g: float = 0.0
    steepest_grade: float = 0.0
    bumps_per_minute: float = 0.0
    bump_g: float = 1.0
    gaps_per_hour: float = 0.0
    frozen_speeds_per_hour: float = 0.0
    lost_position_share: float = 0.0
    has_position: bool = True


def sense(samples: Samples, sensors: Sensors, rng: np.random.Generator) -> Samples:
    """The samples as the device reports them; `t_s` must be there."""
    assert samples.t_s is not None  # noqa: S101  # a simulated drive has a clock
    assert samples.g_force_lat is not None  # noqa: S101
    hours = float(samples.t_s[-1] - samples.t_s[0]) / 3600
    felt_g = samples.g_force_long + _climb_g(samples, sensors.steepest_grade, rng)
    samples = replace(
        samples,
        g_force_long=_reading(felt_g, samples.t_s, sensors.bias_long_g, sensors, rng),
        g_force_lat=_reading(samples.g_force_lat, samples.t_s, sensors.bias_lat_g, sensors, rng),
        speed_kmh=_frozen(samples.speed_kmh, samples.t_s, rng.poisson(sensors.frozen_speeds_per_hour * hours), rng),
    )
    samples = _without_position(samples, sensors, rng)
    return _with_gaps(samples, rng.poisson(sensors.gaps_per_hour * hours), rng)


def _climb_g(samples: Samples, steepest_grade: float, rng: np.random.Generator) -> FloatArray | float:
    """Gravity's part along the road, in g: the sine of its angle, which belongs to the place and not to the time."""
    if not steepest_grade:
        return 0.0
    assert samples.odometer_km is not None  # noqa: S101  # a simulated drive has one
    turns = samples.odometer_km[:, np.newaxis] * 1000 / np.array(HILLS_M) + rng.random(len(HILLS_M))
    grade = steepest_grade * np.sin(2 * np.pi * turns).mean(axis=1)
    climb_g: FloatArray = np.sin(np.arctan(grade))
    return climb_g


def _reading(truth: FloatArray, t_s: FloatArray, bias: float, sensors: Sensors, rng: np.random.Generator) -> FloatArray:
    reading = truth + bias
    if sensors.noise_g:
        reading += rng.normal(0.0, sensors.noise_g, len(truth))
    for at in rng.uniform(t_s[0], t_s[-1], rng.poisson(sensors.bumps_per_minute * (t_s[-1] - t_s[0]) / 60)):
        reading[(t_s >= at) & (t_s < at + BUMP_S)] += sensors.bump_g * rng.choice([-1.0, 1.0])
    return reading


def _frozen(speed: FloatArray, t_s: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    speed = speed.copy()
    for at in rng.uniform(t_s[0], t_s[-1], count):
        held = (t_s >= at) & (t_s < at + rng.uniform(*FROZEN_S))
        if held.any():
            speed[held] = speed[np.argmax(held)]
    return speed


def _without_position(samples: Samples, sensors: Sensors, rng: np.random.Generator) -> Samples:
    if not sensors.has_position:
        return replace(samples, latitude=None, longitude=None, heading_deg=None)
    if not sensors.lost_position_share or samples.latitude is None or samples.longitude is None:
        return samples
    lost = rng.random(len(samples)) < sensors.lost_position_share
    return replace(
        samples,
        latitude=np.where(lost, np.nan, samples.latitude),
        longitude=np.where(lost, np.nan, samples.longitude),
    )


def _with_gaps(samples: Samples, count: int, rng: np.random.Generator) -> Samples:
    t_s = samples.t_s
    assert t_s is not None  # noqa: S101
    kept = np.ones(len(samples), dtype=bool)
    for at in rng.uniform(t_s[0], t_s[-1], count):
        kept &= (t_s < at) | (t_s > at + rng.uniform(*GAP_S))
    kept[0] = True  # the trip starts when it starts
    columns = {each.name: getattr(samples, each.name) for each in fields(samples)}
    left: dict[str, Any] = {name: each[kept] for name, each in columns.items() if isinstance(each, np.ndarray)}
    return replace(samples, **left)
