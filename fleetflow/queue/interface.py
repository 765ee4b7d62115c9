"""What every wake-up queue does. Losing a message costs time, never a trip: workers sweep the database as well."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

QUEUE_NAME = "telemetry_analysis"
DEAD_LETTER_QUEUE_NAME = "telemetry_analysis.dead"


class Fate(StrEnum):
    """What becomes of a delivery."""

    DONE = "done"  # the trip is finished, or somebody else's: acknowledge
    DEAD = "dead"  # can never work: to the dead letters
    LATER = "later"  # this process could not; deliver it again


@dataclass(frozen=True, slots=True)
class Delivery:
    """One wake-up: the trip it names, and the backend's own handle (None where nothing needs settling)."""

    trip_id: UUID
    tag: int | None = None
    redelivered: bool = False


class Publisher(Protocol):
    """Announces stored trips. Owned by one thread."""

    def publish(self, trip_ids: Sequence[UUID]) -> int:
        """Announce the trips and wait, within the publisher's deadline, until the queue has taken them.

        Returns how many it took: a full queue may refuse some, which is no error (the workers are awake then).
        No trips at all only ask whether the queue can be reached. Raises QueueUnavailableError when it cannot;
        the next call connects again, unless the last try was a moment ago.
        """
        ...

    def close(self) -> None:
        """Let go of the connection; never raises, never blocks for long."""
        ...


class Consumer(Protocol):
    """Waits for wake-ups. Owned by one thread, except `interrupt`."""

    def receive(self, limit: int, timeout_s: float) -> list[Delivery]:
        """Up to `limit` deliveries: whatever is there, else the first to come within `timeout_s`, else none.

        None may also come early: after `interrupt`, and after connecting, when the caller had better look into the
        database. A message that names no trip goes to the dead letters and is not returned. Raises
        QueueUnavailableError when the queue cannot be reached; the next call connects again.
        """
        ...

    def settle(self, deliveries: Sequence[Delivery], fate: Fate) -> None:
        """Seal the fate of deliveries after the commit; a delivery of a lost connection is passed over."""
        ...

    def interrupt(self) -> None:
        """Make a waiting `receive` return at once; may be called from any thread or signal handler."""
        ...

    def close(self) -> None:
        """Let go of the connection; what was not settled is delivered to somebody else."""
        ...


@dataclass(frozen=True, slots=True)
class QueueState:
    """What operations shows: reachable or not and why, and how many messages wait (None where not known)."""

    backend: str
    reachable: bool
    ready: int | None = None
    dead: int | None = None
    detail: str = ""
