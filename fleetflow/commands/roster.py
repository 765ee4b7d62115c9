"""`python -m fleetflow roster export|import`: names, groups and classes of drivers and vehicles as CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from rich.console import Console

from fleetflow.commands.database import acting, operator
from fleetflow.errors import ConfigurationError
from fleetflow.roster_files import COLUMNS, RosterFile, ids_in, read_roster, write_roster
from fleetflow.storage import audit, erasures, roster

if TYPE_CHECKING:
    import argparse

    import sqlalchemy as sa

    from fleetflow.settings import Settings

HELP = "Write drivers or vehicles to a CSV file, or take over what one says."
SHOWN = 20
EMPTY = "(empty)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which way, what, and which file."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="export|import")
    helps = {"export": "write all to a file", "import": "take over what a file says; refused rows stay out"}
    for verb, said in helps.items():
        each = verbs.add_parser(verb, help=said)
        each.add_argument("kind", choices=list(COLUMNS))
        each.add_argument("file", type=Path)
    each.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """0 when the whole file was taken, 1 when rows were refused."""
    console = Console(highlight=False, soft_wrap=True)
    with acting(settings) as conn:
        if args.verb == "export":
            console.print(_export(conn, args.kind, args.file), markup=False)
            return 0
        found = _read(conn, args.kind, args.file)
        if not args.dry_run:
            _store(conn, args.kind, found)
    console.print(describe(found, stored=not args.dry_run), markup=False)
    return 1 if found.refusals else 0


def describe(found: RosterFile, *, stored: bool) -> str:
    """Changes and refusals, a line each, and what became of them."""
    changes = [f"{each.id}: {each.column} {each.before or EMPTY} -> {each.after or EMPTY}" for each in found.changes]
    refused = [f"line {each.line} refused: {each.reason}" for each in found.refusals]
    more = [f"... and {len(changes) - SHOWN} more changes"] if len(changes) > SHOWN else []
    verb = "changed" if stored else "would change"
    return "\n".join([*changes[:SHOWN], *more, *refused, f"{len(found.rows)} rows {verb}, {len(refused)} refused."])


def _export(conn: sa.Connection, kind: str, file: Path) -> str:
    rows = roster.list_roster(conn, kind)
    try:
        file.write_bytes(write_roster(kind, rows))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from error
    audit.insert_entry(conn, operator(), "export_roster", f"{len(rows)} {kind}")
    return f"{len(rows)} {kind} are in {file}."


def _read(conn: sa.Connection, kind: str, file: Path) -> RosterFile:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
    erased = erasures.find_erased(conn, ids_in(content)) if kind == "drivers" else []
    return read_roster(kind, content, roster.list_roster(conn, kind), map(str, erased))


def _store(conn: sa.Connection, kind: str, found: RosterFile) -> None:
    for row in found.rows:
        values = {name: row[name] for name in COLUMNS[kind][1:]}
        save = roster.upsert_driver if kind == "drivers" else roster.upsert_vehicle
        save(conn, UUID(row["id"]), **values)
    if found.rows:
        audit.insert_entry(conn, operator(), f"edit_{kind}", f"{len(found.rows)} {kind}", after={"rows": found.rows})
