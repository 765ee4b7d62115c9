"""What a column may become, in which units, and how a unit becomes the contract's."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

G_MS2 = 9.80665
KMH_PER_MPH = 1.609344
KMH_PER_MS = 3.6


class Role(StrEnum):
    """What a column is used for; the values are what people read."""

    UNUSED = "not used"
    TIME = "Time"
    DATE = "Date"
    CLOCK = "Time of day"
    SPEED = "Speed"
    LONG_G = "Longitudinal g"
    LAT_G = "Lateral g"
    LATITUDE = "Latitude"
    LONGITUDE = "Longitude"
    HEADING = "Heading"
    ODOMETER = "Odometer"
    TRIP = "Trip"
    DRIVER = "Driver"
    VEHICLE = "Vehicle"
    VALID = "Row is valid"


CHANNELS: Mapping[Role, str] = MappingProxyType(
    {
        Role.SPEED: "speed_kmh",
        Role.LONG_G: "g_force_long",
        Role.LAT_G: "g_force_lat",
        Role.LATITUDE: "latitude",
        Role.LONGITUDE: "longitude",
        Role.HEADING: "heading_deg",
        Role.ODOMETER: "odometer_km",
    }
)
ACCELERATIONS = {
    "g": 1.0,
    "m/s2": 1 / G_MS2,
    "milli-g": 1e-3,
    "mph/s": KMH_PER_MPH / KMH_PER_MS / G_MS2,
    "km/h/s": 1 / KMH_PER_MS / G_MS2,
}
FACTORS: Mapping[Role, Mapping[str, float]] = MappingProxyType(
    {
        Role.SPEED: {"km/h": 1.0, "mph": KMH_PER_MPH, "m/s": KMH_PER_MS, "knots": 1.852},
        Role.LONG_G: ACCELERATIONS,
        Role.LAT_G: ACCELERATIONS,
        Role.LATITUDE: {"degrees": 1.0, "1e-7 degrees": 1e-7},
        Role.LONGITUDE: {"degrees": 1.0, "1e-7 degrees": 1e-7},
        Role.HEADING: {"degrees": 1.0, "radians": 57.29577951308232},
        Role.ODOMETER: {"km": 1.0, "m": 1e-3, "miles": KMH_PER_MPH},
    }
)
UNIX = {"Unix s": 1_000_000.0, "Unix ms": 1000.0, "Unix us": 1.0, "Unix ns": 1e-3}
"""Microseconds in one."""
EXCEL_DAYS, SECONDS = "Excel days", "seconds from the start"
DATE_ORDERS = ("y-m-d", "d/m/y", "m/d/y")
TIME_UNITS = (*DATE_ORDERS, *UNIX, EXCEL_DAYS, SECONDS)
UNITS: Mapping[Role, tuple[str, ...]] = MappingProxyType(
    {
        **{role: tuple(factors) for role, factors in FACTORS.items()},
        Role.TIME: TIME_UNITS,
        Role.DATE: DATE_ORDERS,
    }
)
"""The units that a role can have; a role that is not here has none."""
LIMITS: Mapping[Role, tuple[float, float]] = MappingProxyType(
    {
        Role.SPEED: (0.0, 400.0),
        Role.LONG_G: (-20.0, 20.0),
        Role.LAT_G: (-20.0, 20.0),
        Role.LATITUDE: (-90.0, 90.0),
        Role.LONGITUDE: (-180.0, 180.0),
        Role.HEADING: (0.0, 360.0),
        Role.ODOMETER: (0.0, 10_000_000.0),
    }
)
"""What the contract takes, in its units."""
