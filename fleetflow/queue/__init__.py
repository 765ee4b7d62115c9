"""Being woken: one interface, RabbitMQ or Postgres behind it. A message only says that a stored trip waits.

RabbitMQ serves where `settings.rabbitmq_url` is set, else the Postgres that holds the trips. Nothing connects
before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetflow.queue.interface import Consumer, Delivery, Fate, Publisher, QueueState
from fleetflow.queue.postgres import PostgresConsumer, PostgresPublisher, read_postgres_state
from fleetflow.queue.rabbitmq import RabbitMQConsumer, RabbitMQPublisher, read_rabbitmq_state

if TYPE_CHECKING:
    from fleetflow.settings import Settings

__all__ = [
    "Consumer",
    "Delivery",
    "Fate",
    "Publisher",
    "QueueState",
    "open_consumer",
    "open_publisher",
    "read_state",
]


def open_publisher(settings: Settings, database_url: str) -> Publisher:
    """What announces trips. Raises ConfigurationError when the URL is none."""
    length, timeout_s = settings.queue_length, settings.queue_timeout_s
    if settings.rabbitmq_url is not None:
        url = settings.rabbitmq_url.get_secret_value()
        return RabbitMQPublisher(url, queue_length=length, timeout_s=timeout_s)
    return PostgresPublisher(database_url, queue_length=length, timeout_s=timeout_s)


def open_consumer(settings: Settings, database_url: str) -> Consumer:
    """What wakes a worker. Raises ConfigurationError when the URL is none."""
    length, timeout_s = settings.queue_length, settings.queue_timeout_s
    if settings.rabbitmq_url is not None:
        url = settings.rabbitmq_url.get_secret_value()
        return RabbitMQConsumer(url, queue_length=length, batch=settings.batch_trips, timeout_s=timeout_s)
    return PostgresConsumer(database_url, queue_length=length, timeout_s=timeout_s)


def read_state(settings: Settings, database_url: str) -> QueueState:
    """What operations shows, within `settings.queue_timeout_s`. Raises ConfigurationError when the URL is none."""
    if settings.rabbitmq_url is not None:
        return read_rabbitmq_state(settings.rabbitmq_url.get_secret_value(), timeout_s=settings.queue_timeout_s)
    return read_postgres_state(database_url, timeout_s=settings.queue_timeout_s)
