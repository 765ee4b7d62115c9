"""Trip and score out: what became of a trip, what it scored and why."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from fleetflow.access import Scope
from fleetflow.safety.events import EventKind, Review
from fleetflow.safety.scores import explain
from fleetflow.storage import profiles, reviews
from fleetflow.storage.database import connection
from fleetflow.storage.events import read_events
from fleetflow.storage.scores import read_score
from fleetflow.storage.trips import TripRecord, TripStatus, read_trip
from fleetflow.trips.quality import Finding, Verdict
from ingest_api.keys import requires
from ingest_api.problems import ProblemError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from fleetflow.safety.scores import Judged

router = APIRouter(prefix="/api/v1/trip/{trip_id}", tags=["trips"], dependencies=[Depends(requires(Scope.READ))])


class QualityReason(BaseModel):
    """Something that is odd about a trip's signals; a verdict of `good` makes it a mere note."""

    finding: Finding
    verdict: Verdict
    text: str


class TripAnswer(BaseModel):
    """A trip's state."""

    trip_id: UUID
    status: TripStatus
    vehicle_id: UUID
    driver_id: UUID
    started_at: datetime | None
    ended_at: datetime | None
    received_at: datetime
    completed_at: datetime | None
    point_count: int
    sample_hz: float | None
    distance_km: float | None
    duration_s: float | None
    error: str | None = Field(description="Why the trip could not be analysed, when `status` is FAILED.")
    quality: Verdict | None = Field(description="Whether its signals can be believed; null until it is analysed.")
    quality_reasons: list[QualityReason] | None = Field(description="What was found, the gravest first.")
    offset_long_g: float | None = Field(description="What mounting and road grade added, taken off before detection.")
    offset_lat_g: float | None = Field(description="The same across the vehicle; null where no speed could tell.")
    band_km: list[float] | None = Field(description="Kilometres below 35 km/h, up to 70, and from 70 on.")


class ProfileAnswer(BaseModel):
    """The scoring profile under which a score was given."""

    version: int
    name: str
    active: bool = Field(description="Whether it is the profile by which trips are scored now.")


class ScoreAnswer(BaseModel):
    """A trip's score: 100 less the penalties of its harsh events, not below 0."""

    trip_id: UUID
    driver_id: UUID
    safety_score: int = Field(ge=0, le=100)
    points: int = Field(ge=0, description="What the harsh events cost; above 100 the score is 0 all the same.")
    harsh_braking_count: int
    rapid_accel_count: int
    harsh_cornering_count: int
    speeding_count: int
    profile: ProfileAnswer
    created_at: datetime
    updated_at: datetime | None = Field(description="When a review or a new analysis last changed the score.")


class EventAnswer(BaseModel):
    """A stretch of driving. Seconds from the trip's start; without a clock, samples."""

    id: int
    kind: EventKind
    start_s: float
    peak_s: float
    end_s: float
    peak_g: float | None = Field(description="Largest magnitude in g, always positive; null for speeding.")
    speed_kmh: float | None = Field(description="Speed at the peak; for speeding, the peak itself.")
    latitude: float | None
    longitude: float | None
    harsh: bool = Field(description="Whether it counts under the active profile.")
    margin: float = Field(description="How far the peak is above the threshold, in g or km/h; negative if below.")
    points: int = Field(description="What it takes off the score; all of them add up to 100 less the score.")
    doubts: list[str] = Field(description="Reasons why it may not be real; by default a doubtful event does not count.")
    derived: bool = Field(description="Whether its g comes from the speed, for want of an accelerometer.")
    speed_change_kmh: float | None = Field(description="Speed at the end less that at the start.")
    review: Review | None = Field(description="What a person made of it, if anybody looked at it.")


class WaitingAnswer(BaseModel):
    """The trip is stored and not analysed yet."""

    trip_id: UUID
    status: TripStatus


WAITING: dict[int | str, dict[str, Any]] = {
    202: {"model": WaitingAnswer, "description": "Not analysed yet; ask again."}
}


@router.get("", response_model=TripAnswer, summary="A trip's state")
def get_trip(request: Request, trip_id: UUID) -> TripAnswer:
    """Where the trip is on its way: PENDING, PROCESSING, COMPLETED, or FAILED with the reason."""
    with connection(request.app.state.engine) as conn:
        trip = _known(conn, request, trip_id)
    return TripAnswer(
        trip_id=trip.id, **{name: getattr(trip, name) for name in TripAnswer.model_fields if name != "trip_id"}
    )


@router.get("/score", response_model=ScoreAnswer, responses=WAITING, summary="A trip's score")
def get_score(request: Request, trip_id: UUID) -> Any:
    """The score under the active profile, or under the newest that the trip was scored by; 202 while there is none."""
    with connection(request.app.state.engine) as conn:
        trip = _known(conn, request, trip_id)
        active = profiles.read_active(conn)
        score = read_score(conn, trip_id, active.version)
        if score is None:
            return _not_yet(trip)
        used = active if score.profile_version == active.version else profiles.read_profile(conn, score.profile_version)
    profile = ProfileAnswer(version=used.version, name=used.profile.name, active=used.version == active.version)
    return ScoreAnswer(**asdict(score), profile=profile)


@router.get("/events", response_model=list[EventAnswer], responses=WAITING, summary="A trip's events")
def get_events(request: Request, trip_id: UUID) -> Any:
    """Every event above a low floor, judged by the active profile; 202 while the trip is not analysed."""
    with connection(request.app.state.engine) as conn:
        trip = _known(conn, request, trip_id)
        if trip.status is not TripStatus.COMPLETED:
            return _not_yet(trip)
        profile = profiles.read_active(conn).profile
        events = read_events(conn, trip_id)
        vehicle_class = reviews.read_vehicle_class(conn, trip_id)
    return [_event(judged) for judged in explain(events, profile, vehicle_class).events]


def _event(judged: Judged) -> EventAnswer:
    values = {**asdict(judged.event), "doubts": list(judged.event.doubts)}
    return EventAnswer(**values, harsh=judged.harsh, margin=judged.over, points=judged.points)


def _known(conn: sa.Connection, request: Request, trip_id: UUID) -> TripRecord:
    """The trip; one of a vehicle that the caller's key is not for is answered as one that is not there."""
    trip, bound = read_trip(conn, trip_id), request.state.key.vehicle_ids
    if trip is None or (bound is not None and trip.vehicle_id not in bound):
        raise ProblemError(404, "not_found", "There is no trip with this id.")
    return trip


def _not_yet(trip: TripRecord) -> Response:
    """202 while the trip waits; a trip that FAILED will never have a score, so 409 says why."""
    if trip.status is TripStatus.FAILED:
        raise ProblemError(409, "trip_failed", f"The trip could not be analysed: {trip.error}")
    waiting = WaitingAnswer(trip_id=trip.id, status=trip.status)
    return Response(waiting.model_dump_json(), 202, {"Retry-After": "1"}, "application/json")
