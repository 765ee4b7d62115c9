"""`python -m fleetflow key add|revoke|list`: the keys with which vehicles and gateways call the API."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from fleetflow.access import Scope
from fleetflow.commands.database import acting, operator
from fleetflow.storage import audit, keys

if TYPE_CHECKING:
    import sqlalchemy as sa

    from fleetflow.settings import Settings
    from fleetflow.storage.keys import Key

HELP = "Make, list and revoke the keys with which vehicles and gateways call the API."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which key."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="add|revoke|list")
    add = verbs.add_parser("add", help="make a key and show it this once")
    add.add_argument("name", help="who will use it, such as a gateway's name")
    add.add_argument(
        "--scope", dest="scopes", action="append", choices=list(Scope), required=True, help="may be repeated"
    )
    add.add_argument("--days", type=_days, help="how long it is good (default: until it is revoked)")
    revoke = verbs.add_parser("revoke", help="let a key open nothing from now on")
    revoke.add_argument("prefix", help="how the key begins, as the list shows it")
    verbs.add_parser("list", help="show all keys")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it, log it, and say what was done."""
    console = Console(highlight=False, soft_wrap=True)
    with acting(settings) as conn:
        if args.verb == "list":
            console.print(_table(conn))
            return 0
        said = _add(conn, args) if args.verb == "add" else _revoke(conn, args.prefix)
    console.print(said, markup=False)
    return 0


def state(key: Key, now: datetime) -> str:
    """Whether a key is good, in a word."""
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= now else "good"


def _add(conn: sa.Connection, args: argparse.Namespace) -> str:
    who = operator()
    expires_at = datetime.now(UTC) + timedelta(days=args.days) if args.days else None
    scopes = sorted({Scope(each) for each in args.scopes})
    prefix, key = keys.insert_key(conn, args.name, scopes, created_by=who.name, expires_at=expires_at)
    after = {"name": args.name, "scopes": scopes, "expires_at": expires_at}
    audit.insert_entry(conn, who, "add_key", prefix, after=after)
    return f"{key}\nThis is shown once. Every API process knows it within 5 seconds."


def _revoke(conn: sa.Connection, prefix: str) -> str:
    name = keys.revoke_key(conn, prefix)
    audit.insert_entry(conn, operator(), "revoke_key", prefix, before={"name": name})
    return f"{prefix} ({name}) opens nothing after 5 seconds."


def _table(conn: sa.Connection) -> Table:
    table = Table("prefix", "name", "scopes", "made", "expires", "last used", "state", box=None)
    now = datetime.now(UTC)
    for each in keys.list_keys(conn):
        days = [f"{at:%Y-%m-%d}" if at else "" for at in (each.created_at, each.expires_at, each.last_used_at)]
        table.add_row(each.prefix, each.name, ", ".join(sorted(each.scopes)), *days, state(each, now))
    return table


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 3650:  # noqa: PLR2004  # ten years are for ever
        raise argparse.ArgumentTypeError("must be from 1 to 3650")
    return days
