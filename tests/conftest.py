"""Fixtures come from tests/support, one module per service."""

import os
import sys

from hypothesis import settings

# A busy machine is no bug: how long an example takes says nothing here. On the build server the examples are the same
# each time, so that a red run is the fault of the change; everywhere else they are new each time, to find more.
settings.register_profile("fleetflow", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("fleetflow")

# Containers often forbid bytecode. Here some hundred programs start, each of which would compile seconds of libraries.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

pytest_plugins = ["tests.support.postgres", "tests.support.rabbitmq", "tests.support.spreading"]
