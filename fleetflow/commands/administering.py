"""What `account` and `key` share: a list to show, or a change in one transaction and a sentence about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from fleetflow.commands.database import acting

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    import sqlalchemy as sa
    from rich.table import Table

    from fleetflow.settings import Settings

    Verb = Callable[[sa.Connection, argparse.Namespace], Table | str]

FILE_WIDTH = 200


def administer(args: argparse.Namespace, settings: Settings, verbs: Mapping[str, Verb]) -> int:
    """Do what `args.verb` says, and then tell what it answers: nothing is told that was not stored."""
    with acting(settings) as conn:
        answer = verbs[args.verb](conn, args)
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = FILE_WIDTH  # a table that goes to a file or a program is not cut at 80
    console.print(answer, markup=False)
    return 0
