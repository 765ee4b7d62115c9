"""Fixtures come from tests/support, one module per service."""

from hypothesis import settings

# A busy machine is no bug: how long an example takes says nothing here.
settings.register_profile("fleetflow", deadline=None)
settings.load_profile("fleetflow")

pytest_plugins = ["tests.support.postgres", "tests.support.rabbitmq"]
