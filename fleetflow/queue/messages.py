"""What a wake-up says: a trip's id as 36 characters of text, and nothing else."""

from __future__ import annotations

from uuid import UUID

CONTENT_TYPE = "text/plain"
UUID_LENGTH = 36


def write_message(trip_id: UUID) -> bytes:
    """The body of a wake-up."""
    return str(trip_id).encode("ascii")


def read_message(body: bytes) -> UUID | None:
    """The trip that a wake-up names, or None for garbage."""
    try:
        return UUID(body.decode("ascii")) if len(body) == UUID_LENGTH else None
    except ValueError:
        return None
