"""`python -m dashboard`: serve the dashboard on FLEETFLOW_DASHBOARD_HOST:FLEETFLOW_DASHBOARD_PORT until stopped."""

from __future__ import annotations

import sys

from dashboard.server import serve
from fleetflow.bootstrap import run_program

if __name__ == "__main__":
    sys.exit(run_program("dashboard", serve, database_user="dashboard"))
