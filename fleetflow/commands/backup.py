"""`python -m fleetflow backup FILE`: all data in one file, while everything runs."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from fleetflow.backup import dump
from fleetflow.commands.database import operator, transaction
from fleetflow.commands.migrate import reachable_database
from fleetflow.errors import ConfigurationError
from fleetflow.storage import audit

if TYPE_CHECKING:
    import argparse

    from fleetflow.settings import Settings

HELP = "Write all data into one file, while everything runs; `restore` puts it back."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The file."""
    parser.add_argument("file", type=Path, help="where to write; it replaces a file of this name once it is complete")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Write the file and say how large it is."""
    with reachable_database(settings) as url:
        # Before, so that the backup holds it too. A schema of another version may be saved all the same.
        with suppress(ConfigurationError), transaction(url) as conn:
            audit.insert_entry(conn, operator(), "backup", args.file.name)
        size = dump(url, args.file)
    Console().print(f"{args.file} holds all data, {size / 1e6:.1f} MB.", highlight=False, markup=False)
    return 0
