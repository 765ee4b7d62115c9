"""Making the preview of an import: what the worker would find in its trips, and what each column came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fleetflow.importers.mapping import Use
from fleetflow.importers.numbers import numbers
from fleetflow.importers.preview import ColumnPreview, Drawing, Preview, TripPreview
from fleetflow.importers.roles import CHANNELS, FACTORS, Role
from fleetflow.importers.table import Table, printable
from fleetflow.safety.detection import detect
from fleetflow.trips.clock import with_clock
from fleetflow.trips.columns import fingerprint
from fleetflow.trips.quality import judge_signals
from fleetflow.trips.signals import examine
from fleetflow.trips.summary import summarize

if TYPE_CHECKING:
    from fleetflow.importers.drives import Drive
    from fleetflow.importers.importing import Import
    from fleetflow.safety.events import HarshEvent
    from fleetflow.trips.samples import FloatArray
    from fleetflow.trips.signals import Signals

FIRST_CHARS = 40
DRAWN_TRIPS = 24
DRAWN_BUCKETS = 240
CHANNEL_UNITS = {
    Role.SPEED: "km/h", Role.LONG_G: "g", Role.LAT_G: "g", Role.LATITUDE: "°", Role.LONGITUDE: "°",
    Role.HEADING: "°", Role.ODOMETER: "km",
}  # fmt: skip


def make_preview(found: Import) -> Preview:
    """The preview of an import; the signals of all trips are examined at once, and their events found."""
    signals = examine([with_clock(drive.trip.samples, drive.trip.sample_hz) for drive in found.drives])
    each = zip(found.drives, signals, detect(signals), strict=True)
    trips = [_trip(*one, drawn=number < DRAWN_TRIPS) for number, one in enumerate(each)]
    return Preview(
        format=found.format,
        file_hash=found.file_hash,
        signature=found.signature,
        row_count=found.row_count,
        trips=trips,
        refused_count=found.refusals.count,
        refusals=found.refusals.kept,
        notes=list(found.notes),
        columns=_columns(found),
        questions=list(found.questions),
        mapping=found.mapping,
    )


def _trip(drive: Drive, signals: Signals, events: list[HarshEvent], *, drawn: bool) -> TripPreview:
    trip = drive.trip
    summary, quality = summarize(signals.samples, signals.step_s), judge_signals(signals)
    return TripPreview(
        line=drive.line,
        label=printable(drive.label),
        driver=printable(drive.driver),
        vehicle=printable(drive.vehicle),
        driver_id=trip.driver_id,
        vehicle_id=trip.vehicle_id,
        started_at=trip.started_at,
        points=len(trip.samples),
        distance_km=summary.distance_km,
        duration_s=summary.duration_s,
        sample_hz=summary.sample_hz,
        fingerprint=fingerprint(trip).hex(),
        quality=quality.verdict.value,
        reasons=[reason.text for reason in quality.reasons],
        events=events,
        drawing=_drawing(drive) if drawn else None,
    )


def _drawing(drive: Drive) -> Drawing:
    samples = with_clock(drive.trip.samples, drive.trip.sample_hz)
    t_s = np.arange(len(samples), dtype=np.float64) if samples.t_s is None else samples.t_s
    kept = np.unique(np.concatenate([_extremes(samples.g_force_long), _extremes(samples.speed_kmh)]))
    columns = (t_s, samples.speed_kmh, samples.g_force_long)
    return Drawing(*(np.round(np.nan_to_num(column[kept]), 3).tolist() for column in columns))


def _extremes(values: FloatArray) -> Any:
    """Where the lowest and the highest value of each of so many stretches are."""
    edges = np.unique(np.linspace(0, len(values), min(DRAWN_BUCKETS, len(values)) + 1).astype(np.int64))[:-1]
    stretches = np.split(values, edges[1:])
    lowest = edges + np.array([int(np.argmin(each)) for each in stretches])
    highest = edges + np.array([int(np.argmax(each)) for each in stretches])
    return np.concatenate([lowest, highest, [len(values) - 1]])


def _columns(found: Import) -> list[ColumnPreview]:
    """The columns of the file, those that are used first."""
    if found.table is None or found.mapping is None:
        return []
    reasons = {} if found.guess is None else found.guess.reasons
    columns = [
        _column(found.table, name, found.mapping.uses.get(name, Use(Role.UNUSED)), reasons.get(name, ""))
        for name in found.table.columns
    ]
    return sorted(columns, key=lambda column: column.role is Role.UNUSED)


def _column(table: Table, name: str, use: Use, reason: str) -> ColumnPreview:
    first = [printable(value) for value in table.columns[name].slice(0, 50).to_pylist() if value not in {None, ""}]
    shown = "  ".join(dict.fromkeys(first))[:FIRST_CHARS] if first else ""
    return ColumnPreview(printable(name), shown, use.role, use.unit, _after(table, name, use), reason)


def _after(table: Table, name: str, use: Use) -> str:
    """The range of a channel in the contract's unit."""
    if use.role not in CHANNELS:
        return ""
    values, _ = numbers(table.columns[name], decimal_comma=table.decimal_comma)
    values = values[np.isfinite(values)] * FACTORS[use.role].get(use.unit, 1.0)
    if not values.size:
        return ""
    digits = {"km/h": 0, "km": 0, "g": 2}.get(CHANNEL_UNITS[use.role], 4)
    low, high = f"{values.min():.{digits}f}", f"{values.max():.{digits}f}"
    return f"{low} to {high} {CHANNEL_UNITS[use.role]}".replace("-", "\N{MINUS SIGN}")
