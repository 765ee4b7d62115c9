"""Coaching notes: what was agreed with a driver on which day. A note is withdrawn, never changed or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from fleetflow.errors import FleetFlowError
from fleetflow.storage.tables import coaching_notes

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

LONGEST_NOTE = 2000

# Somewhere on earth it is tomorrow already; later than that is a slip of the hand.
INSERT = """
INSERT INTO telemetry.coaching_notes (driver_id, coached_on, note, author)
SELECT id, CAST(:coached_on AS date), :note, :author FROM telemetry.drivers
WHERE id = :driver_id AND CAST(:coached_on AS date) <= current_date + 1
RETURNING id
"""


class NoteRefusedError(FleetFlowError):
    """A note that cannot be kept; whoever wrote it mends it."""


@dataclass(frozen=True, slots=True)
class CoachingNote:
    """One note; `withdrawn_at` is None as long as it stands."""

    id: int
    driver_id: UUID
    coached_on: date
    note: str
    author: str
    created_at: datetime
    withdrawn_at: datetime | None


def insert_note(conn: sa.Connection, driver_id: UUID, coached_on: date, note: str, *, author: str) -> int:
    """Add a note and return its number. NoteRefusedError: no text or too long, a day ahead, an unknown driver."""
    text = note.replace("\x00", "").strip()
    if not 1 <= len(text) <= LONGEST_NOTE:
        raise NoteRefusedError(f"A note has 1 to {LONGEST_NOTE:,} characters.")
    values = {"driver_id": driver_id, "coached_on": coached_on, "note": text, "author": author}
    number: int | None = conn.scalar(sa.text(INSERT), values)
    if number is None:
        raise NoteRefusedError("The day lies ahead, or there is no such driver; nothing was stored.")
    return number


def withdraw_note(conn: sa.Connection, note_id: int) -> bool:
    """Take a note back; its text stays in the history. False when it was withdrawn before or never was."""
    standing = sa.and_(coaching_notes.c.id == note_id, coaching_notes.c.withdrawn_at.is_(None))
    statement = sa.update(coaching_notes).where(standing).values(withdrawn_at=sa.func.now())
    return conn.execute(statement).rowcount == 1


def list_notes(conn: sa.Connection, driver_id: UUID) -> list[CoachingNote]:
    """All notes of a driver, withdrawn ones too, the latest day first."""
    statement = (
        sa.select(*(coaching_notes.c[name] for name in CoachingNote.__slots__))
        .where(coaching_notes.c.driver_id == driver_id)
        .order_by(coaching_notes.c.coached_on.desc(), coaching_notes.c.id.desc())
    )
    return [CoachingNote(*row) for row in conn.execute(statement)]
