"""What people make of events: a review is added and never changed, and the trip's scores follow in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from fleetflow.errors import FleetFlowError
from fleetflow.safety.events import EventKind, Review
from fleetflow.safety.scores import score_trip
from fleetflow.storage import profiles, scores
from fleetflow.storage.events import read_events
from fleetflow.storage.tables import driver_scores, event_reviews, harsh_events, trip_logs, vehicles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID


SAME_EVENT_S = 1.0
"""An event of the same kind whose peak is no farther off is the same one, found by another version of detection."""

REATTACH = """
WITH latest AS (
    SELECT DISTINCT ON (event.id) event.id AS event_id, past.id AS review_id, past.review
    FROM telemetry.harsh_events AS event
    JOIN telemetry.event_reviews AS past ON past.trip_id = event.trip_id AND past.kind = event.kind
         AND abs(past.peak_s - event.peak_s) <= %(reach_s)s
    WHERE event.trip_id = %(trip_id)s
    ORDER BY event.id, past.id DESC
), judged AS (
    UPDATE telemetry.harsh_events AS event SET review = latest.review FROM latest WHERE event.id = latest.event_id
)
UPDATE telemetry.event_reviews AS past SET event_id = latest.event_id FROM latest WHERE past.id = latest.review_id
"""


class EventMissingError(FleetFlowError):
    """There is no such event, perhaps because its trip was analysed anew; whoever asked looks at the trip again."""


class ReviewConflictError(FleetFlowError):
    """Somebody else reviewed the event in the meantime; whoever asked looks at what they said first."""


@dataclass(frozen=True, slots=True)
class ReviewRecord:
    """One step in the history of an event: what it was judged to be (None: the judgement before was withdrawn)."""

    id: int
    trip_id: UUID
    event_id: int | None
    kind: EventKind
    peak_s: float
    review: Review | None
    reason: str
    author: str
    created_at: datetime


def insert_review(
    conn: sa.Connection, event_id: int, review: Review | None, *, expected: Review | None, author: str, reason: str = ""
) -> None:
    """Judge an event (None withdraws the judgement); the scores of its trip follow.

    `expected` is what the author saw before: ReviewConflictError when that is no longer so, EventMissingError for an
    unknown event. Scores under all profiles follow; the history keeps every step.
    """
    event = _lock_event(conn, event_id)
    if event.review != expected:
        now = "no review" if event.review is None else f"the review “{event.review}”"
        raise ReviewConflictError(f"The event has {now} by now; nothing was changed.")
    if event.review == review:
        return
    conn.execute(sa.update(harsh_events).where(harsh_events.c.id == event_id).values(review=review))
    conn.execute(
        sa.insert(event_reviews).values(
            trip_id=event.trip_id,
            event_id=event_id,
            kind=event.kind,
            peak_s=event.peak_s,
            review=review,
            reason=reason,
            author=author,
        )
    )
    rescore_trip(conn, event.trip_id)


def insert_reviews(
    conn: sa.Connection, expected: Mapping[int, Review | None], review: Review | None, *, author: str, reason: str = ""
) -> int:
    """Judge many events alike; how many changed. `expected` is by event what the author saw before: an event that is
    gone or that somebody else judged meanwhile stays as it is.
    """
    _lock_trips(conn, expected)
    return sum(
        _judged(conn, event_id, review, expected=before, author=author, reason=reason)
        for event_id, before in sorted(expected.items())
    )


def _judged(
    conn: sa.Connection, event_id: int, review: Review | None, *, expected: Review | None, author: str, reason: str
) -> bool:
    try:
        insert_review(conn, event_id, review, expected=expected, author=author, reason=reason)
    except (EventMissingError, ReviewConflictError):
        return False
    return review != expected


def _lock_trips(conn: sa.Connection, event_ids: Iterable[int]) -> None:
    """The trips of these events in the order of their ids, so that no two who judge many wait for each other."""
    trip_ids = sa.select(harsh_events.c.trip_id).where(harsh_events.c.id.in_(list(event_ids)))
    conn.execute(
        sa.select(trip_logs.c.id).where(trip_logs.c.id.in_(trip_ids)).order_by(trip_logs.c.id).with_for_update()
    )


def read_score_around(conn: sa.Connection, event_id: int, profile_version: int) -> int | None:
    """The score under a profile of the trip that an event belongs to; None without one."""
    of_trip = sa.select(harsh_events.c.trip_id).where(harsh_events.c.id == event_id).scalar_subquery()
    return conn.scalar(
        sa.select(driver_scores.c.safety_score).where(
            driver_scores.c.trip_id == of_trip, driver_scores.c.profile_version == profile_version
        )
    )


def reattach_reviews(conn: sa.Connection, trip_id: UUID) -> None:
    """After a new analysis: give each event the last review of the event of its kind whose peak was at its time."""
    conn.exec_driver_sql(REATTACH, {"trip_id": trip_id, "reach_s": SAME_EVENT_S})


def rescore_trip(conn: sa.Connection, trip_id: UUID) -> None:
    """Let all scores of a trip follow from its events as they are judged now."""
    events = read_events(conn, trip_id)
    vehicle_class = read_vehicle_class(conn, trip_id)
    for version in scores.list_versions(conn, trip_id):
        profile = profiles.read_profile(conn, version).profile
        scores.update_score(conn, trip_id, version, score_trip(events, profile, vehicle_class))


def read_vehicle_class(conn: sa.Connection, trip_id: UUID) -> str | None:
    """The class of the vehicle that made the trip; None when nobody said."""
    statement = sa.select(vehicles.c.vehicle_class).join(trip_logs, trip_logs.c.vehicle_id == vehicles.c.id)
    return conn.scalar(statement.where(trip_logs.c.id == trip_id))


def list_reviews(conn: sa.Connection, trip_id: UUID) -> list[ReviewRecord]:
    """The history of a trip's events, the newest first."""
    columns = [event_reviews.c[name] for name in ReviewRecord.__slots__]
    statement = sa.select(*columns).where(event_reviews.c.trip_id == trip_id).order_by(event_reviews.c.id.desc())
    return [_record(row) for row in conn.execute(statement)]


def _lock_event(conn: sa.Connection, event_id: int) -> Any:
    """The event, its trip's row locked first: whoever changes a trip's scores has that lock."""
    trip_id = conn.scalar(sa.select(harsh_events.c.trip_id).where(harsh_events.c.id == event_id))
    conn.execute(sa.select(trip_logs.c.id).where(trip_logs.c.id == trip_id).with_for_update())
    columns = (harsh_events.c.trip_id, harsh_events.c.kind, harsh_events.c.peak_s, harsh_events.c.review)
    row: Any = conn.execute(sa.select(*columns).where(harsh_events.c.id == event_id)).one_or_none()
    if row is None:
        raise EventMissingError("There is no such event; its trip may have been analysed anew.")
    return row


def _record(row: sa.Row[Any]) -> ReviewRecord:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    review = values["review"]
    return ReviewRecord(
        **{**values, "kind": EventKind(values["kind"]), "review": None if review is None else Review(review)}
    )
