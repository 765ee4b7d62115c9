"""`python -m fleetflow account add|reset|disable|enable|list`: who may sign in to the dashboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from fleetflow import people
from fleetflow.access import Role
from fleetflow.commands.administering import administer
from fleetflow.commands.database import operator
from fleetflow.storage import accounts, audit

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    import sqlalchemy as sa

    from fleetflow.commands.administering import Verb
    from fleetflow.people import Login
    from fleetflow.settings import Settings
    from fleetflow.storage.accounts import Account

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
    return administer(args, settings, VERBS)


def _add(conn: sa.Connection, args: argparse.Namespace) -> str:
    login = people.add_account(conn, args.name, [Role(each) for each in args.roles])
    audit.insert_entry(conn, operator(), "add_account", args.name.strip(), after={"roles": args.roles})
    return _told(login)


def _reset(conn: sa.Connection, args: argparse.Namespace) -> str:
    login = people.reset_password(conn, args.name)
    audit.insert_entry(conn, operator(), "reset_account", args.name.strip())
    return _told(login)


def _disable(conn: sa.Connection, args: argparse.Namespace) -> str:
    people.disable(conn, args.name)
    audit.insert_entry(conn, operator(), "disable_account", args.name.strip())
    return f"{args.name} is disabled."


def _enable(conn: sa.Connection, args: argparse.Namespace) -> str:
    people.enable(conn, args.name)
    audit.insert_entry(conn, operator(), "enable_account", args.name.strip())
    return f"{args.name} is enabled."


def _list(conn: sa.Connection, _: argparse.Namespace) -> Table:
    table = Table("name", "roles", "signs in by", "since", "disabled", box=None)
    for each in accounts.list_accounts(conn):
        disabled = f"{each.disabled_at:%Y-%m-%d}" if each.disabled_at else ""
        table.add_row(each.name, ", ".join(sorted(each.roles)), way_in(each), f"{each.created_at:%Y-%m-%d}", disabled)
    return table


def way_in(account: Account) -> str:
    """How a person signs in."""
    return "single sign-on" if account.subject else "password"


def _told(login: Login) -> str:
    """The password, which is shown this once."""
    return f"{login.name} signs in with the password {login.password} and chooses another one then."


VERBS: Mapping[str, Verb] = {"add": _add, "reset": _reset, "disable": _disable, "enable": _enable, "list": _list}
