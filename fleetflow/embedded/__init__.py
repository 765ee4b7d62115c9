"""The Postgres that comes with pip, for the one-command default; durable, private to this machine."""

from fleetflow.embedded.server import EmbeddedPostgres, find_running

__all__ = ["EmbeddedPostgres", "find_running"]
