"""`python -m fleetflow driver export|erase ID`: what a driver may ask for, a copy and to be forgotten."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from rich.console import Console

from fleetflow.commands.database import acting, operator, transaction
from fleetflow.commands.migrate import reachable_database
from fleetflow.dossier import write_dossier
from fleetflow.errors import ConfigurationError
from fleetflow.quarantine import Quarantine
from fleetflow.storage import audit, erasures
from fleetflow.storage.erasures import check_driver

if TYPE_CHECKING:
    import argparse

    import sqlalchemy as sa

    from fleetflow.settings import Settings
    from fleetflow.storage.erasures import Erased

HELP = "Give out a driver's data as one file, or erase them for good."
WORD = "erase"
QUESTION = f'Trips, scores, reviews and notes of this driver are deleted for good. Type "{WORD}" to go on: '


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which driver."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="export|erase")
    export = verbs.add_parser("export", help="write all that is known of a driver to a ZIP file")
    export.add_argument("driver_id", type=UUID, metavar="ID")
    export.add_argument("file", type=Path)
    export.add_argument("--without-samples", action="store_true", help="leave out what the vehicle measured")
    erase = verbs.add_parser("erase", help="delete all that is known of a driver, for good")
    erase.add_argument("driver_id", type=UUID, metavar="ID")
    erase.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it, log it, and say what was done."""
    console = Console(highlight=False, soft_wrap=True)
    if args.verb == "export":
        with acting(settings) as conn:
            trips = export(conn, args.driver_id, args.file, samples=not args.without_samples)
        console.print(f"{args.file} holds {trips:,} trips and all else about this driver.", markup=False)
        return 0
    if not args.yes and _answer() != WORD:
        raise ConfigurationError("Nothing was erased.")
    with reachable_database(settings) as url:
        erased = erase(url, args.driver_id)
    console.print(describe(erased), markup=False)
    for path in Quarantine.of(settings).forget(erased.files):
        console.print(f"{path} held trips of this driver and could not be deleted: delete it by hand.", markup=False)
    return 0


def export(conn: sa.Connection, driver_id: UUID, file: Path, *, samples: bool) -> int:
    """Write the ZIP, for its owner's eyes alone. Raises DriverMissingError, ConfigurationError."""
    check_driver(conn, driver_id)
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            trips = write_dossier(conn, driver_id, target, samples=samples)
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from error
    audit.insert_entry(conn, operator(), "export_driver", f"driver {driver_id}", after={"trips": trips})
    return trips


def erase(url: str, driver_id: UUID) -> Erased:
    """Bar late trips first, then delete. Raises DriverMissingError."""
    with transaction(url) as conn:
        erasures.check_driver(conn, driver_id)
        erasures.insert_tombstone(conn, driver_id)
        audit.insert_entry(conn, operator(), "begin_erasure")
    with transaction(url) as conn:
        erased = erasures.erase_driver(conn, driver_id)
        audit.insert_entry(conn, operator(), "erase_driver", after=erased.as_plain())
    return erased


def describe(erased: Erased) -> str:
    """What went, in a sentence."""
    return (
        f"Erased: {erased.trips:,} trips ({erased.distance_km:,.0f} km) with {erased.events:,} events,"
        f" {erased.notes:,} notes; {len(erased.entries):,} entries of the audit log lost their details."
        " Backups from before hold these data until you delete them."
    )


def _answer() -> str:
    try:
        return input(QUESTION).strip()
    except EOFError:
        return ""
