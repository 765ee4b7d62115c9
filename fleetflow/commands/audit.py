"""`python -m fleetflow audit verify`: whether the audit log is as it was written."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from rich.console import Console

from fleetflow.commands.database import acting
from fleetflow.storage import audit
from fleetflow.storage.audit import Head

if TYPE_CHECKING:
    from fleetflow.settings import Settings

HELP = "Check that no entry of the audit log was changed or taken away."
HASH_DIGITS = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to check against."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verify")
    verify = verbs.add_parser("verify", help=HELP)
    verify.add_argument("--head", type=_head, metavar="ID:HASH", help="a head that an earlier check printed")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """0 and the head of a chain that holds, else 1 and where it breaks."""
    console = Console(highlight=False, soft_wrap=True)
    with acting(settings) as conn:
        broken, head, erased = audit.find_broken(conn), audit.read_head(conn), audit.count_erased(conn)
        lost = args.head is not None and not audit.has_entry(conn, args.head)
    if broken is not None:
        console.print(f"Entry {broken} does not follow from the one before it: the log was changed there.")
        return 1
    if lost:
        console.print(f"Entry {args.head.id} is gone or another one: the log was cut off and written anew.")
        return 1
    if head is None:
        console.print("The audit log is empty.")
    else:
        forgotten = f" (the details of {erased} went with erased drivers)" if erased else ""
        console.print(f"{head.id} entries, none changed{forgotten}. Head, to be kept elsewhere: {head.id}:{head.hash}")
    return 0


def _head(text: str) -> Head:
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != HASH_DIGITS:
        raise argparse.ArgumentTypeError("must be a number, a colon and a hash of 64 digits")
    return Head(int(number), digest)
