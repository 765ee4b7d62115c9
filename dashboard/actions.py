"""All writes of the dashboard: one transaction each; what the pages keep of the old state is dropped afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard import data
from fleetflow.storage import backlog, coaching, profiles, reviews, runs, uploads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from uuid import UUID

    from fleetflow.importers import Mapping
    from fleetflow.safety.events import HarshEvent, Review
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.runs import Run

AUTHOR = "dashboard"
"""Who acts, as long as the dashboard does not ask who is there."""


def review_event(database: str, event: HarshEvent, review: Review | None, reason: str) -> tuple[int | None, int | None]:
    """Judge an event; the trip's score before and after, and the ranks follow.

    Raises ReviewConflictError, EventMissingError.
    """
    assert event.id is not None  # noqa: S101 - it was read from the database
    with data.writing(database) as conn:
        version = profiles.read_active(conn).version
        before = reviews.read_score_around(conn, event.id, version)
        reviews.insert_review(conn, event.id, review, expected=event.review, author=AUTHOR, reason=reason)
        return before, reviews.read_score_around(conn, event.id, version)


def review_events(database: str, events: Sequence[HarshEvent], review: Review | None, reason: str) -> int:
    """Judge many events alike; how many changed. Those that somebody else judged meanwhile stay as they are."""
    expected = {event.id: event.review for event in events if event.id is not None}
    with data.writing(database) as conn:
        return reviews.insert_reviews(conn, expected, review, author=AUTHOR, reason=reason)


def apply_profile(database: str, profile: ScoringProfile, note: str) -> Run | None:
    """Store a profile and make it active: at once where every trip has a score under it (None), else after a run.

    Raises ProfileError, RunInProgressError; then nothing is stored.
    """
    with data.writing(database) as conn:
        version = profiles.insert_profile(conn, profile, author=AUTHOR, note=note)
        return runs.activate(conn, version, activated_by=AUTHOR, note=note)


def activate_profile(database: str, version: int) -> Run | None:
    """Go to another version. Raises RunInProgressError."""
    with data.writing(database) as conn:
        return runs.activate(conn, version, activated_by=AUTHOR)


def cancel_run(database: str, run_id: int) -> bool:
    """Stop a run; False when it had ended already."""
    with data.writing(database) as conn:
        return runs.cancel_run(conn, run_id)


def add_note(database: str, driver_id: UUID, coached_on: date, note: str) -> None:
    """Keep what was agreed with a driver. Raises NoteRefusedError."""
    with data.writing(database) as conn:
        coaching.insert_note(conn, driver_id, coached_on, note, author=AUTHOR)


def withdraw_note(database: str, note_id: int) -> bool:
    """Take a note back; False when somebody did so before."""
    with data.writing(database) as conn:
        return coaching.withdraw_note(conn, note_id)


def retry_failed(database: str, trip_ids: Sequence[UUID] | None = None) -> int:
    """Have failed trips analysed again, these or all; how many it reached."""
    with data.writing(database) as conn:
        return len(backlog.retry_failed(conn, trip_ids))


def begin_upload(database: str, upload: uploads.NewUpload, drivers: dict[UUID, str], vehicles: dict[UUID, str]) -> int:
    """Keep where trips are about to come from, and the names that the file has for people and vehicles."""
    with data.writing(database) as conn:
        uploads.name_unknown(conn, drivers, vehicles)
        return uploads.insert_upload(conn, upload)


def note_uploaded(database: str, upload_id: int, trip_ids: Iterable[UUID]) -> None:
    """Say which trips came with an upload."""
    with data.writing(database) as conn:
        uploads.insert_upload_trips(conn, upload_id, trip_ids)


def save_mapping(database: str, name: str, signature: str, mapping: Mapping) -> None:
    """Save a mapping for all files of one make."""
    with data.writing(database) as conn:
        uploads.upsert_mapping(conn, name, signature, mapping.as_plain(), AUTHOR)
