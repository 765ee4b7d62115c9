"""Fixtures come from tests/support, one module per service."""

pytest_plugins = ["tests.support.postgres", "tests.support.rabbitmq"]
