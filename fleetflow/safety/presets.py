"""Where to begin when tuning: rules per vehicle class, each number with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from fleetflow.safety.events import EventKind
from fleetflow.safety.profiles import DEFAULT_PROFILE, Rule, VehicleClass

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPEED_SOURCE = "130 km/h is the highest general motorway limit in most of Europe."
_LORRY_SPEED_SOURCE = "90 km/h is what the speed limiters of lorries over 3.5 t are set to in the EU."


@dataclass(frozen=True, slots=True)
class Preset:
    """Rules with a name and, for each kind, the source of its threshold. Penalties are FleetFlow's own choice."""

    name: str
    vehicle_class: VehicleClass | None
    rules: Mapping[EventKind, Rule]
    sources: Mapping[EventKind, str]


def _preset(
    name: str, vehicle_class: VehicleClass | None, thresholds: tuple[float, ...], sources: tuple[str, ...]
) -> Preset:
    kinds = tuple(EventKind)
    penalties = (DEFAULT_PROFILE.rules[kind].penalty for kind in kinds)
    rules = {kind: Rule(*rule) for kind, rule in zip(kinds, zip(thresholds, penalties, strict=True), strict=True)}
    return Preset(
        name, vehicle_class, MappingProxyType(rules), MappingProxyType(dict(zip(kinds, sources, strict=True)))
    )


PRESETS = (
    Preset(
        "FleetFlow's default",
        None,
        DEFAULT_PROFILE.rules,
        MappingProxyType(
            {
                EventKind.BRAKING: "Within the 0.38-0.45 g that vendors use for passenger cars and light vans.",
                EventKind.ACCELERATION: "Within the 0.38-0.45 g that vendors use for passenger cars and light vans.",
                EventKind.CORNERING: "Between eDriving Mentor's 0.5 g and the lower limits for vans.",
                EventKind.SPEEDING: _SPEED_SOURCE,
            }
        ),
    ),
    _preset(
        "Passenger cars",
        VehicleClass.PASSENGER,
        (0.45, 0.44, 0.50, 130.0),
        (
            "Digital Matter, 0.45 g; eDriving Mentor is stricter at 0.41 g.",
            "Motive, light vehicles, 0.44 g; Digital Matter 0.45 g.",
            "eDriving Mentor, 0.5 g; Digital Matter 0.56 g.",
            _SPEED_SOURCE,
        ),
    ),
    _preset(
        "Light commercial vehicles",
        VehicleClass.LIGHT,
        (0.38, 0.41, 0.45, 130.0),
        (
            "GPS Insight, lighter class, 0.38 g.",
            "Motive, medium vehicles, 0.41 g.",
            "Between eDriving Mentor's 0.5 g and Verizon's moderate level of 0.32 g.",
            _SPEED_SOURCE,
        ),
    ),
    _preset(
        "Heavy vehicles",
        VehicleClass.HEAVY,
        (0.36, 0.38, 0.32, 90.0),
        (
            "GPS Insight, heavier class, 0.36 g.",
            "Motive, heavy vehicles, 0.38 g.",
            "Verizon, moderate, 0.32 g: a laden lorry tips long before it slides.",
            _LORRY_SPEED_SOURCE,
        ),
    ),
)
