"""Made-up signals for laws that hold for every signal: anything goes, and clean ones whose events are plain."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from fleetflow.trips.samples import Samples
from tests.support.pulses import half_sine


@dataclass(frozen=True)
class Recipe:
    """Bursts of pulses, rounded to 0.01 g so that equal peaks are common; with or without clock, gaps and holes."""

    size: int
    seed: int
    hz: float | None
    pulse: int
    lateral: bool
    gaps: bool
    holes: bool

    def samples(self) -> Samples:
        rng = np.random.default_rng(self.seed)
        bursts = rng.normal(0, 0.35, self.size) * (rng.random(self.size) < 0.1)
        bursts = np.convolve(bursts, np.ones(self.pulse))[: self.size]
        long_g = np.round(bursts + rng.normal(0, 0.02, self.size), 2)
        speed = np.round(np.clip(90 + np.cumsum(rng.normal(0, 2, self.size)), 0, 200), 1)
        t_s = None if self.hz is None else np.arange(self.size) / self.hz
        if t_s is not None and self.gaps:
            t_s = t_s + np.cumsum((rng.random(self.size) < 0.01) * 7.0)
        if self.holes:
            long_g[rng.random(self.size) < 0.05] = math.nan
        return Samples(speed, long_g, t_s=t_s, g_force_lat=np.round(np.roll(bursts, 5), 2) if self.lateral else None)


def recipes(rates: tuple[float | None, ...] = (None, 1.0, 2.0, 5.0, 10.0, 25.0)) -> st.SearchStrategy[Recipe]:
    return st.builds(
        Recipe,
        size=st.integers(1, 700),
        seed=st.integers(0, 10**6),
        hz=st.sampled_from(rates),
        pulse=st.integers(1, 9),
        lateral=st.booleans(),
        gaps=st.booleans(),
        holes=st.booleans(),
    )


@dataclass(frozen=True)
class Clean:
    """Pulses of 1.5 to 3 s, ten seconds apart; along or across the vehicle, with their sizes in g."""

    hz: float
    pulses: tuple[tuple[float, bool, float], ...]

    def samples(self) -> Samples:
        t_s = np.arange(round((10 * len(self.pulses) + 35) * self.hz)) / self.hz
        long_g, lat_g = np.zeros_like(t_s), np.zeros_like(t_s)
        for number, (size_g, along, length_s) in enumerate(self.pulses):
            (long_g if along else lat_g)[:] += size_g * half_sine(t_s, 5.0 + 10 * number, length_s)
        return Samples(np.full(len(t_s), 60.0), np.round(long_g, 3), t_s=t_s, g_force_lat=np.round(lat_g, 3))


def clean_drives(rates: tuple[float, ...] = (1.0, 2.0, 4.0, 5.0, 10.0, 25.0)) -> st.SearchStrategy[Clean]:
    size_g = st.builds(
        lambda size, sign: size * sign, st.integers(35, 90).map(lambda n: n / 100), st.sampled_from([-1, 1])
    )
    pulse = st.tuples(size_g, st.booleans(), st.sampled_from([1.5, 2.0, 3.0]))
    return st.builds(Clean, hz=st.sampled_from(rates), pulses=st.lists(pulse, max_size=6).map(tuple))
