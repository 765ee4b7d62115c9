"""What a file would become, as plain data small enough to show: columns, trips with events, refused rows, questions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003  # msgspec reads the annotations, here and below
from uuid import UUID  # noqa: TC003

import msgspec

from fleetflow.importers.mapping import Mapping  # noqa: TC001
from fleetflow.importers.questions import Question  # noqa: TC001
from fleetflow.importers.roles import Role  # noqa: TC001
from fleetflow.importers.table import Refusal  # noqa: TC001
from fleetflow.safety.events import HarshEvent  # noqa: TC001


@dataclass(frozen=True, slots=True)
class ColumnPreview:
    """A column of the file and its use; `after` is the range in the contract's unit, `reason` why it was put to it."""

    name: str
    first: str
    role: Role
    unit: str
    after: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A trip's curves, with the lowest and highest value of every stretch."""

    t_s: list[float]
    speed_kmh: list[float]
    long_g: list[float]


@dataclass(frozen=True, slots=True)
class TripPreview:
    """A trip as it would be stored; `fingerprint` is the hash by which FleetFlow would know it again."""

    line: int
    label: str
    driver: str
    vehicle: str
    driver_id: UUID
    vehicle_id: UUID
    started_at: datetime | None
    points: int
    distance_km: float | None
    duration_s: float | None
    sample_hz: float | None
    fingerprint: str
    quality: str
    reasons: list[str]
    events: list[HarshEvent]
    drawing: Drawing | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """A file's preview; `mapping` is None for the API's own form."""

    format: str
    file_hash: str
    signature: str
    row_count: int
    trips: list[TripPreview]
    refused_count: int
    refusals: list[Refusal]
    notes: list[str] = field(default_factory=list)
    columns: list[ColumnPreview] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    mapping: Mapping | None = None

    def as_json(self) -> bytes:
        """For `read_preview`."""
        return msgspec.json.encode(self)


def read_preview(text: bytes) -> Preview:
    """What `Preview.as_json` wrote."""
    return msgspec.json.decode(text, type=Preview)
