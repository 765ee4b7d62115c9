"""Columns -> moments, in microseconds since 1970 in UTC, by array operations; what is no time is told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fleetflow.importers.numbers import numbers
from fleetflow.importers.roles import EXCEL_DAYS, SECONDS, UNIX
from fleetflow.importers.table import BoolArray, FileRefusedError, IntArray

DAY_US = 86_400_000_000
EXCEL_EPOCH_DAYS = 25_569
QUARTER_US = 900_000_000
"""Offsets of zones change at quarters of an hour, so that one answer serves all times within one."""
NEVER = np.iinfo(np.int64).min
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MOMENT = (
    r"^\s*(?:(?P<a>\d{1,4})[-/. ](?P<b>\d{1,2}|[A-Za-z]{3,9})[-/. ](?P<c>\d{1,4})(?:,?[T ]\s*|$))?"
    r"(?:(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?\s*(?P<p>[AaPp])?[Mm]?)?"
    r"\s*(?P<z>Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?\s*$"
)
MOMENT_RE = re.compile(MOMENT)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """`at_us` is meaningless where `bad`; `zoned` tells that the file itself says the zone.

    `ambiguous` rows lie in the hour that comes twice in autumn, `skipped` ones in that which spring leaves out.
    """

    at_us: IntArray
    bad: BoolArray
    zoned: bool
    ambiguous: int = 0
    skipped: int = 0


def moments(column: Any, unit: str, zone: str, start: str = "") -> Moments:
    """The moments of one column that has date and time."""
    if pa.types.is_timestamp(column.type):
        return _of_timestamps(column, zone)
    if pa.types.is_date(column.type):
        return _zoned(_micros(column.cast(pa.timestamp("us"))), _nulls(column), zone)
    if unit in UNIX or unit in {EXCEL_DAYS, SECONDS}:
        return _of_numbers(column, unit, zone, start)
    parts = _Parts.of(column)
    day_us, bad = parts.days(unit)
    local, zoned = day_us + parts.clock_us(), parts.zone_us()
    bad = bad | parts.no_date
    if zoned is None:
        return _zoned(local, bad, zone)
    return Moments(np.where(bad, NEVER, local - zoned), bad, zoned=True)


def moments_of_two(date: Any, unit: str, clock: Any, zone: str) -> Moments:
    """The moments of a column of dates and one of times of day."""
    if pa.types.is_temporal(date.type):
        days_us, bad = _micros(date.cast(pa.timestamp("us"))), _nulls(date)
    else:
        days_us, bad = _Parts.of(date).days(unit)
    clock_us, bad_clock = _clock_us(clock)
    return _zoned(days_us + clock_us, bad | bad_clock, zone)


def _clock_us(column: Any) -> tuple[IntArray, BoolArray]:
    if pa.types.is_time(column.type):
        return _micros(column.cast(pa.time64("us"))), _nulls(column)
    parts = _Parts.of(column)
    return parts.clock_us(), parts.no_clock


def _of_timestamps(column: Any, zone: str) -> Moments:
    bad = _nulls(column)
    if column.type.tz is not None:
        return Moments(_micros(column.cast(pa.timestamp("us", column.type.tz))), bad, zoned=True)
    return _zoned(_micros(column.cast(pa.timestamp("us"), safe=False)), bad, zone)


def _of_numbers(column: Any, unit: str, zone: str, start: str) -> Moments:
    values, bad = numbers(column)
    bad = bad | ~np.isfinite(values)
    values = np.where(bad, 0.0, values)
    if unit == EXCEL_DAYS:
        return _zoned(np.rint((values - EXCEL_EPOCH_DAYS) * DAY_US).astype(np.int64), bad, zone)
    if unit == SECONDS:
        first = _start_us(start)
        return _zoned(first + np.rint(values * 1e6).astype(np.int64), bad, zone)
    limit = 2**62 / UNIX[unit]
    bad = bad | (np.abs(values) > limit)
    return Moments(np.rint(np.where(bad, 0.0, values) * UNIX[unit]).astype(np.int64), bad, zoned=True)


def _start_us(start: str) -> int:
    try:
        moment = datetime.fromisoformat(start)
    except ValueError:
        raise FileRefusedError("The times count seconds from the start: say when the first row was recorded.") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return round((moment - datetime(1970, 1, 1)).total_seconds() * 1e6)  # noqa: DTZ001  # both are local


def _zoned(local_us: IntArray, bad: BoolArray, zone: str) -> Moments:
    """Local times to UTC; of the hour that comes twice in autumn the first is meant. Both odd hours are counted."""
    local_us = np.where(bad, 0, local_us)
    if zone == "UTC":
        return Moments(np.where(bad, NEVER, local_us), bad, zoned=False)
    quarters, places = np.unique(local_us // QUARTER_US, return_inverse=True)
    offsets = [_offsets_us(int(quarter), ZoneInfo(zone)) for quarter in quarters]
    first = np.array([each[0] for each in offsets], dtype=np.int64)
    back = np.array([each[0] - each[1] for each in offsets])[places]  # how far the clock is put back then
    ambiguous, skipped = (int(np.count_nonzero(which & ~bad)) for which in (back > 0, back < 0))
    at_us = np.where(bad, NEVER, local_us - first[places])
    return Moments(at_us, bad, zoned=False, ambiguous=ambiguous, skipped=skipped)


def _offsets_us(quarter: int, zone: ZoneInfo) -> tuple[int, int]:
    try:
        local = datetime(1970, 1, 1, tzinfo=zone) + timedelta(microseconds=quarter * QUARTER_US)
    except OverflowError:
        return 0, 0
    both = (local.replace(fold=fold).utcoffset() or timedelta(0) for fold in (0, 1))
    first, second = (round(each.total_seconds() * 1e6) for each in both)
    return first, second


class _Parts:
    """The parts of written times, as text in Arrow arrays; empty where a text has not the part."""

    def __init__(self, found: Any) -> None:
        self._found = found
        self._missing = np.asarray(pc.is_null(found))

    @classmethod
    def of(cls, column: Any) -> _Parts:
        text = column.cast(pa.string())
        found = pc.extract_regex(text, MOMENT)
        return cls(found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found)

    @property
    def no_date(self) -> BoolArray:
        """Texts without a date."""
        return self._lacks("a")

    @property
    def no_clock(self) -> BoolArray:
        """Texts without a time of day."""
        return self._lacks("h")

    def _lacks(self, name: str) -> BoolArray:
        lacks: BoolArray = self._missing | np.asarray(pc.equal(self._part(name), ""))
        return lacks

    def days(self, unit: str) -> tuple[IntArray, BoolArray]:
        """Midnight of the date in microseconds, and where there is none."""
        first, last = self._whole("a"), self._whole("c")
        month = self._month()
        year, middle, day = (first, month, last) if unit == "y-m-d" else (last, month, first)
        if unit == "m/d/y":
            middle, day = first, month
        year = np.where(year < 100, year + np.where(year < 70, 2000, 1900), year)  # noqa: PLR2004
        bad = (middle < 1) | (middle > 12) | (day < 1) | (day > 31) | (year < 1900) | (year > 9998)  # noqa: PLR2004
        bad |= self._missing
        months = (np.where(bad, 1970, year) - 1970) * 12 + np.where(bad, 1, middle) - 1
        begin = months.astype("datetime64[M]").astype("datetime64[D]")
        days = begin.astype(np.int64) + np.where(bad, 1, day) - 1
        bad |= days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) != months
        return days * DAY_US, bad

    def clock_us(self) -> IntArray:
        """The time of day in microseconds, 0 without one."""
        hours, half = self._whole("h"), pc.utf8_lower(self._part("p"))
        if pc.any(pc.not_equal(half, "")).as_py():
            hours = hours % 12 + 12 * np.asarray(pc.equal(half, "p"))
        fraction = pc.utf8_slice_codeunits(pc.utf8_rpad(self._part("f"), 6, "0"), 0, 6)
        micros = np.asarray(fraction.cast(pa.int64()))
        clock: IntArray = (hours * 3600 + self._whole("m") * 60 + self._whole("s")) * 1_000_000 + micros
        return clock

    def zone_us(self) -> IntArray | None:
        """The offset that each text itself says; None unless all do."""
        zone = pc.replace_substring(self._part("z"), ":", "")
        if pc.any(pc.equal(zone, "")).as_py():
            return None
        signed = pc.match_substring_regex(zone, "^[+-]")
        digits = pc.utf8_rpad(pc.if_else(signed, pc.utf8_slice_codeunits(zone, 1, 5), "0000"), 4, "0")
        value = np.asarray(digits.cast(pa.int64()))
        sign = np.where(np.asarray(pc.starts_with(zone, "-")), -1, 1)
        offset: IntArray = sign * (value // 100 * 3600 + value % 100 * 60) * 1_000_000
        return offset

    def _month(self) -> IntArray:
        text = self._part("b")
        for number, name in enumerate(MONTHS, 1):
            if pc.any(pc.match_substring_regex(text, "^[A-Za-z]")).as_py():
                named = pc.starts_with(pc.utf8_lower(text), name)
                text = pc.if_else(named, str(number), text)
        text = pc.if_else(pc.match_substring_regex(text, "^[0-9]+$"), text, "0")
        return np.asarray(text.cast(pa.int64()))

    def _whole(self, name: str) -> IntArray:
        text = self._part(name)
        return np.asarray(pc.if_else(pc.equal(text, ""), "0", text).cast(pa.int64()))

    def _part(self, name: str) -> Any:
        return pc.fill_null(pc.struct_field(self._found, name), "")


def _micros(column: Any) -> IntArray:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    whole: IntArray = np.asarray(pc.fill_null(column.view(pa.int64()), 0))
    return whole


def _nulls(column: Any) -> BoolArray:
    nulls: BoolArray = np.asarray(pc.is_null(column))
    return nulls
