"""Rows -> trips: put in order, cut at silences, filled where the contract wants a value that a short hole lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import numpy as np

from fleetflow.importers.positions import find_jumps, speed_kmh
from fleetflow.safety.derived import derive
from fleetflow.trips.clock import median_step_s
from fleetflow.trips.samples import OPTIONAL_CHANNELS, Samples, Trip
from fleetflow.trips.signals import examine
from fleetflow.trips.wire import EARLIEST, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.importers.mapping import Mapping
    from fleetflow.importers.rows import Rows
    from fleetflow.importers.table import BoolArray, IntArray, Refusals
    from fleetflow.trips.samples import FloatArray

NAMESPACE = UUID("5b1d9a0e-6d3f-5c0a-9c1e-2f7a3b8e4d60")
HOLE_S = 2.0
"""A shorter silence of one channel is bridged by a straight line; more would be made up."""
MIN_POINTS = 2
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Drive:
    """A trip of a file: what the file calls it, its driver and vehicle, and the line that it begins on."""

    trip: Trip
    line: int
    label: str = ""
    driver: str = ""
    vehicle: str = ""


@dataclass(slots=True, eq=False)
class Drives:
    """All trips of a file; `notes` say in sentences what was done on the way."""

    drives: list[Drive]
    refusals: Refusals
    notes: list[str] = field(default_factory=list)


def identity(text: str, kind: str) -> UUID:
    """The id of a driver or vehicle: the text itself if it is a UUID, else one made of it, always the same."""
    try:
        return UUID(text)
    except ValueError:
        return uuid5(NAMESPACE, f"{kind} {text}")


def cut(rows: Rows, mapping: Mapping, *, latest: datetime, max_trips: int) -> Drives:
    """The trips of the rows. A trip that the API would not take is refused here, with its first line."""
    maker = _Maker(mapping, rows.refusals, latest)
    rows = _ordered(rows)
    rows = _without_repeats(rows)
    drives = []
    pieces = list(_pieces(rows, mapping))
    if len(pieces) > max_trips:
        rows.notes.append(f"{len(pieces):,} trips; only the first {max_trips:,} are taken.")
    for piece in pieces[:max_trips]:
        drive = maker.drive(rows.taken(piece))
        if drive is not None:
            drives.append(drive)
    return Drives(drives, rows.refusals, [*rows.notes, *maker.notes()])


def _ordered(rows: Rows) -> Rows:
    """By trip and time; rows of one time stay as they stand in the file."""
    codes = _trip_codes(rows)
    keys = (codes,) if rows.at_us is None else (rows.at_us, codes)
    steps = np.diff(codes)
    sorted_already = bool(np.all(steps >= 0))
    if rows.at_us is not None:
        sorted_already = sorted_already and bool(np.all((np.diff(rows.at_us) >= 0) | (steps > 0)))
    if sorted_already:
        return rows
    order = np.lexsort(keys)
    if rows.at_us is not None:
        late = int(np.count_nonzero((np.diff(rows.at_us) < 0) & (steps == 0)))
        if late:
            rows.notes.append(f"The rows step back in time {late:,} times and were sorted.")
    return rows.taken(order)


def _trip_codes(rows: Rows) -> IntArray:
    """One number for each trip column, driver and vehicle together."""
    codes: IntArray = (rows.vehicles[0] * len(rows.drivers[1]) + rows.drivers[0]) * len(rows.trips[1]) + rows.trips[0]
    return codes


def _without_repeats(rows: Rows) -> Rows:
    """Rows that say the same as the one before, at the same time, are there once."""
    if rows.at_us is None or len(rows) < MIN_POINTS:
        return rows
    same = (np.diff(rows.at_us) == 0) & (np.diff(_trip_codes(rows)) == 0)
    if not same.any():
        return rows
    for values in rows.channels.values():
        same &= (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    if not same.any():
        return rows
    rows.notes.append(f"{same.sum():,} rows are in the file twice and were taken once.")
    return rows.taken(np.concatenate([[True], ~same]))


def _pieces(rows: Rows, mapping: Mapping) -> Iterator[slice]:
    if not len(rows):
        return
    cuts = np.diff(_trip_codes(rows)) != 0
    if rows.at_us is not None:
        cuts |= np.diff(rows.at_us) > mapping.gap_s * 1e6
    edges = [0, *(np.flatnonzero(cuts) + 1).tolist(), len(rows)]
    for begin, end in pairwise(edges):
        yield slice(begin, end)


class _Maker:
    """Makes trips of pieces, and remembers what it had to do."""

    def __init__(self, mapping: Mapping, refusals: Refusals, latest: datetime) -> None:
        self._mapping = mapping
        self._refusals = refusals
        self._latest = latest
        self._derived = self._sparse = self._bridged = 0
        self._from_positions = False

    def drive(self, rows: Rows) -> Drive | None:
        """The trip of one piece; None where nothing is left of it."""
        rows = self._with_speed(rows)
        measured = _has_g(rows)
        rows = self._bridge(rows, "g_force_long", "has no acceleration") if measured else self._with_g_of_speed(rows)
        if not len(rows):
            return None
        line, at_us = int(rows.lines[0]), rows.at_us
        fault = self._fault(rows)
        if fault:
            self._refusals.add(line, "", "", fault)
            return None
        driver = _name(rows.drivers) or self._mapping.driver
        vehicle = _name(rows.vehicles) or self._mapping.vehicle
        samples = _samples(rows.channels, None if at_us is None else _seconds(at_us), g_from_speed=not measured)
        trip = Trip(
            identity(vehicle, "vehicle"),
            identity(driver, "driver"),
            samples,
            None if at_us is None else EPOCH + timedelta(microseconds=int(at_us[0])),
            self._mapping.sample_hz if at_us is None else None,
        )
        return Drive(trip, line, _name(rows.trips), driver, vehicle)

    def notes(self) -> Iterator[str]:
        """What was done to all trips together."""
        if self._from_positions:
            yield "The file has no speed: it was taken from the positions."
        if self._derived:
            yield "The file has no acceleration: it was taken from the change of speed, so that scores are estimates."
        if self._sparse:
            yield f"In {self._sparse:,} trips the speed is too rare to show any acceleration: no event can be found."
        if self._bridged:
            yield f"{self._bridged:,} missing values were bridged, none longer than {HOLE_S:g} s."

    def _with_speed(self, rows: Rows) -> Rows:
        if "speed_kmh" in rows.channels:
            return self._bridge(rows, "speed_kmh", "has no speed")
        if "latitude" not in rows.channels or rows.at_us is None:
            return self._refuse_all(rows, "has neither speed nor position with a time")
        rows = self._without(rows, np.isnan(rows.channels["latitude"]), "has no position")
        if not len(rows):
            return rows
        t_s = _seconds(rows.at_us)  # type: ignore[arg-type]  # as above
        jumps, needed = find_jumps(t_s, rows.channels["latitude"], rows.channels["longitude"])
        for row in np.flatnonzero(jumps).tolist():
            reason = f"is a jump: {needed[row]:,.0f} km/h from the position before"
            self._refusals.add(int(rows.lines[row]), "", _position(rows, row), reason)
        rows = rows.taken(~jumps)
        t_s = t_s[~jumps]
        self._from_positions = True
        rows.channels["speed_kmh"] = np.minimum(
            speed_kmh(t_s, rows.channels["latitude"], rows.channels["longitude"]), Limits().max_speed_kmh
        )
        return rows

    def _with_g_of_speed(self, rows: Rows) -> Rows:
        if not len(rows):
            return rows
        known = None if rows.at_us is None else g_of_speed(_seconds(rows.at_us), rows.channels["speed_kmh"])
        self._derived += known is not None
        self._sparse += known is None
        rows.channels["g_force_long"] = np.zeros(len(rows)) if known is None else known
        return rows

    def _bridge(self, rows: Rows, channel: str, reason: str) -> Rows:
        """Fill short holes by straight lines, and refuse what is missing in longer ones."""
        values = rows.channels[channel]
        missing = np.isnan(values)
        if not missing.any():
            return rows
        if rows.at_us is not None and not missing.all():
            t_s = _seconds(rows.at_us)
            fillable = missing & (_distance_s(t_s, ~missing) <= HOLE_S / 2)
            filled = np.interp(t_s, t_s[~missing], values[~missing])
            rows.channels[channel] = np.where(fillable, filled, values)
            self._bridged += int(fillable.sum())
            missing &= ~fillable
        return self._without(rows, missing, reason)

    def _without(self, rows: Rows, bad: BoolArray, reason: str) -> Rows:
        if not bad.any():
            return rows
        self._refusals.add_rows(rows.lines, bad, "", lambda _: "", reason)
        return rows.taken(~bad)

    def _refuse_all(self, rows: Rows, reason: str) -> Rows:
        return self._without(rows, np.ones(len(rows), dtype=np.bool_), reason)

    def _fault(self, rows: Rows) -> str:
        """Why the API would not take the trip; empty if it would."""
        limits, at_us = Limits(), rows.at_us
        if len(rows) < MIN_POINTS:
            return "is a trip of a single point"
        if len(rows) > limits.max_points:
            return f"begins a trip of {len(rows):,} points; the limit is {limits.max_points:,}"
        return "" if at_us is None else self._clock_fault(at_us)

    def _clock_fault(self, at_us: IntArray) -> str:
        limits = Limits()
        if at_us[0] < EARLIEST.timestamp() * 1e6:
            return f"is before {EARLIEST.year}: the device's clock was not set, or the unit of the time is another"
        if at_us[-1] > self._latest.timestamp() * 1e6:
            return "begins a trip that ends in the future"
        if at_us[-1] - at_us[0] > limits.max_duration_s * 1e6:
            return f"begins a trip of more than {limits.max_duration_s / 3600:g} hours"
        return ""


def _name(labelled: tuple[IntArray, list[str]]) -> str:
    """What the first row says."""
    codes, texts = labelled
    return texts[int(codes[0])]


def _has_g(rows: Rows) -> bool:
    """Whether an accelerometer measured anything."""
    return "g_force_long" in rows.channels and bool(np.isfinite(rows.channels["g_force_long"]).any())


def g_of_speed(t_s: FloatArray, speed: FloatArray) -> FloatArray | None:
    """For each sample the acceleration that the step of speed towards it shows, as large as an accelerometer would.

    None where the speed is too rare for it. A step stands at the sample that ends it: in between there is none.
    """
    if len(t_s) < MIN_POINTS or median_step_s(t_s) is None:
        return None
    signals = examine([Samples(speed, np.full(len(t_s), np.nan), t_s=t_s)])[0]
    derived = derive(signals.even, signals.refresh_s)
    if derived is None:
        return None
    long_g = np.zeros(len(t_s))
    for track in derived.trip.tracks:
        grid_s = track.start_s + track.step_s * np.arange(len(track.long_g))
        inside = (t_s >= grid_s[0]) & (t_s <= grid_s[-1] + track.step_s)
        long_g[inside] = np.interp(t_s[inside] - track.step_s, grid_s, track.long_g)
    limit = Limits().max_g
    return np.clip(long_g, -limit, limit)


def _seconds(at_us: IntArray) -> FloatArray:
    """From the first sample, exact to the microsecond, as the API reckons them."""
    seconds: FloatArray = (at_us - at_us[0]) / 1e6
    return seconds


def _distance_s(t_s: FloatArray, known: BoolArray) -> FloatArray:
    """How far each sample is from the nearest known one."""
    at = t_s[known]
    after = np.clip(np.searchsorted(at, t_s), 0, len(at) - 1)
    before = np.maximum(after - 1, 0)
    nearest: FloatArray = np.minimum(np.abs(at[after] - t_s), np.abs(at[before] - t_s))
    return nearest


def _samples(channels: dict[str, FloatArray], t_s: FloatArray | None, *, g_from_speed: bool) -> Samples:
    optional: dict[str, Any] = {}
    for name in OPTIONAL_CHANNELS:
        values = channels.get(name)
        if values is not None and np.isfinite(values).any():
            optional[name] = np.where(np.isnan(values), np.nan, values)  # one NaN, so that equal trips hash alike
    speed_kmh, long_g = np.ascontiguousarray(channels["speed_kmh"]), channels["g_force_long"]
    return Samples(speed_kmh, long_g, t_s=t_s, g_from_speed=g_from_speed, **optional)


def _position(rows: Rows, row: int) -> str:
    return f"{rows.channels['latitude'][row]:.6f} {rows.channels['longitude'][row]:.6f}"
