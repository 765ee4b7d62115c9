"""What `rescore` and `reanalyse` share: who asks, and following the workers to the end."""

from __future__ import annotations

import getpass
import time
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from fleetflow.storage.runs import RunState

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

POLL_S = 0.5


class Followed(Protocol):
    """A run or a re-analysis."""

    @property
    def state(self) -> RunState:
        """Whether it goes on."""

    @property
    def total_trips(self) -> int:
        """How many trips it was asked for."""

    @property
    def done_trips(self) -> int:
        """How many of them are done."""


def add_following(parser: argparse.ArgumentParser) -> None:
    """The options that both have."""
    parser.add_argument("--watch", action="store_true", help="show the progress until the end; Ctrl-C leaves it going")
    parser.add_argument("--cancel", action="store_true", help="stop the one that goes on; what it did stays")
    parser.add_argument(
        "--by", default=_user(), metavar="NAME", help="who asks, for the history (default: %(default)s)"
    )


def follow(read: Callable[[], Followed], what: str) -> int:
    """Show the progress until the end; the exit code, which is 1 if somebody cancelled it."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        while (now := read()).state is RunState.RUNNING:
            bar.update(task, total=now.total_trips, completed=now.done_trips)
            time.sleep(POLL_S)
    Console(highlight=False, soft_wrap=True).print(f"{what}: {now.state.lower()}, {trips(now.done_trips)} done.")
    return 0 if now.state is RunState.COMPLETED else 1


def trips(count: int) -> str:
    """So many trips, in words."""
    return f"{count:,} {'trip' if count == 1 else 'trips'}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "command line"
