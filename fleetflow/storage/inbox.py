"""The inbox of events: those above the thresholds of their vehicle's class, as a person reviews them.

One bounded statement finds a page and counts the tabs. Trips with unusable signals are left out: their events say
something about the device, not about driving.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from fleetflow.safety.judging import KINDS
from fleetflow.safety.profiles import TOLERANCE
from fleetflow.storage.events import COLUMNS as EVENT_COLUMNS
from fleetflow.storage.events import as_event
from fleetflow.storage.peaks import ABOVE, RULE, least_of, rules_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    import sqlalchemy as sa

    from fleetflow.safety.events import EventKind, HarshEvent
    from fleetflow.safety.profiles import ScoringProfile


class Tab(StrEnum):
    """Where in the inbox an event stands."""

    TO_REVIEW = "review"
    DOUBTFUL = "doubtful"
    REVIEWED = "reviewed"


class Order(StrEnum):
    """Which events come first; severity is the peak relative to the threshold of the vehicle's class."""

    SEVERE = "severe"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: of these kinds (none named: all), of trips that began since then, of a group of drivers.

    `search` is a part of a driver's or a vehicle's name, or the beginning of an id.
    """

    kinds: tuple[EventKind, ...] = ()
    since: datetime | None = None
    group_name: str | None = None
    search: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A page of a tab: `limit` events after the first `offset`."""

    tab: Tab
    order: Order
    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """An event with whose it is and the threshold (g; km/h for speeding) that it exceeds."""

    event: HarshEvent
    trip_id: str
    driver_id: str
    driver_name: str | None
    vehicle_id: str
    vehicle_name: str | None
    vehicle_class: str | None
    began_at: datetime
    """When its trip began, or was received if nothing told."""
    started_at: datetime | None
    has_clock: bool
    threshold: float
    reason: str | None
    """What the last reviewer said; with `reviewed_by` and `reviewed_at` None where nobody ever judged it."""
    reviewed_by: str | None
    reviewed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of events, and how many there are in each tab."""

    counts: Mapping[Tab, int]
    events: tuple[InboxEvent, ...]


SURROUNDINGS = f"""
JOIN telemetry.trip_logs AS trip ON trip.id = event.trip_id
LEFT JOIN telemetry.vehicles AS vehicle ON vehicle.id = trip.vehicle_id
LEFT JOIN telemetry.drivers AS driver ON driver.id = trip.driver_id
{RULE}
"""
"""Of an event, with the threshold it is judged by."""

DETAILS = f"""
{", ".join(f"event.{column.name}" for column in EVENT_COLUMNS)},
trip.id::text AS trip_id, trip.driver_id::text, telemetry.shown_name(driver.name) AS driver_name, trip.vehicle_id::text,
vehicle.name AS vehicle_name, vehicle.vehicle_class, COALESCE(trip.started_at, trip.received_at) AS began_at,
trip.started_at, trip.duration_s IS NOT NULL OR trip.sample_hz IS NOT NULL AS has_clock, rule.threshold,
past.reason, past.author AS reviewed_by, past.created_at AS reviewed_at
"""
OF_EVENTS = f"""
FROM telemetry.harsh_events AS event {SURROUNDINGS}
LEFT JOIN LATERAL (
    SELECT * FROM telemetry.event_reviews WHERE event_id = event.id ORDER BY id DESC LIMIT 1
) AS past ON true
"""  # noqa: S608 - put together from this package's own words

PAGE = f"""
WITH found AS MATERIALIZED (
    SELECT event.id, event.peak_s, event.peak / threshold AS severity,
           COALESCE(trip.started_at, trip.received_at) AS began_at,
           CASE WHEN event.review IS NOT NULL THEN 'reviewed' WHEN cardinality(event.doubts) > 0 THEN 'doubtful'
                ELSE 'review' END AS tab
    FROM ({ABOVE}) AS event {SURROUNDINGS}
    WHERE event.peak > threshold + %(tolerance)s
      AND trip.status = 'COMPLETED' AND trip.quality IS DISTINCT FROM 'unusable'
      AND (%(since)s::timestamptz IS NULL OR COALESCE(trip.started_at, trip.received_at) >= %(since)s)
      AND (%(group_name)s::text IS NULL OR driver.group_name = %(group_name)s)
      AND (%(search)s = '' OR strpos(lower(telemetry.shown_name(driver.name)), %(search)s) > 0
           OR strpos(lower(vehicle.name), %(search)s) > 0
           OR starts_with(trip.driver_id::text, %(search)s) OR starts_with(trip.vehicle_id::text, %(search)s)
           OR starts_with(trip.id::text, %(search)s))
), counts AS (
    SELECT count(*) FILTER (WHERE tab = 'review') AS review, count(*) FILTER (WHERE tab = 'doubtful') AS doubtful,
           count(*) FILTER (WHERE tab = 'reviewed') AS reviewed
    FROM found
), page AS (
    SELECT id, row_number() OVER () AS place
    FROM (SELECT id FROM found WHERE tab = %(tab)s ORDER BY {{order}}, id LIMIT %(limit)s OFFSET %(offset)s) AS chosen
), shown AS (
    SELECT {DETAILS}, page.place
    {OF_EVENTS} JOIN page ON page.id = event.id
)
SELECT shown.*, counts.review AS to_review_count, counts.doubtful AS doubtful_count, counts.reviewed AS reviewed_count
FROM counts LEFT JOIN shown ON true ORDER BY place
"""  # noqa: S608 - put together from this file's own words
ORDERS = {Order.SEVERE: "severity DESC", Order.NEWEST: "began_at DESC, peak_s DESC"}
ONE = f"SELECT {DETAILS} {OF_EVENTS} WHERE event.id = %(id)s"

OTHERS = """
SELECT COALESCE(sum(harsh_braking_count), 0) AS braking, COALESCE(sum(rapid_accel_count), 0) AS acceleration,
       COALESCE(sum(harsh_cornering_count), 0) AS cornering, COALESCE(sum(speeding_count), 0) AS speeding,
       COALESCE(sum(distance_km), 0) AS distance_km
FROM telemetry.trip_logs AS trip JOIN telemetry.driver_scores AS score ON score.trip_id = trip.id
WHERE profile_version = %(version)s AND vehicle_id = %(vehicle_id)s AND trip.driver_id <> %(driver_id)s
  AND (%(since)s::timestamptz IS NULL OR COALESCE(started_at, received_at) >= %(since)s)
"""


def read_inbox(conn: sa.Connection, profile: ScoringProfile, wanted: Wanted, part: Part) -> Inbox:
    """A page of a tab under a profile, and how many events of the wanted ones each tab has."""
    values = {
        **rules_of(profile), **least_of(profile, wanted.kinds or KINDS), "tolerance": TOLERANCE,
        "tab": part.tab, "limit": part.limit, "offset": part.offset,
        "since": wanted.since, "group_name": wanted.group_name, "search": wanted.search.strip().lower(),
    }  # fmt: skip
    rows = conn.exec_driver_sql(PAGE.format(order=ORDERS[part.order]), values).mappings().all()
    counts = {each: rows[0][f"{each.name.lower()}_count"] for each in Tab}
    return Inbox(counts, tuple(_inbox_event(row) for row in rows if row["id"] is not None))


def read_event(conn: sa.Connection, profile: ScoringProfile, event_id: int) -> InboxEvent | None:
    """One event, whether it is above its threshold or not; None for an unknown number."""
    row = conn.exec_driver_sql(ONE, {**rules_of(profile), "id": event_id}).mappings().one_or_none()
    return None if row is None else _inbox_event(row)


def read_other_drivers(
    conn: sa.Connection, profile_version: int, *, vehicle_id: UUID, driver_id: UUID, since: datetime | None
) -> dict[str, float]:
    """Harsh events by kind and `distance_km` of a vehicle in a period while others than this driver drove it."""
    values = {"version": profile_version, "vehicle_id": vehicle_id, "driver_id": driver_id, "since": since}
    return {name: float(value) for name, value in conn.exec_driver_sql(OTHERS, values).mappings().one().items()}


def _inbox_event(row: sa.RowMapping) -> InboxEvent:
    names = [name for name in InboxEvent.__slots__ if name != "event"]
    return InboxEvent(event=as_event(row), **{name: row[name] for name in names})
