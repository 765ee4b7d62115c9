"""`python -m fleetflow doctor`: look at every part of an installation and say what to do about what is not well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from fleetflow.doctor import Finding, State, examine

if TYPE_CHECKING:
    import argparse

    from fleetflow.settings import Settings

HELP = "Look at database, queue, disk, clock and programs, and say what to do about what is not well."
COLORS = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none: what it looks at are the settings."""
    del parser


def run(args: argparse.Namespace, settings: Settings) -> int:
    """A line a part, as it is looked at; 1 when one of them FAILED."""
    del args
    console = Console(soft_wrap=True, highlight=False)
    failed = False
    for finding in examine(settings):
        console.print(_line(finding))
        failed |= finding.state is State.FAILED
    return int(failed)


def _line(finding: Finding) -> Text:
    advice = f"\n{'':24}{finding.advice}" if finding.advice else ""
    return Text.assemble(
        (f"{finding.state:<9}", COLORS[finding.state]), f"{finding.part:<15}", f"{finding.found}{advice}"
    )
