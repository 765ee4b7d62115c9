"""Trips with their events as the columns that whole fleets are judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.judging import CLASSES, KINDS, EventColumns, TripColumns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleetflow.safety.events import HarshEvent


def columns(trips: Sequence[tuple[str, Sequence[HarshEvent]]]) -> tuple[EventColumns, TripColumns]:
    """Each trip is the class of its vehicle and its events; one driver, one day, a kilometre in a second each."""
    flat = [(number, event) for number, (_, its) in enumerate(trips) for event in its]
    rows = len(trips)
    return (
        EventColumns(
            trip=np.array([number for number, _ in flat], dtype=np.int32),
            kind=np.array([KINDS.index(event.kind) for _, event in flat], dtype=np.int8),
            peak=np.array([event.peak for _, event in flat], dtype=np.float64),
            standing=np.array([event.standing for _, event in flat], dtype=np.int8),
        ),
        TripColumns(
            driver=np.zeros(rows, dtype=np.int32),
            vehicle_class=np.array([CLASSES.index(name) for name, _ in trips], dtype=np.int8),
            day=np.zeros(rows, dtype=np.int32),
            distance_km=np.ones(rows),
            duration_s=np.ones(rows),
            usable=np.ones(rows, dtype=bool),
        ),
    )
