"""Fixtures come from tests/support, one module per service."""

import os
import shutil
import signal
import sys
from pathlib import Path

import structlog
from hypothesis import HealthCheck, settings

# A busy machine is no bug: how long an example takes, or is made up, says nothing here. On the build server examples
# are the same each time, so that a red run is the fault of the change; everywhere else they are new, to find more.
settings.register_profile(
    "fleetflow",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("fleetflow")

# Under nohup a hang-up is ignored, and so it would be by all programs that tests start, even those that must obey it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Containers often forbid bytecode. Here some hundred programs start, each of which would compile seconds of libraries.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Each test has a database of its own; making one takes 15 ms of processor time in memory and 180 ms on a disk.
MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 * 2**30
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# Programs say in their main that they log to stderr; here API and worker also run inside the tests' own process.
structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))

pytest_plugins = ["tests.support.postgres", "tests.support.rabbitmq", "tests.support.spreading"]
