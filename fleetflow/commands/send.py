"""`python -m fleetflow send FILE...`: hand the trips of files to an API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fleetflow.sending import Fate, Line, SendReport, send_trips, wait_until_scored
from fleetflow.tripfiles import Missing, read_parcels

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from fleetflow.sending import Outcome, Parcel
    from fleetflow.settings import Settings

HELP = "Send the trips of files (JSON, NDJSON or CSV, also .gz; - for standard input) to an API."
SHOWN_FAILURES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to send, and where to."""
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--url", help="the API's address (default: the one in the settings)")
    parser.add_argument("--connections", type=int, default=8, help="trips under way at once (default: 8)")
    parser.add_argument("--attempts", type=int, default=8, help="how often to try a trip (default: 8)")
    parser.add_argument("--wait", action="store_true", help="wait until every trip is scored")
    parser.add_argument("--vehicle-id", help="for CSV files without a column vehicle_id")
    parser.add_argument("--driver-id", help="for CSV files without a column driver_id")
    parser.add_argument("--sample-hz", type=float, help="for CSV files without a column timestamp")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Send, show progress, sum up; 1 when a trip was refused, given up or not scored."""
    url = args.url or f"http://{settings.api_host}:{settings.api_port}"
    missing = Missing(args.vehicle_id, args.driver_id, args.sample_hz)
    parcels = (parcel for path in args.files for parcel in read_parcels(path, missing))
    console = Console(highlight=False, soft_wrap=True)
    report = _send(parcels, Line(url, max(args.connections, 1), max(args.attempts, 1)), console)
    _sum_up(report, console)
    unscored = _wait(url, report, console) if args.wait else 0
    return 1 if report.failures or unscored else 0


def _send(parcels: Iterator[Parcel], line: Line, console: Console) -> SendReport:
    columns = (SpinnerColumn(), TextColumn("Sending"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("send", total=None)

        def follow(outcome: Outcome) -> None:
            progress.advance(task)
            if outcome.fate is Fate.GAVE_UP:
                console.print(f"{outcome.source}: {outcome.reasons[0]}", style="red", markup=False)

        return send_trips(parcels, Line(line.url, line.connections, line.attempts, follow))


def _sum_up(report: SendReport, console: Console) -> None:
    for outcome in report.failures[:SHOWN_FAILURES]:
        for reason in outcome.reasons:
            console.print(f"{outcome.source}: {reason}", style="red", markup=False)
    if len(report.failures) > SHOWN_FAILURES:
        console.print(f"... and {len(report.failures) - SHOWN_FAILURES} more")
    console.print(", ".join(f"{count} {fate.value}" for fate, count in report.counts.items()))


def _wait(url: str, report: SendReport, console: Console) -> int:
    statuses = wait_until_scored(url, report.trip_ids)
    unscored = {trip_id: status for trip_id, status in statuses.items() if status != "COMPLETED"}
    for trip_id, status in unscored.items():
        console.print(f"trip {trip_id} is {status}", style="red")
    console.print(f"{len(statuses) - len(unscored)} scored")
    return len(unscored)
