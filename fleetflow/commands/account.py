"""`python -m fleetflow account add|reset|disable|enable|list`: who may sign in to the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from fleetflow import people
from fleetflow.access import Role
from fleetflow.commands.database import acting, operator
from fleetflow.storage import accounts, audit

if TYPE_CHECKING:
    import argparse

    import sqlalchemy as sa

    from fleetflow.people import Login
    from fleetflow.settings import Settings

HELP = "Add, list, disable and enable the accounts of the dashboard, and reset their passwords."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with whose account."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="add|reset|disable|enable|list")
    add = verbs.add_parser("add", help="add an account and show its first password")
    add.add_argument("name", help="a name or an e-mail address")
    add.add_argument("--role", dest="roles", action="append", choices=list(Role), required=True, help="may be repeated")
    for verb, text in (("reset", "show another password"), ("disable", "let nobody sign in"), ("enable", "undo that")):
        verbs.add_parser(verb, help=text).add_argument("name")
    verbs.add_parser("list", help="show all accounts")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it, log it, and say what was done."""
    console = Console(highlight=False, soft_wrap=True)
    with acting(settings) as conn:
        if args.verb == "list":
            console.print(_table(conn))
            return 0
        login = _change(conn, args)
        after = {"roles": args.roles} if args.verb == "add" else None
        audit.insert_entry(conn, operator(), f"{args.verb}_account", args.name.strip(), after=after)
    console.print(describe(args.verb, args.name, login), markup=False)
    return 0


def describe(verb: str, name: str, login: Login | None) -> str:
    """What was done, with the password that is shown this once."""
    if login is None:
        return f"{name} is {verb}d."
    return f"{login.name} signs in with the password {login.password} and chooses another one then."


def _change(conn: sa.Connection, args: argparse.Namespace) -> Login | None:
    if args.verb == "add":
        return people.add_account(conn, args.name, [Role(each) for each in args.roles])
    if args.verb == "reset":
        return people.reset_password(conn, args.name)
    {"disable": people.disable, "enable": people.enable}[args.verb](conn, args.name)
    return None


def _table(conn: sa.Connection) -> Table:
    table = Table("name", "roles", "since", "disabled", box=None)
    for each in accounts.list_accounts(conn):
        disabled = f"{each.disabled_at:%Y-%m-%d}" if each.disabled_at else ""
        table.add_row(each.name, ", ".join(sorted(each.roles)), f"{each.created_at:%Y-%m-%d}", disabled)
    return table
