"""`python -m dashboard`: serve the dashboard on FLEETFLOW_DASHBOARD_HOST:FLEETFLOW_DASHBOARD_PORT until stopped."""

from __future__ import annotations

import sys

from rich.console import Console

from dashboard.server import serve
from fleetflow.errors import FleetFlowError
from fleetflow.settings import Settings


def main() -> int:
    """Serve; an error that a person can act on is one line on stderr and exit code 1."""
    try:
        serve(Settings())
    except FleetFlowError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
