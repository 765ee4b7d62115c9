"""`python -m fleetflow reanalyse`: have stored trips analysed again by this version's detection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console

from fleetflow.bootstrap import database_url
from fleetflow.commands.database import operator
from fleetflow.commands.following import add_following, follow, trips
from fleetflow.errors import ConfigurationError
from fleetflow.safety.events import DETECTION_VERSION
from fleetflow.storage import audit, reanalyses
from fleetflow.storage.database import check_schema, connection, create_engine

if TYPE_CHECKING:
    import argparse

    import sqlalchemy as sa

    from fleetflow.settings import Settings
    from fleetflow.storage.reanalyses import Reanalysis

HELP = "Have trips that an older detection analysed analysed again; each keeps its score until the new one is there."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How old, and what then."""
    parser.add_argument(
        "--older-than-version", type=int, default=DETECTION_VERSION, metavar="V",
        help="only trips whose detection was older than this (default: %(default)s, this version's own)",
    )  # fmt: skip
    add_following(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Ask for it, and follow it if wished. What is wrong with the question is one line."""
    if not 1 <= args.older_than_version <= DETECTION_VERSION:
        raise ConfigurationError(f"Versions of the detection go from 1 to {DETECTION_VERSION}, this FleetFlow's own.")
    engine = create_engine(database_url(settings), application_name="fleetflow-reanalyse", pool_size=1)
    try:
        with connection(engine) as conn:
            check_schema(conn)
            found, said = _cancel(conn, args) if args.cancel else _ask(conn, args)
        Console(highlight=False, soft_wrap=True).print(said)
        if found is None or not args.watch or args.cancel:
            return 0
        return follow(partial(_read, engine, found.id), f"Re-analysis {found.id}")
    finally:
        engine.dispose()


def _ask(conn: sa.Connection, args: argparse.Namespace) -> tuple[Reanalysis, str]:
    asked = reanalyses.insert_reanalysis(conn, args.older_than_version, asked_by=args.by)
    after = {"older_than_version": args.older_than_version, "trips": asked.total_trips, "by": args.by}
    audit.insert_entry(conn, operator(), "reanalyse", f"re-analysis {asked.id}", after=after)
    said = f"Re-analysis {asked.id}: workers analyse {trips(asked.total_trips)} again whenever no fresh one waits."
    left_out = reanalyses.count_without_samples(conn, args.older_than_version)
    return asked, f"{said} {trips(left_out)} without samples are left out." if left_out else said


def _cancel(conn: sa.Connection, args: argparse.Namespace) -> tuple[Reanalysis | None, str]:
    found = reanalyses.read_running(conn)
    if found is None or not reanalyses.cancel_reanalysis(conn, found.id):
        return None, "No re-analysis is going on."
    audit.insert_entry(conn, operator(), "cancel_reanalysis", f"re-analysis {found.id}", after={"by": args.by})
    return found, f"Re-analysis {found.id} is cancelled; what it did ({trips(found.done_trips)}) stays."


def _read(engine: sa.Engine, reanalysis_id: int) -> Reanalysis:
    with connection(engine) as conn:
        return reanalyses.read_reanalysis(conn, reanalysis_id)
