"""A table under a mapping: rows in the contract's units, those that cannot be right refused, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetflow.importers.numbers import labels, numbers
from fleetflow.importers.roles import CHANNELS, FACTORS, LIMITS, Role
from fleetflow.importers.table import BoolArray, IntArray, Refusals, Table
from fleetflow.importers.times import Moments, moments, moments_of_two

if TYPE_CHECKING:
    from fleetflow.importers.mapping import Mapping
    from fleetflow.trips.samples import FloatArray

NO = frozenset(["no", "n", "false", "0", "invalid", "v", "nao", "não", "non", "nein"])
CONTRACT_UNITS = {Role.SPEED: "km/h", Role.LONG_G: "g", Role.LAT_G: "g"}
BLANKED = frozenset({Role.HEADING, Role.ODOMETER})
"""Channels that no score depends on: a value that cannot be is left out, and the row stays."""


@dataclass(slots=True, eq=False)
class Rows:
    """Rows that passed. `at_us` is None without a clock; the codes count through their texts, 0 is none."""

    at_us: IntArray | None
    channels: dict[str, FloatArray]
    lines: IntArray
    trips: tuple[IntArray, list[str]]
    drivers: tuple[IntArray, list[str]]
    vehicles: tuple[IntArray, list[str]]
    refusals: Refusals
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)

    def taken(self, rows: Any) -> Rows:
        """The same with some of the rows, in the order given."""
        at_us = None if self.at_us is None else self.at_us[rows]
        channels = {name: values[rows] for name, values in self.channels.items()}
        trips, drivers, vehicles = ((each[0][rows], each[1]) for each in (self.trips, self.drivers, self.vehicles))
        return Rows(at_us, channels, self.lines[rows], trips, drivers, vehicles, self.refusals, self.notes)


def convert(table: Table, mapping: Mapping) -> Rows:
    """The rows under the mapping. Raises FileRefusedError for a mapping that does not fit the table."""
    mapping.check(table.columns)
    sieve = _Sieve(table, mapping)
    sieve.leave_out_invalid()
    at_us = sieve.clock()
    channels = {channel: values for role, channel in CHANNELS.items() if (values := sieve.channel(role)) is not None}
    _blank_positions(channels)
    rows = Rows(
        at_us, channels, table.lines, sieve.labels(Role.TRIP), sieve.labels(Role.DRIVER), sieve.labels(Role.VEHICLE),
        sieve.refusals, sieve.notes,
    )  # fmt: skip
    return rows if sieve.good.all() else rows.taken(sieve.good)


class _Sieve:
    """Which rows are still good; a row is refused once, for its first fault."""

    def __init__(self, table: Table, mapping: Mapping) -> None:
        self.table = table
        self.good: BoolArray = np.ones(len(table), dtype=np.bool_)
        self.refusals = Refusals(table.refusals.count, list(table.refusals.kept))
        self.notes = list(table.notes)
        self._mapping = mapping

    def leave_out_invalid(self) -> None:
        """Rows that the file itself calls invalid."""
        name = self._mapping.column(Role.VALID)
        if name is None:
            return
        codes, texts = labels(self.table.columns[name])
        invalid = np.array([text.lower() in NO for text in texts])[codes]
        self.good &= ~invalid
        if invalid.any():
            self.notes.append(f"{invalid.sum():,} rows are left out: their {name} says so.")

    def clock(self) -> IntArray | None:
        """The time of every row; None where nothing tells it."""
        found = self._moments()
        if found is None:
            return None
        name = self._mapping.column(Role.TIME) or self._mapping.column(Role.CLOCK) or ""
        self._refuse(found.bad, name, "is no time")
        if not found.zoned:
            self.notes.append(f"The times carry no zone and were read as {self._mapping.zone}.")
        if found.ambiguous:
            text = f"{found.ambiguous:,} rows lie in the hour that comes twice; the first was taken."
            self.notes.append(text)
        if found.skipped:
            hour = f"the hour that {self._mapping.zone} skips in spring"
            self.notes.append(f"{found.skipped:,} rows lie in {hour}: is the zone right?")
        return found.at_us

    def _moments(self) -> Moments | None:
        mapping, columns = self._mapping, self.table.columns
        time, date, clock = (mapping.column(role) for role in (Role.TIME, Role.DATE, Role.CLOCK))
        if time is not None:
            return moments(columns[time], mapping.unit(Role.TIME), mapping.zone, mapping.start)
        if date is not None and clock is not None:
            return moments_of_two(columns[date], mapping.unit(Role.DATE), columns[clock], mapping.zone)
        return None

    def channel(self, role: Role) -> FloatArray | None:
        """The column of the role in the contract's unit."""
        name = self._mapping.column(role)
        if name is None:
            return None
        values, bad = numbers(self.table.columns[name], decimal_comma=self.table.decimal_comma)
        self._refuse(bad, name, "is no number")
        factor = FACTORS[role][self._mapping.unit(role) or next(iter(FACTORS[role]))]
        if factor != 1.0:
            values = values * factor
        if role is Role.LONG_G and self._mapping.reversed_long:
            values = -values
        if role is Role.HEADING:
            values = np.mod(values, 360.0)
        low, high = LIMITS[role]
        outside = (values < low) | (values > high)
        if role in BLANKED:
            return np.where(outside, np.nan, values)
        if outside.any():
            self._refuse_outside(role, name, values, outside)
        return values

    def _refuse_outside(self, role: Role, name: str, values: FloatArray, outside: BoolArray) -> None:
        low, high = LIMITS[role]
        if role is Role.SPEED:
            self._refuse(values < 0, name, "is negative, which loggers write where they have no speed")
        unit = CONTRACT_UNITS.get(role, "degrees")
        self._refuse(outside, name, f"is not between {low:g} and {high:g} {unit}")

    def labels(self, role: Role) -> tuple[IntArray, list[str]]:
        """Codes and texts of the column of the role; all are the first, empty text without one."""
        name = self._mapping.column(role)
        if name is None:
            return np.zeros(len(self.table), dtype=np.int64), [""]
        return labels(self.table.columns[name])

    def _refuse(self, bad: BoolArray, column: str, reason: str) -> None:
        fresh = bad & self.good
        if fresh.any():
            cells = self.table.columns[column]
            self.refusals.add_rows(self.table.lines, fresh, column, lambda row: cells[row].as_py(), reason)
            self.good &= ~fresh


def _blank_positions(channels: dict[str, FloatArray]) -> None:
    """0/0 is how receivers say that they know no position; and half of one is none."""
    latitude, longitude = channels.get("latitude"), channels.get("longitude")
    if latitude is None or longitude is None:
        channels.pop("latitude", None)
        channels.pop("longitude", None)
        return
    none = ((latitude == 0) & (longitude == 0)) | np.isnan(latitude) | np.isnan(longitude)
    if none.any():
        channels["latitude"] = np.where(none, np.nan, latitude)
        channels["longitude"] = np.where(none, np.nan, longitude)
