"""The contract's trip: JSON bytes in, columns out, no dict per point; every refusal names its path."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Raw

from fleetflow.trips.samples import FROM_SPEED, FloatArray, Samples, Trip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_FAULTS = 20
"""A refusal names at most this many faults, so that an answer stays small however bad the trip is."""
MAX_ODOMETER_KM = 10_000_000.0
MAX_SAMPLE_HZ = 1000.0
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Older dates come from devices that lost their clock (1970, 1980), not from drives."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a trip may hold; in the units of the names."""

    max_points: int = 200_000
    max_speed_kmh: float = 400.0
    max_g: float = 20.0
    max_duration_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (`data[17].g_force_long`, empty for the body as a whole) and what."""

    path: str
    message: str


class TripRefusedError(Exception):
    """The sender must change the trip. `code` is for programs; `faults` are the first 20."""

    def __init__(self, code: str, detail: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.faults = faults


class TripDecoder:
    """Decodes trips under fixed limits; safe to share between threads."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._points = _point_fields(self.limits)
        self._trips = _trip_fields()
        point = msgspec.defstruct("Point", _struct_fields(self._points), gc=False)
        data = Annotated[list[point], Meta(min_length=1)]  # type: ignore[valid-type]
        trip = msgspec.defstruct(
            "Trip", [*_struct_fields(self._trips), ("data", data)], forbid_unknown_fields=True, kw_only=True
        )
        self._point_decoder = msgspec.json.Decoder(point)
        self._decoder = msgspec.json.Decoder(trip)

    def decode(self, body: bytes, *, latest: datetime) -> Trip:
        """The trip in `body`, no point of which may be later than `latest`. Raises TripRefusedError."""
        try:
            decoded = self._decoder.decode(body)
        except RecursionError:
            raise TripRefusedError("invalid_json", "The JSON is nested too deeply.") from None
        except msgspec.ValidationError:
            raise self._refusal(body) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _invalid_json(error) from None
        return self._trip(decoded, latest)

    def json_schema(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """JSON Schema of a trip and its components, with references under `#/components/schemas/`."""
        (trip,), components = msgspec.json.schema_components(
            [self._decoder.type], ref_template="#/components/schemas/{name}"
        )
        components["Trip"]["properties"]["data"]["maxItems"] = self.limits.max_points
        return trip, components

    def _trip(self, decoded: Any, latest: datetime) -> Trip:
        points = decoded.data
        if len(points) > self.limits.max_points:
            raise _invalid(Fault("data", f"must have at most {self.limits.max_points} points"))
        first, t_s = _clock(points)
        started_at = first or decoded.timestamp
        trip = Trip(
            vehicle_id=decoded.vehicle_id,
            driver_id=decoded.driver_id,
            samples=_samples(points, t_s, g_from_speed=decoded.g_source == FROM_SPEED),
            started_at=started_at and _in_utc(started_at),
            sample_hz=decoded.sample_hz,
        )
        faults = [*_date_faults(trip, latest), *_duration_faults(trip, self.limits)]
        if faults:
            raise _invalid(*faults)
        return trip

    def _refusal(self, body: bytes) -> TripRefusedError:
        """Decode once more, slowly, to name every fault instead of the first."""
        try:
            fields = msgspec.json.decode(body, type=dict[str, Raw])
        except msgspec.ValidationError:
            return _invalid(Fault("", "must be a JSON object"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as unreadable:
            return _invalid_json(unreadable)
        try:
            faults = list(_first(self._faults(fields)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as unreadable:
            return _invalid_json(unreadable)
        return _invalid(*faults) if faults else _invalid(Fault("", "gives a field twice, once with a bad value"))

    def _faults(self, fields: dict[str, Raw]) -> Iterator[Fault]:
        for name in fields.keys() - {spec.name for spec in self._trips} - {"data"}:
            yield Fault(_printable(name), "is not a field of a trip")
        yield from _field_faults(self._trips, fields, "")
        if "data" not in fields:
            yield Fault("data", "is required")
            return
        try:
            points = msgspec.json.decode(fields["data"], type=Annotated[list[Raw], Meta(min_length=1)])
        except msgspec.ValidationError:
            yield Fault("data", "must be a list of at least one point")
            return
        yield from self._point_faults(points)

    def _point_faults(self, points: Sequence[Raw]) -> Iterator[Fault]:
        for index, raw in enumerate(points):
            try:
                self._point_decoder.decode(raw)
            except msgspec.ValidationError:
                yield from self._faults_of_point(index, raw)

    def _faults_of_point(self, index: int, raw: Raw) -> Iterator[Fault]:
        try:
            fields = msgspec.json.decode(raw, type=dict[str, Raw])
        except msgspec.ValidationError:
            yield Fault(f"data[{index}]", "must be an object")
            return
        yield from _field_faults(self._points, fields, f"data[{index}].")


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of the contract: its type, and what a sender who got it wrong is told."""

    name: str
    type: Any
    message: str
    required: bool = False


def _number(name: str, low: float, high: float, *, required: bool = False) -> _Field:
    kind = Annotated[float, Meta(ge=low, le=high)]
    return _Field(name, kind, f"must be a number from {low:g} to {high:.10g}", required)


def _moment(name: str) -> _Field:
    kind = Annotated[datetime, Meta(tz=True)]
    return _Field(name, kind, "must be an ISO 8601 time with a zone, such as 2026-01-01T12:00:00Z")


def _point_fields(limits: Limits) -> list[_Field]:
    return [
        _number("speed_kmh", 0.0, limits.max_speed_kmh, required=True),
        _number("g_force_long", -limits.max_g, limits.max_g, required=True),
        _number("g_force_lat", -limits.max_g, limits.max_g),
        _moment("timestamp"),
        _number("latitude", -90.0, 90.0),
        _number("longitude", -180.0, 180.0),
        _number("heading_deg", 0.0, 360.0),
        _number("odometer_km", 0.0, MAX_ODOMETER_KM),
    ]


def _trip_fields() -> list[_Field]:
    identity = "must be a UUID, such as 0190163d-8694-739b-aea5-966c26f8ad91"
    rate = Annotated[float, Meta(gt=0, le=MAX_SAMPLE_HZ)]
    return [
        _Field("vehicle_id", UUID, identity, required=True),
        _Field("driver_id", UUID, identity, required=True),
        _moment("timestamp"),
        _Field("sample_hz", rate, f"must be a number above 0 and up to {MAX_SAMPLE_HZ:g}"),
        _Field("g_source", Literal["sensor", "speed"], "must be sensor or speed"),
    ]


def _struct_fields(specs: Sequence[_Field]) -> list[Any]:
    required = [(spec.name, spec.type) for spec in specs if spec.required]
    optional = [(spec.name, spec.type | None, None) for spec in specs if not spec.required]
    return [*required, *optional]


def _field_faults(specs: Sequence[_Field], fields: dict[str, Raw], prefix: str) -> Iterator[Fault]:
    for spec in specs:
        value: Any = fields.get(spec.name, UNSET)
        if value is UNSET:
            if spec.required:
                yield Fault(prefix + spec.name, "is required")
            continue
        try:
            msgspec.json.decode(value, type=spec.type if spec.required else spec.type | None)
        except msgspec.ValidationError:
            yield Fault(prefix + spec.name, spec.message)


def _clock(points: Sequence[Any]) -> tuple[datetime | None, FloatArray | None]:
    """The first point's time and the seconds since then; refuses a partial clock and one that runs back."""
    stamps = [point.timestamp for point in points]
    if stamps.count(None) == len(stamps):
        return None, None
    if stamps[0] is None:
        index = next(index for index, stamp in enumerate(stamps) if stamp is not None)
        raise _invalid(Fault("data[0].timestamp", f"is missing, but data[{index}] has one: all points or none"))
    if None in stamps:
        path = f"data[{stamps.index(None)}].timestamp"
        raise _invalid(Fault(path, "is missing, but data[0] has one: all points or none"))
    seconds = np.array(list(map(datetime.timestamp, stamps)))
    t_s = np.round(seconds - seconds[0], 6)  # datetimes are exact to a microsecond; the rest is rounding
    backwards = np.flatnonzero(np.diff(t_s) < 0)[:MAX_FAULTS] + 1
    if backwards.size:
        raise _invalid(*(Fault(f"data[{i}].timestamp", "is earlier than the point before") for i in backwards))
    return stamps[0], t_s


_CHANNELS: dict[str, Callable[[Sequence[Any]], list[Any]]] = {
    "speed_kmh": lambda points: [point.speed_kmh for point in points],
    "g_force_long": lambda points: [point.g_force_long for point in points],
    "g_force_lat": lambda points: [point.g_force_lat for point in points],
    "latitude": lambda points: [point.latitude for point in points],
    "longitude": lambda points: [point.longitude for point in points],
    "heading_deg": lambda points: [point.heading_deg for point in points],
    "odometer_km": lambda points: [point.odometer_km for point in points],
}
"""Written out, because reading an attribute that is known by name takes a third of what a getter by name takes."""


def _samples(points: Sequence[Any], t_s: FloatArray | None, *, g_from_speed: bool) -> Samples:
    columns = {name: _column(values(points)) for name, values in _CHANNELS.items()}
    # The required ones are never None.
    return Samples(**columns, t_s=t_s, g_from_speed=g_from_speed)  # type: ignore[arg-type]


def _column(values: list[float | None]) -> FloatArray | None:
    """The values as an array, NaN for a missing one; None when all are missing."""
    column = np.empty(len(values))
    try:  # three times as fast as numpy's own reading of a list
        struct.pack_into(f"{len(values)}d", column.data, 0, *values)
    except struct.error:
        missing = values.count(None) == len(values)
        return None if missing else np.array(values, dtype=np.float64)
    return column


def _in_utc(moment: datetime) -> datetime:
    """The same moment; one that UTC has no date for becomes the nearest that it has, and is refused for that."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if moment.year == 1 else datetime.max.replace(tzinfo=UTC)


def _date_faults(trip: Trip, latest: datetime) -> Iterator[Fault]:
    if trip.started_at is None:
        return
    t_s = trip.samples.t_s
    path = "timestamp" if t_s is None else "data[0].timestamp"
    if trip.started_at < EARLIEST:
        yield Fault(path, f"is before {EARLIEST.year}: the device's clock is not set")
    if trip.started_at > latest:
        yield Fault(path, "lies in the future")
    elif t_s is not None and t_s[-1] > (latest - trip.started_at).total_seconds():
        yield Fault(f"data[{len(t_s) - 1}].timestamp", "lies in the future")


def _duration_faults(trip: Trip, limits: Limits) -> Iterator[Fault]:
    hours = limits.max_duration_s / 3600
    if trip.samples.t_s is not None:
        if trip.samples.t_s[-1] > limits.max_duration_s:
            late = int(np.argmax(trip.samples.t_s > limits.max_duration_s))
            yield Fault(f"data[{late}].timestamp", f"is more than {hours:g} hours after the first point")
    elif trip.sample_hz is not None and (len(trip.samples) - 1) / trip.sample_hz > limits.max_duration_s:
        yield Fault("sample_hz", f"makes the trip longer than {hours:g} hours")


def _first(faults: Iterator[Fault]) -> Iterator[Fault]:
    return (fault for fault, _ in zip(faults, range(MAX_FAULTS), strict=False))


def _invalid(*faults: Fault) -> TripRefusedError:
    where = faults[0].path or "The body"
    more = f" ({len(faults)} faults in all)" if len(faults) > 1 else ""
    return TripRefusedError("validation_failed", f"{where} {faults[0].message}{more}.", faults[:MAX_FAULTS])


def _invalid_json(error: Exception) -> TripRefusedError:
    if isinstance(error, RecursionError):
        return TripRefusedError("invalid_json", "The JSON is nested too deeply.")
    if isinstance(error, UnicodeDecodeError):
        return TripRefusedError("invalid_json", "The body is not valid UTF-8.")
    return TripRefusedError("invalid_json", f"The body is not valid JSON: {error}.")


def _printable(name: str) -> str:
    """A field name that a client made up, fit to be shown: short, and nothing that moves a cursor."""
    shown = "".join(char if char.isprintable() else "?" for char in name[:64])
    return shown or '""'
