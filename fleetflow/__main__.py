"""`python -m fleetflow COMMAND`: the commands for people, each in its own module of fleetflow.commands."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from fleetflow.bootstrap import report
from fleetflow.errors import FleetFlowError
from fleetflow.settings import read_settings

COMMANDS = (
    "up", "migrate", "send", "simulate", "rescore", "reanalyse", "backup", "restore", "doctor", "account", "key",
    "audit", "driver", "roster",
)  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code; an error that a person can act on is one line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m fleetflow", description="FleetFlow's commands.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"fleetflow.commands.{name}")
        command = subparsers.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(argv)
    try:
        return int(args.run(args, read_settings()))
    except FleetFlowError as error:
        report(error)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
