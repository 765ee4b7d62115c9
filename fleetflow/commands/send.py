"""`python -m fleetflow send FILE...`: hand the trips of files to an API."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fleetflow.commands import dry_run
from fleetflow.commands.trip_files import Reading, parcels, read_mapping_file
from fleetflow.sending import Fate, Line, SendReport, send_trips, wait_until_scored
from fleetflow.tripfiles import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fleetflow.sending import Outcome, Parcel
    from fleetflow.settings import Settings

HELP = "Send the trips of files (CSV, JSON, NDJSON, Parquet, XLSX, GPX, OpenXC; also .gz; - for stdin) to an API."
SHOWN_FAILURES = 50
PLAIN_EVERY_S = 10.0
"""How often a log or a pipe, which cannot show a bar, is told how far it is."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to send, and where to."""
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--url", help="the API's address (default: the one in the settings)")
    parser.add_argument("--connections", type=_count, default=8, help="trips under way at once (default: 8)")
    parser.add_argument("--attempts", type=_count, default=8, help="how often to try a trip (default: 8)")
    parser.add_argument("--wait", action="store_true", help="wait until every trip is scored")
    parser.add_argument("--vehicle-id", help="for rows that name no vehicle")
    parser.add_argument("--driver-id", help="for rows that name no driver")
    parser.add_argument("--sample-hz", type=_rate, help="for files without times")
    parser.add_argument("--mapping", type=Path, metavar="FILE", help="what the columns are, as --dry-run prints it")
    parser.add_argument("--zone", default="UTC", help="of times that carry none, such as Europe/Berlin (default: UTC)")
    parser.add_argument("--dry-run", action="store_true", help="show what the files would become; send nothing")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Send, show progress, sum up; 1 when a trip was refused, given up or not scored.

    What went wrong goes to standard error as it happens, the sum to standard output.
    """
    url = args.url or f"http://{settings.api_host}:{settings.api_port}"
    missing = Missing(args.vehicle_id, args.driver_id, args.sample_hz)
    reading = Reading(missing, read_mapping_file(args.mapping), args.zone, settings.max_future_s)
    console = Console(highlight=False, soft_wrap=True)
    if args.dry_run:
        wide = console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=160)
        return 0 if dry_run.show(args.files, reading, wide) else 1
    with _Follower(_size(args.files)) as follower:
        found = _parcels(args.files, reading, follower.on_read)
        report = send_trips(found, Line(url, args.connections, args.attempts, follower.on_outcome, key=settings.key))
    _sum_up(report, console)
    unscored = _wait(url, report, console, settings.key) if args.wait else 0
    return 0 if report.all_taken and not unscored else 1


def _parcels(paths: list[str], reading: Reading, on_read: Callable[[int], None]) -> Iterator[Parcel]:
    for path in paths:
        yield from parcels(path, reading, on_read)


def _size(paths: list[str]) -> int | None:
    """Bytes of all files; None when one is a pipe, whose size nobody knows."""
    files = [Path(path) for path in paths]
    return sum(file.stat().st_size for file in files) if all(file.is_file() for file in files) else None


class _Follower:
    """Shows on standard error how far it is and what goes wrong: a bar by bytes read, or now and then a line."""

    def __init__(self, total: int | None) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=self._console, transient=True, disable=not self._console.is_terminal)
        self._task = self._bar.add_task("Sending", total=total)
        self._sent = self._failures = 0
        self._told_at = monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def on_read(self, count: int) -> None:
        """So many more bytes of the files were read."""
        self._bar.advance(self._task, count)

    def on_outcome(self, outcome: Outcome) -> None:
        """One more trip has met its fate."""
        self._sent += 1
        self._bar.update(self._task, description=f"{self._sent:,} trips")
        if outcome.fate in {Fate.REFUSED, Fate.GAVE_UP}:
            self._tell_failure(outcome)
        if not self._console.is_terminal and monotonic() - self._told_at > PLAIN_EVERY_S:
            self._told_at = monotonic()
            self._console.print(f"{self._sent:,} trips so far")

    def _tell_failure(self, outcome: Outcome) -> None:
        self._failures += 1
        if self._failures <= SHOWN_FAILURES:
            for reason in outcome.reasons:
                self._console.print(f"{outcome.source}: {reason}", style="red", markup=False)
        elif self._failures == SHOWN_FAILURES + 1:
            self._console.print("Further trips that are not taken are only counted.", style="red")


def _sum_up(report: SendReport, console: Console) -> None:
    if report.stopped:
        console.print("Stopped: nothing got through any more, so the rest was not tried. Send the files again later.")
    console.print(", ".join(f"{count} {fate.value}" for fate, count in report.counts.items()))


def _wait(url: str, report: SendReport, console: Console, key: str | None) -> int:
    statuses = wait_until_scored(url, report.trip_ids, key=key)
    unscored = {trip_id: status for trip_id, status in statuses.items() if status != "COMPLETED"}
    for trip_id, status in list(unscored.items())[:SHOWN_FAILURES]:
        console.print(f"trip {trip_id} is {status}", style="red")
    console.print(f"{len(statuses) - len(unscored)} scored, {len(unscored)} not")
    return len(unscored)


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 1000:  # noqa: PLR2004  # more helps nobody
        raise argparse.ArgumentTypeError("must be from 1 to 1000")
    return count


def _rate(text: str) -> float:
    rate = float(text)
    if not (math.isfinite(rate) and rate > 0):
        raise argparse.ArgumentTypeError("must be above 0")
    return rate
