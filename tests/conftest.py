"""Fixtures come from tests/support, one module per service."""

import os
import sys

import structlog
from hypothesis import settings

# A busy machine is no bug: how long an example takes says nothing here. On the build server the examples are the same
# each time, so that a red run is the fault of the change; everywhere else they are new each time, to find more.
settings.register_profile("fleetflow", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("fleetflow")

# Containers often forbid bytecode. Here some hundred programs start, each of which would compile seconds of libraries.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Programs say in their main that they log to stderr; here API and worker also run inside the tests' own process.
structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))

pytest_plugins = ["tests.support.postgres", "tests.support.rabbitmq", "tests.support.spreading"]
