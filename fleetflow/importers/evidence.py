"""What the signals of a table say of each other: speed against positions, acceleration against speed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fleetflow.importers.numbers import labels
from fleetflow.importers.positions import distances_m
from fleetflow.importers.roles import FACTORS, KMH_PER_MPH, KMH_PER_MS, Role
from fleetflow.trips.agreement import Agreement, agreement
from fleetflow.trips.samples import Samples

if TYPE_CHECKING:
    from fleetflow.importers.cells import Cells
    from fleetflow.importers.mapping import Mapping, Use
    from fleetflow.importers.table import Table
    from fleetflow.trips.samples import FloatArray

EVIDENCE_ROWS = 100_000
EVIDENCE_S = 172_800.0
SPEED_RATIOS = {"km/h": 1.0, "mph": KMH_PER_MPH, "m/s": KMH_PER_MS, "knots": 1.852}
NEAR = 0.08
MIN_PATH_M = 500.0


class Evidence:
    """One trip of a table under the mapping as far as it is known; `seconds` are the times of all rows."""

    def __init__(self, table: Table, cells: Cells, mapping: Mapping, seconds: FloatArray | None) -> None:
        self._table = table
        self._cells = cells
        self._mapping = mapping
        self._seconds = seconds

    def speed_unit(self, name: str) -> str:
        """The unit in which the speed covers the distance between the positions; empty where that cannot tell."""
        at = [self._mapping.column(role) for role in (Role.LATITUDE, Role.LONGITUDE)]
        drive = self._drive()
        if at[0] is None or at[1] is None or drive is None:
            return ""
        rows, t_s = drive
        uses = self._mapping.uses
        latitude, longitude = (self._cells.values(each)[rows] * _degrees(uses[each]) for each in at if each)
        speed, steps_s = self._cells.values(name)[rows], np.diff(t_s)
        meters = distances_m(latitude, longitude)
        good = np.isfinite(meters) & np.isfinite(speed[1:]) & (steps_s > 0) & (steps_s <= 10) & (meters < 90 * steps_s)  # noqa: PLR2004
        way_m, said = float(meters[good].sum()), float((speed[1:] * steps_s / KMH_PER_MS)[good].sum())
        if way_m < MIN_PATH_M or said <= 0:
            return ""
        best = min(SPEED_RATIOS, key=lambda unit: abs(way_m / said / SPEED_RATIOS[unit] - 1))
        return best if abs(way_m / said / SPEED_RATIOS[best] - 1) < NEAR else ""

    def _drive(self) -> tuple[Any, FloatArray] | None:
        """Rows of one trip in order, and their seconds; None without a clock."""
        found = self._seconds
        if found is None:
            return None
        rows = np.flatnonzero(np.isfinite(found))
        label = self._mapping.column(Role.TRIP)
        if label is not None and rows.size:
            codes, _ = labels(self._table.columns[label])
            rows = rows[codes[rows] == int(np.argmax(np.bincount(codes[rows])))]
        rows = rows[:EVIDENCE_ROWS]
        if not rows.size:
            return None
        rows = rows[np.argsort(found[rows], kind="stable")]
        t_s = found[rows] - found[rows[0]]
        within = t_s <= EVIDENCE_S
        return rows[within], t_s[within]

    def against_speed(self, name: str) -> Agreement:
        """How the values, taken for g, agree with the change of speed."""
        speed, drive = self._mapping.column(Role.SPEED), self._drive()
        if speed is None or drive is None:
            return Agreement()
        rows, t_s = drive
        speed_kmh = self._cells.values(speed)[rows] * FACTORS[Role.SPEED][self._mapping.unit(Role.SPEED)]
        speed_kmh = np.where(speed_kmh < 0, np.nan, speed_kmh)
        return agreement(Samples(speed_kmh, self._cells.values(name)[rows], t_s=t_s))


def _degrees(use: Use) -> float:
    return FACTORS[use.role].get(use.unit, 1.0)
