"""Logs of one signal a line (OpenXC, OBD): a point for each reading of the speed, with what else was known by then."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from fleetflow.importers.table import FileLimits, FileRefusedError, Refusals, Table, check_rows, column_of

if TYPE_CHECKING:
    from fleetflow.importers.content import Text

OPENXC = re.compile(rb'\s*(?:(\d{9,10}\.\d+): *)?(\{.*"name".*"value".*\})\s*$')
OBD = re.compile(rb"(\d{13});(\w+);(.*)$")
SPEEDS = {"vehicle_speed": "vehicle_speed", "010D": "speed (010D)"}
OPENXC_UNITS = {
    "vehicle_speed": "km/h",
    "latitude": "degrees",
    "longitude": "degrees",
    "odometer": "km",
    "timestamp": "Unix s",
}
OBD_UNITS = {"speed (010D)": "km/h", "timestamp": "Unix s"}
TAKEN = ("latitude", "longitude", "odometer")
SNIFFED_LINES = 20
MIN_SHARE = 0.5
UNREADABLE, TIMELESS, BLANK = "is not a signal", "has no time", "is blank"


def is_signal_log(data: bytes) -> bool:
    """Whether most of the first lines are one signal each."""
    lines = [line for line in data[:65_536].split(b"\n")[:SNIFFED_LINES] if line.strip()]
    hits = sum(OPENXC.match(line) is not None or OBD.match(line) is not None for line in lines)
    return hits > MIN_SHARE * len(lines)


@dataclass(slots=True)
class _Log:
    """What was read so far: the last value of every signal, and a point for each speed."""

    refusals: Refusals
    reasons: Counter[str] = field(default_factory=Counter)
    known: dict[str, Any] = field(default_factory=dict)
    points: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in ("timestamp", "speed", *TAKEN)})
    lines: list[int] = field(default_factory=list)
    speed_name: str = ""

    def refuse(self, line: int, text: bytes, reason: str) -> None:
        """The line is none, or cannot be placed in time."""
        self.reasons[reason] += 1
        self.refusals.add(line, "", text[:100].decode("utf-8", "replace"), reason)

    def take(self, line: int, time_s: float, name: str, value: Any) -> None:
        """One reading."""
        if name in SPEEDS:
            self.speed_name = SPEEDS[name]
            self.lines.append(line)
            for column, each in (("timestamp", time_s), ("speed", value)):
                self.points[column].append(each)
            for column in TAKEN:
                self.points[column].append(self.known.get(column))
        else:
            self.known[name] = value


def read_signals(text: Text, limits: FileLimits) -> Table:
    """The log's points. Raises FileRefusedError where no line can be placed in time."""
    log = _Log(Refusals())
    is_obd = OBD.match(text.data.lstrip()[:200].split(b"\n")[0]) is not None
    read = _read_obd if is_obd else _read_openxc
    for number, line in enumerate(text.data.split(b"\n"), 1):
        if line.strip():
            read(log, number, line)
        else:
            log.reasons[BLANK] += 1
    if not log.lines:
        raise FileRefusedError(_why(log))
    check_rows(len(log.lines), limits)
    names = {"speed": log.speed_name}
    columns = {names.get(name, name): column_of(values) for name, values in log.points.items()}
    columns = {name: column for name, column in columns.items() if column.null_count < len(column)}
    units = OBD_UNITS if is_obd else OPENXC_UNITS
    note = "One signal a line: there is a point for each reading of the speed, with the position known by then."
    form = "OBD log" if is_obd else "OpenXC trace"
    lines = np.array(log.lines, dtype=np.int64)
    return Table(form, columns, lines, log.refusals, {k: v for k, v in units.items() if k in columns}, (note,))


def _read_openxc(log: _Log, number: int, line: bytes) -> None:
    match = OPENXC.match(line)
    try:
        record: Any = msgspec.json.decode(match[2]) if match else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        record = None
    if match is None or not isinstance(record, dict):
        log.refuse(number, line, UNREADABLE)
        return
    time_s = float(match[1]) if match[1] else record.get("timestamp")
    if not isinstance(time_s, int | float):
        log.refuse(number, line, TIMELESS)
        return
    log.take(number, float(time_s), str(record.get("name")), record.get("value"))


def _read_obd(log: _Log, number: int, line: bytes) -> None:
    match = OBD.match(line.strip())
    if match is None:
        log.refuse(number, line, UNREADABLE)
        return
    time_s, name, value = int(match[1]) / 1000, match[2].decode(), match[3].decode("utf-8", "replace")
    if name == "gps":
        log.known.update(zip(("latitude", "longitude"), _numbers(value.split(":")[:2]), strict=False))
        return
    reading = next(_numbers([value]), None)
    if reading is None:
        log.refuse(number, line, "has no number")
    else:
        log.take(number, time_s, name, reading)


def _numbers(texts: list[str]) -> Any:
    for text in texts:
        try:
            yield float(text)
        except ValueError:
            return


def _why(log: _Log) -> str:
    bad, timeless = log.reasons[UNREADABLE] + log.reasons[BLANK], log.reasons[TIMELESS]
    also = f" {bad:,} more lines are blank or cannot be read." if bad else ""
    if timeless:
        return f"{timeless:,} signals have no time, so that nothing can be placed in time.{also}"
    return f"No line holds a speed.{also}"
