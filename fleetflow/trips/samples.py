"""One trip's telemetry as columns: the form in which it is stored, analysed and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

FloatArray: TypeAlias = npt.NDArray[np.float64]

REQUIRED_CHANNELS = ("speed_kmh", "g_force_long")
FROM_SPEED = "speed"
"""What `g_source` says of a trip whose acceleration was reckoned from its speed."""
OPTIONAL_CHANNELS = ("g_force_lat", "latitude", "longitude", "heading_deg", "odometer_km")


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Columns of equal length; a value that one point left out is NaN, a channel no point had is None.

    `t_s` are seconds from the trip's start and never fall; None means that the trip has no clock.
    `g_force_long` is positive forward, `g_force_lat` positive to the left, both in g. `g_from_speed` says that no
    accelerometer measured them: whoever made the trip reckoned `g_force_long` from the speed.
    """

    speed_kmh: FloatArray
    g_force_long: FloatArray
    t_s: FloatArray | None = None
    g_force_lat: FloatArray | None = None
    latitude: FloatArray | None = None
    longitude: FloatArray | None = None
    heading_deg: FloatArray | None = None
    odometer_km: FloatArray | None = None
    g_from_speed: bool = False

    def __len__(self) -> int:
        return len(self.g_force_long)


@dataclass(frozen=True, slots=True, eq=False)
class Trip:
    """A trip as a vehicle hands it over; `started_at` is aware, and None when nothing told a date."""

    vehicle_id: UUID
    driver_id: UUID
    samples: Samples
    started_at: datetime | None = None
    sample_hz: float | None = None
