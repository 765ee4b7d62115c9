"""How a driver drives: how often he does what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

# What the calmest and the roughest driver do per 100 km; between them it grows geometrically, as in real fleets,
# where a few drivers make most of the events.
CALM = (0.3, 0.2, 0.2, 0.05)
ROUGH = (14.0, 10.0, 9.0, 2.0)


@dataclass(frozen=True, slots=True)
class Temper:
    """Harsh events per 100 km, by kind; zero means never. `firm` are manoeuvres of any kind between calm and harsh."""

    braking: float = 0.0
    acceleration: float = 0.0
    cornering: float = 0.0
    speeding: float = 0.0
    firm: float = 0.0

    @classmethod
    def of_roughness(cls, roughness: float, *, firm: float = 0.0) -> Temper:
        """From 0 (calm) to 1 (rough)."""
        rates = [calm * (rough / calm) ** roughness for calm, rough in zip(CALM, ROUGH, strict=True)]
        return cls(rates[0], rates[1], rates[2], rates[3], firm)


class Urge:
    """A Poisson process along the road: an event that falls due waits for the next moment at which it is possible."""

    def __init__(self, rng: np.random.Generator, per_100_km: float) -> None:
        self._rng = rng
        self._mean_m = 100_000.0 / per_100_km if per_100_km > 0 else math.inf
        self._due_m = self._interval_m()

    def is_due(self, at_m: float) -> bool:
        """Whether it should happen now, `at_m` from the trip's start."""
        return at_m >= self._due_m

    def give_way(self) -> None:
        """It happened: wait for the next, which may be due already."""
        self._due_m += self._interval_m()

    def _interval_m(self) -> float:
        return self._mean_m * float(self._rng.exponential()) if math.isfinite(self._mean_m) else math.inf
