"""The queues in RabbitMQ and their arguments, in one place; declaring them again changes nothing.

Both are quorum queues, so that a confirmed message survives the death of a node. A full queue refuses (the
workers are awake then, and the sweep finds the rest); what a worker rejects goes to the dead letters at least once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleetflow.queue.interface import DEAD_LETTER_QUEUE_NAME, QUEUE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from pika.channel import Channel
    from pika.frame import Method

DELIVERY_LIMIT = 20
"""A fuse for crash loops only: attempts are counted in the database."""
DEAD_LETTERS_KEPT = 10_000


def queue_arguments(queue_length: int) -> dict[str, Any]:
    """What the wake-up queue is declared with; at-least-once dead letters need `reject-publish`."""
    return {
        "x-queue-type": "quorum",
        "x-max-length": queue_length,
        "x-overflow": "reject-publish",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": DEAD_LETTER_QUEUE_NAME,
        "x-dead-letter-strategy": "at-least-once",
    }


def dead_letter_arguments() -> dict[str, Any]:
    """What the dead-letter queue is declared with: bounded, the oldest go first."""
    return {"x-queue-type": "quorum", "x-max-length": DEAD_LETTERS_KEPT}


def declare_queues(channel: Channel, queue_length: int, on_done: Callable[[], None]) -> None:
    """Make both queues, the dead letters' first, then call `on_done`. On the channel's thread."""

    def declare_main(_: Method) -> None:
        channel.queue_declare(
            QUEUE_NAME, durable=True, arguments=queue_arguments(queue_length), callback=lambda _: on_done()
        )

    channel.queue_declare(
        DEAD_LETTER_QUEUE_NAME, durable=True, arguments=dead_letter_arguments(), callback=declare_main
    )


def count_messages(channel: Channel, on_done: Callable[[int, int], None]) -> None:
    """Call `on_done(ready, dead)`; the broker closes the channel when a queue is not there."""

    def count_dead(main: Method) -> None:
        channel.queue_declare(
            DEAD_LETTER_QUEUE_NAME,
            passive=True,
            callback=lambda dead: on_done(main.method.message_count, dead.method.message_count),
        )

    channel.queue_declare(QUEUE_NAME, passive=True, callback=count_dead)
