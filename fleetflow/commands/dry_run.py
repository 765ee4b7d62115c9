"""What `send --dry-run` prints: what each file would become (scored by default thresholds), and its mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from fleetflow.commands.trip_files import Reading, imported
from fleetflow.importers import FileRefusedError
from fleetflow.importers.previewing import make_preview
from fleetflow.importers.roles import Role
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.safety.scores import score_trip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from fleetflow.importers.preview import Preview, TripPreview

SHOWN_TRIPS, SHOWN_REFUSALS = 20, 10


def show(paths: Iterable[str], reading: Reading, console: Console) -> bool:
    """Print the previews; whether every file has trips and none has a refused row."""
    return all(_show_file(path, reading, console) for path in paths)


def _show_file(path: str, reading: Reading, console: Console) -> bool:
    try:
        preview = make_preview(imported(path, reading))
    except (FileRefusedError, OSError) as error:
        console.print(f"{path}: {error}", style="red", markup=False)
        return False
    console.print(
        f"{path}: {preview.format}, {preview.row_count:,} rows, {len(preview.trips):,} trips,"
        f" {preview.refused_count:,} rows refused",
        style="bold", markup=False,
    )  # fmt: skip
    for note in preview.notes:
        console.print(f"  {note}", markup=False)
    if preview.columns:
        console.print(_columns(preview))
    for question in preview.questions:
        console.print(f"  {question.title} {question.evidence}", style="yellow", markup=False)
    console.print(_trips(preview))
    for refusal in preview.refusals[:SHOWN_REFUSALS]:
        text = f"  line {refusal.line}: {refusal.column} {refusal.value!r} {refusal.reason}"
        console.print(text, style="red", markup=False)
    if preview.mapping is not None:
        console.print("Mapping, to save, change and give with --mapping:")
        console.print(preview.mapping.as_json().decode(), markup=False)
    return bool(preview.trips) and not preview.refused_count


def _columns(preview: Preview) -> Table:
    table = Table("Column", "First value", "Becomes", "Unit", "After conversion", "Why", box=None, padding=(0, 2))
    for each in preview.columns:
        if each.role is not Role.UNUSED:
            cells = (each.name, each.first.split("  ")[0], each.role.value, each.unit, each.after, each.reason)
            table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    return table


def _trips(preview: Preview) -> Table:
    table = Table("Line", "Driver", "Vehicle", "Begins", "Points", "km", "Score", "Signals", box=None, padding=(0, 2))
    for trip in preview.trips[:SHOWN_TRIPS]:
        table.add_row(*(cell.replace("[", r"\[") for cell in _cells(trip)))
    return table


def _cells(trip: TripPreview) -> tuple[str, ...]:
    begins = "" if trip.started_at is None else f"{trip.started_at:%Y-%m-%d %H:%M:%S}Z"
    km = "" if trip.distance_km is None else f"{trip.distance_km:.1f}"
    score = score_trip(trip.events, DEFAULT_PROFILE).safety_score
    return str(trip.line), trip.driver, trip.vehicle, begins, f"{trip.points:,}", km, str(score), trip.quality
