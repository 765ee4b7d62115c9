"""Which columns tell the time, and how: by their types and values first, by their names between equals."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fleetflow.importers import names
from fleetflow.importers.mapping import Use
from fleetflow.importers.numbers import numbers
from fleetflow.importers.roles import EXCEL_DAYS, SECONDS, Role
from fleetflow.importers.times import MOMENT_RE, NEVER, Moments, moments, moments_of_two

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    from fleetflow.importers.table import Table
    from fleetflow.trips.samples import FloatArray

SAMPLE = 400
MIN_SHARE = 0.9
EPOCHS = (("Unix s", 9.4e8, 4e9), ("Unix ms", 9.4e11, 4e12), ("Unix us", 9.4e14, 4e15), ("Unix ns", 9.4e17, 4e18))
EXCEL_RANGE = 36_500.0, 60_000.0  # 1999 to 2064
LARGEST_DAY, LARGEST_MONTH = 31, 12


@dataclass(frozen=True, slots=True)
class ClockGuess:
    """`seconds` is the time of each row, NaN where none; `other_order` is set where dates can be read two ways."""

    uses: dict[str, Use] = field(default_factory=dict)
    reason: str = ""
    seconds: FloatArray | None = None
    other_order: str = ""
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    name: str
    kind: str  # moment, date, clock, number
    unit: str
    score: float
    other_order: str = ""
    evidence: str = ""


def guess_clock(table: Table, free: Iterable[str]) -> ClockGuess:
    """The best column, or the best pair of a date and a time of day."""
    found = [each for name in free if (each := _candidate(name, table.columns[name])) is not None]
    whole = [each for each in found if each.kind in {"moment", "epoch"}]
    if whole:
        return _single(table, max(whole, key=lambda each: each.score))
    dates, clocks = ([each for each in found if each.kind == kind] for kind in ("date", "clock"))
    if dates and clocks:
        return _pair(table, dates, clocks)
    counted = [each for each in found if each.kind == "elapsed"]
    return _single(table, max(counted, key=lambda each: each.score)) if counted else ClockGuess()


def _single(table: Table, best: _Candidate) -> ClockGuess:
    seconds: FloatArray | None = None
    if best.unit == SECONDS:
        seconds = numbers(table.columns[best.name])[0]
    else:
        seconds = _seconds(moments(table.columns[best.name], best.unit, "UTC"))
    reason = f"values are {best.unit}" if best.unit else "values are times"
    uses = {best.name: Use(Role.TIME, best.unit)}
    return ClockGuess(uses, reason, seconds, best.other_order, best.evidence)


def _pair(table: Table, dates: list[_Candidate], clocks: list[_Candidate]) -> ClockGuess:
    """Of all pairs the one that steps back in time least often; then by names, then by place."""

    def backwards(pair: tuple[_Candidate, _Candidate]) -> int:
        seconds = _both(table, *pair)
        return int(np.count_nonzero(np.diff(seconds[np.isfinite(seconds)]) < 0))

    pairs = list(product(dates, clocks))[:16]
    date, clock = min(pairs, key=lambda pair: (backwards(pair), -pair[0].score - pair[1].score))
    uses = {date.name: Use(Role.DATE, date.unit), clock.name: Use(Role.CLOCK)}
    return ClockGuess(uses, "date and time of day", _both(table, date, clock), date.other_order, date.evidence)


def _both(table: Table, date: _Candidate, clock: _Candidate) -> FloatArray:
    return _seconds(moments_of_two(table.columns[date.name], date.unit, table.columns[clock.name], "UTC"))


def _seconds(found: Moments) -> FloatArray:
    return np.where(found.bad | (found.at_us == NEVER), np.nan, found.at_us / 1e6)


def _candidate(name: str, column: Any) -> _Candidate | None:
    kind = column.type
    named = names.score(name, Role.TIME)
    if pa.types.is_timestamp(kind):
        return _Candidate(name, "moment", "y-m-d", 3 + named)
    if pa.types.is_date(kind):
        return _Candidate(name, "date", "y-m-d", 2 + named + _preferred(name))
    if pa.types.is_time(kind):
        return _Candidate(name, "clock", "", 2 + named + _preferred(name) - _is_time(name))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _of_text(name, _sample(column), named)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return _of_numbers(name, column, named)
    return None


def _preferred(name: str) -> float:
    return float(bool(names.PREFERRED & set(names.words(name).split("_"))))


def _is_time(name: str) -> float:
    """A column that is called `03:00:00` is named by what somebody reckoned with, not by what it holds."""
    return float(MOMENT_RE.match(name) is not None)


def _sample(column: Any) -> list[str]:
    step = max(len(column) // SAMPLE, 1)
    return [text for text in column.take(pa.array(np.arange(0, len(column), step))).to_pylist() if text]


def _of_text(name: str, sample: list[str], named: float) -> _Candidate | None:
    matches = [match for text in sample if (match := MOMENT_RE.match(text)) is not None and (match["a"] or match["h"])]
    if not sample or len(matches) < MIN_SHARE * len(sample):
        return None
    if not matches[0]["a"]:
        return _Candidate(name, "clock", "", 2 + named + _preferred(name) - _is_time(name))
    unit, other, evidence = _order(matches)
    if matches[0]["h"]:
        return _Candidate(name, "moment", unit, 3 + named, other, evidence)
    return _Candidate(name, "date", unit, 2 + named + _preferred(name), other, evidence)


def _order(matches: list[re.Match[str]]) -> tuple[str, str, str]:
    """How the parts of the dates stand, which other way is possible, and what that means for the first one."""
    if len(matches[0]["a"]) == 4 or not matches[0]["b"].isdigit():  # noqa: PLR2004
        return ("y-m-d" if len(matches[0]["a"]) == 4 else "d/m/y"), "", ""  # noqa: PLR2004
    firsts = {int(match["a"]) for match in matches}
    seconds = {int(match["b"]) for match in matches if match["b"].isdigit()}
    if max(firsts) > LARGEST_MONTH:
        return "d/m/y", "", ""
    if max(seconds) > LARGEST_MONTH:
        return "m/d/y", "", ""
    guessed, other = ("m/d/y", "d/m/y") if len(firsts) < len(seconds) else ("d/m/y", "m/d/y")
    text = f"Dates such as {matches[0].group(0).strip()[:10]} can be read both ways; no day is above 12."
    return guessed, other, text


def _of_numbers(name: str, column: Any, named: float) -> _Candidate | None:
    values = numbers(column)[0]
    values = values[np.isfinite(values)]
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    for unit, least, most in EPOCHS:
        if least <= low and high <= most:
            return _Candidate(name, "epoch", unit, 2 + named)
    if named and EXCEL_RANGE[0] <= low and high <= EXCEL_RANGE[1]:
        return _Candidate(name, "epoch", EXCEL_DAYS, 2 + named)
    rises = values.size > 1 and bool(np.all(np.diff(values) >= 0)) and high > low
    return _Candidate(name, "elapsed", SECONDS, 1 + named) if named and rises else None
