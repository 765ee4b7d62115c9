"""`python -m fleetflow key add|rotate|revoke|list`: the keys with which vehicles and gateways call the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from rich.table import Table

from fleetflow.access import Scope
from fleetflow.commands.administering import administer
from fleetflow.commands.database import operator
from fleetflow.commands.numbers import between
from fleetflow.storage import audit, keys

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    import sqlalchemy as sa

    from fleetflow.commands.administering import Verb
    from fleetflow.settings import Settings
    from fleetflow.storage.keys import Key

HELP = "Make, list, rotate and revoke the keys with which vehicles and gateways call the API."
LONGEST_DAYS = 3650
LONGEST_OVERLAP_H = 24 * 90
MOST_PER_MINUTE = 1_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which key."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="add|rotate|revoke|list")
    _add_terms(verbs.add_parser("add", help="make a key and show it this once"))
    rotate = verbs.add_parser("rotate", help="make another key on the same terms; the old one goes on for a while")
    rotate.add_argument("prefix", help="how the old key begins, as the list shows it")
    rotate.add_argument(
        "--overlap-hours", type=between(int, 0, LONGEST_OVERLAP_H), default=24, metavar="H",
        help="how long the old key stays good (default: %(default)s)",
    )  # fmt: skip
    revoke = verbs.add_parser("revoke", help="let a key open nothing from now on")
    revoke.add_argument("prefix", help="how the key begins, as the list shows it")
    verbs.add_parser("list", help="show all keys")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it, log it, and say what was done."""
    return administer(args, settings, VERBS)


def _add_terms(add: argparse.ArgumentParser) -> None:
    add.add_argument("name", help="who will use it, such as a gateway's name")
    add.add_argument(
        "--scope", dest="scopes", action="append", choices=list(Scope), required=True, help="may be repeated"
    )
    add.add_argument(
        "--vehicle", dest="vehicles", action="append", type=UUID, default=[], metavar="ID",
        help="a vehicle that the key is for, and no other; may be repeated (default: any vehicle)",
    )  # fmt: skip
    add.add_argument(
        "--per-minute", type=between(int, 1, MOST_PER_MINUTE), metavar="N",
        help="how many requests a minute it may send (default: FLEETFLOW_KEY_REQUESTS_PER_MINUTE)",
    )  # fmt: skip
    add.add_argument(
        "--days", type=between(int, 1, LONGEST_DAYS), help="how long it is good (default: until it is revoked)"
    )


def _add(conn: sa.Connection, args: argparse.Namespace) -> str:
    who = operator()
    expires_at = datetime.now(UTC) + timedelta(days=args.days) if args.days else None
    scopes = sorted({Scope(each) for each in args.scopes})
    terms = {"expires_at": expires_at, "vehicle_ids": args.vehicles, "per_minute": args.per_minute}
    prefix, key = keys.insert_key(conn, args.name, scopes, created_by=who.name, **terms)
    audit.insert_entry(conn, who, "add_key", prefix, after={"name": args.name, "scopes": scopes, **terms})
    return f"{key}\nThis is shown once. Every API process knows it within 5 seconds."


def _rotate(conn: sa.Connection, args: argparse.Namespace) -> str:
    who, hours = operator(), args.overlap_hours
    prefix, key = keys.rotate_key(conn, args.prefix, created_by=who.name, overlap=timedelta(hours=hours))
    audit.insert_entry(conn, who, "rotate_key", args.prefix, after={"new_key": prefix, "overlap_hours": hours})
    return f"{key}\nThis is shown once. {args.prefix} stays good for {hours} hours at most."


def _revoke(conn: sa.Connection, args: argparse.Namespace) -> str:
    name = keys.revoke_key(conn, args.prefix)
    audit.insert_entry(conn, operator(), "revoke_key", args.prefix, before={"name": name})
    return f"{args.prefix} ({name}) opens nothing after 5 seconds."


def _list(conn: sa.Connection, _: argparse.Namespace) -> Table:
    columns = ("prefix", "name", "scopes", "vehicles", "a minute", "made", "expires", "last used", "state")
    table, now = Table(*columns, box=None), datetime.now(UTC)
    for each in keys.list_keys(conn):
        days = [f"{at:%Y-%m-%d}" if at else "" for at in (each.created_at, each.expires_at, each.last_used_at)]
        terms = (", ".join(sorted(each.scopes)), _vehicles(each), str(each.per_minute or ""))
        table.add_row(each.prefix, each.name, *terms, *days, each.state(now))
    return table


def _vehicles(key: Key) -> str:
    if key.vehicle_ids is None:
        return "any"
    first, *others = sorted(map(str, key.vehicle_ids))
    return f"{first} and {len(others)} more" if others else first


VERBS: Mapping[str, Verb] = {"add": _add, "rotate": _rotate, "revoke": _revoke, "list": _list}
