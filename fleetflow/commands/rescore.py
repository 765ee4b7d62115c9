"""`python -m fleetflow rescore --profile N`: have stored trips scored under a profile by the workers."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console

from fleetflow.bootstrap import database_url
from fleetflow.commands.database import operator
from fleetflow.commands.following import add_following, follow, trips
from fleetflow.errors import ConfigurationError
from fleetflow.storage import audit, profiles, runs
from fleetflow.storage.database import check_schema, connection, create_engine

if TYPE_CHECKING:
    import sqlalchemy as sa

    from fleetflow.settings import Settings
    from fleetflow.storage.runs import Run

HELP = "Have stored trips scored under a profile; workers do it beside what comes in, and old scores stay."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which profile, which trips, and what then."""
    parser.add_argument("--profile", type=int, metavar="N", help="the profile's version")
    parser.add_argument("--since", type=_moment, metavar="DATE", help="only trips that began then or later (UTC)")
    parser.add_argument("--until", type=_moment, metavar="DATE", help="only trips that began before")
    parser.add_argument("--activate", action="store_true", help="make it the active profile with the last trip")
    parser.add_argument("--note", default="", help="why, for the history")
    add_following(parser)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Ask for the run, and follow it if wished. What is wrong with the question is one line."""
    _check(args)
    engine = create_engine(database_url(settings), application_name="fleetflow-rescore", pool_size=1)
    try:
        with connection(engine) as conn:
            check_schema(conn)
            run, said = _cancel(conn, args) if args.cancel else _ask(conn, args)
        Console(highlight=False, soft_wrap=True).print(said)
        if run is None or not args.watch or args.cancel:
            return 0
        return follow(partial(_read, engine, run.id), f"Run {run.id}")
    finally:
        engine.dispose()


def _check(args: argparse.Namespace) -> None:
    if args.profile is None and not args.cancel:
        raise ConfigurationError("Name the profile's version with --profile.")
    if args.activate and (args.since or args.until):
        raise ConfigurationError("A profile becomes active for all trips: --activate goes without --since and --until.")
    if args.since and args.until and args.since >= args.until:
        raise ConfigurationError("The period is empty: --since must be before --until.")


def _ask(conn: sa.Connection, args: argparse.Namespace) -> tuple[Run | None, str]:
    profile = profiles.read_profile(conn, args.profile)
    named = f"profile {profile.version}, {profile.profile.name},"
    asked = {name: getattr(args, name) for name in ("by", "note", "since", "until")}
    action = "activate_profile" if args.activate else "rescore"
    audit.insert_entry(conn, operator(), action, f"profile {profile.version}", after=asked)
    if args.activate:
        run = runs.activate(conn, profile.version, activated_by=args.by, note=args.note)
        if run is None:
            return None, f"Every trip has its score under {named} already; it is active now."
        return run, f"Run {run.id} scores {trips(run.total_trips)} under {named} which is active after the last one."
    run = runs.insert_run(
        conn, profile.version, asked_by=args.by, since=args.since, until=args.until, note=args.note
    )  # fmt: skip
    return run, f"Run {run.id} scores {trips(run.total_trips)} under {named} and leaves the active profile as it is."


def _cancel(conn: sa.Connection, args: argparse.Namespace) -> tuple[Run | None, str]:
    run = runs.read_running(conn)
    if run is None or not runs.cancel_run(conn, run.id):
        return None, "No run is going on."
    audit.insert_entry(conn, operator(), "cancel_run", f"run {run.id}", after={"by": args.by})
    return run, f"Run {run.id} is cancelled; the {run.done_trips:,} scores it gave stay, and are not active."


def _read(engine: sa.Engine, run_id: int) -> Run:
    with connection(engine) as conn:
        return runs.read_run(conn, run_id)


def _moment(text: str) -> datetime:
    """A date or a time, in UTC unless it says otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError("must be a date such as 2026-11-01, or 2026-11-01T06:00+01:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
