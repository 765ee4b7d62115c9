"""The OpenAPI document: FastAPI's for what goes out, the decoder's own schema for what comes in, and never 422."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from ingest_api.problems import MEDIA_TYPE, TITLES

if TYPE_CHECKING:
    from fastapi import FastAPI

    from fleetflow.trips.wire import TripDecoder

DESCRIPTION = (
    "Telemetry in, safety scores out. Every refusal is an RFC 9457 problem that names what is wrong and where."
)
EXAMPLE = {
    "vehicle_id": "0190163d-8694-739b-aea5-966c26f8ad91",
    "driver_id": "0190163d-8694-739b-aea5-966c26f8ad92",
    "data": [{"speed_kmh": 50, "g_force_long": 0.1}, {"speed_kmh": 55, "g_force_long": -0.5}],
}
TRIP_REFUSALS = (400, 401, 403, 408, 409, 410, 413, 415, 429, 503)
BATCH_REFUSALS = (400, 401, 403, 408, 413, 415, 429, 503)
QUEUED = {
    "type": "object",
    "required": ["status", "trip_id", "duplicate"],
    "properties": {
        "status": {"const": "QUEUED"},
        "trip_id": {"type": "string", "format": "uuid"},
        "duplicate": {"type": "boolean", "description": "Whether this trip had been sent before; it has the same id."},
    },
}
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "code")},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "maxItems": 20,
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
LINE = {
    "type": "object",
    "required": ["line", "status"],
    "properties": {
        **QUEUED["properties"],  # type: ignore[dict-item]
        "line": {"type": "integer"},
        "status": {"enum": ["QUEUED", "REFUSED"]},
        **{name: PROBLEM["properties"][name] for name in ("code", "detail", "errors")},  # type: ignore[index]
    },
}


def install(app: FastAPI, decoder: TripDecoder) -> None:
    """Make `/docs` and `/openapi.json` tell what this app does."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build(app, decoder)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def build(app: FastAPI, decoder: TripDecoder) -> dict[str, Any]:
    """The whole document."""
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    trip, components = decoder.json_schema()
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(components, Problem=PROBLEM, Queued=QUEUED, BatchLine=LINE)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}, {}]
    for operations in document["paths"].values():
        for operation in operations.values():
            _tell_the_truth(operation)
    document["paths"]["/api/v1/telemetry"] = {"post": _post_trip(trip)}
    document["paths"]["/api/v1/telemetry/batch"] = {"post": _post_batch(trip)}
    return document


def _tell_the_truth(operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if responses.pop("422", None):
        responses.update(_problems((400, 401, 403, 404, 429, 503)))
    if operation["operationId"].startswith(("get_score", "get_events")):
        responses.update(_problems((409,)))
    if operation["operationId"].startswith("readyz"):
        responses.update(_problems((503,)))


def _post_trip(trip: dict[str, Any]) -> dict[str, Any]:
    return {
        "tags": ["telemetry"],
        "summary": "Hand over a trip",
        "description": (
            "Answered once the trip is stored. Sending the same trip again is safe: the same `Idempotency-Key`, or the"
            " same content for the same vehicle, driver and time, gives the same trip id."
        ),
        "operationId": "post_trip",
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "maxLength": 255},
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": trip, "example": EXAMPLE}}},
        "responses": {
            "202": {
                "description": "Stored; a worker will score it.",
                "headers": {"Location": {"schema": {"type": "string"}, "description": "Where to ask for the trip."}},
                "content": {"application/json": {"schema": _reference("Queued")}},
            },
            **_problems(TRIP_REFUSALS),
        },
    }


def _post_batch(trip: dict[str, Any]) -> dict[str, Any]:
    return {
        "tags": ["telemetry"],
        "summary": "Hand over many trips, one a line",
        "description": "NDJSON in, NDJSON out: one answer a line. 202 when at least one line was taken.",
        "operationId": "post_batch",
        "requestBody": {"required": True, "content": {"application/x-ndjson": {"schema": trip}}},
        "responses": {
            "202": {
                "description": "What became of each line.",
                "content": {"application/x-ndjson": {"schema": _reference("BatchLine")}},
            },
            **_problems(BATCH_REFUSALS),
        },
    }


def _problems(statuses: tuple[int, ...]) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": _reference("Problem")}}
    return {str(status): {"description": TITLES[status], "content": content} for status in statuses}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
