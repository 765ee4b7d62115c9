"""How a driver drives: how often he does what."""

from __future__ import annotations

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
    """Harsh events per 100 km, by kind; zero means never."""

    braking: float = 0.0
    acceleration: float = 0.0
    cornering: float = 0.0
    speeding: float = 0.0

    @classmethod
    def of_roughness(cls, roughness: float) -> Temper:
        """From 0 (calm) to 1 (rough)."""
        rates = (calm * (rough / calm) ** roughness for calm, rough in zip(CALM, ROUGH, strict=True))
        return cls(*rates)


class Urge:
    """Turns a rate per 100 km into decisions at the moments when an event is possible."""

    def __init__(self, rng: np.random.Generator, per_100_km: float) -> None:
        self._rng = rng
        self._per_m = per_100_km / 100_000.0
        self._passed_m = 0.0

    def gives_way(self, at_m: float) -> bool:
        """Whether it happens now, `at_m` from the trip's start; the more road since the last chance, the likelier."""
        chance = (at_m - self._passed_m) * self._per_m
        self._passed_m = at_m
        return bool(self._rng.random() < chance)
