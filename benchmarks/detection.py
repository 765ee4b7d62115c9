"""Finding events in batches against plain code: each trip and kind on its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import find_peaks, peak_widths

from benchmarks.report import Row
from fleetflow.safety.detection import find_events
from fleetflow.trips.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fleetflow.trips.samples import FloatArray

RATE_HZ = 10.0
ROUNDS = 7
SHAPES = ((480, 60), (480, 1800), (4, 100_000))
BATCH = 48


def finding() -> Iterator[Row]:
    """Points per second."""
    random = np.random.default_rng(1)
    for trips, points in SHAPES:
        batch = [_drive(random, points) for _ in range(trips)]
        plain = _points_per_second(lambda batch=batch: _one_by_one(batch), batch)  # type: ignore[misc]
        ours = _points_per_second(lambda batch=batch: _in_batches(batch), batch)  # type: ignore[misc]
        name = f"find events, {points:,}-point trips at {RATE_HZ:g} Hz"
        yield Row(name, "-", "trip by trip, no smoothing", plain / 1e6, ours / 1e6, "M points/s")


def _one_by_one(trips: Sequence[Samples]) -> None:
    for trip in trips:
        _plain(trip)


def _in_batches(trips: Sequence[Samples]) -> None:
    for start in range(0, len(trips), BATCH):
        find_events(trips[start : start + BATCH])


def _plain(trip: Samples) -> None:
    assert trip.g_force_lat is not None
    signals = (np.maximum(-trip.g_force_long, 0), np.maximum(trip.g_force_long, 0), np.abs(trip.g_force_lat))
    for signal, distance in zip(signals, (20, 20, 30), strict=True):
        padded = np.concatenate([[0.0], signal, [0.0]])
        peaks, _ = find_peaks(padded, height=0.15, prominence=0.1, distance=distance, wlen=600)
        peak_widths(padded, peaks, rel_height=0.5)


def _drive(random: np.random.Generator, points: int) -> Samples:
    """Quiet driving with a pulse every half minute or so."""
    t_s = np.arange(points) / RATE_HZ
    pulses = np.sum([_pulse(t_s, random) for _ in range(max(int(points / 300), 1))], axis=0)
    long_g, lat_g = (random.normal(0, 0.03, points) for _ in range(2))
    speed = np.clip(50 + random.normal(0, 0.3, points).cumsum(), 0, 130)
    return Samples(speed, long_g + pulses, t_s=t_s, g_force_lat=lat_g + np.roll(pulses, points // 2))


def _pulse(t_s: FloatArray, random: np.random.Generator) -> FloatArray:
    at, width = random.uniform(0, t_s[-1]), random.uniform(1, 3)
    shape: FloatArray = np.clip(np.cos(np.pi * np.clip((t_s - at) / width, -0.5, 0.5)), 0, 1)
    return random.uniform(-0.6, 0.6) * shape


def _points_per_second(work: Callable[[], object], batch: Sequence[Samples]) -> float:
    best = min(_seconds(work) for _ in range(ROUNDS))
    return sum(len(trip) for trip in batch) / best


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
