"""Every refusal as application/problem+json (RFC 9457): the one place where errors meet HTTP statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from fleetflow.errors import StorageUnavailableError
from fleetflow.trips.wire import MAX_FAULTS, TripRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"
FORBIDDEN = "wrong_vehicle"
"""The one refusal of a trip that is not the trip's own fault."""
RETRY_AFTER_S = 5
PARAMETERS = {"uuid_parsing": "must be a UUID"}
CODES = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take that method."),
}
TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    410: "Gone",
    411: "Length required",
    413: "Content too large",
    415: "Unsupported media type",
    429: "Too many requests",
    500: "Internal error",
    503: "Service unavailable",
}

log = structlog.get_logger()


class ProblemError(Exception):
    """A request that cannot be served; `errors` are `{path, message}` of at most 20 faults."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The answer."""
        return Response(
            orjson.dumps(self.content()), status_code=self.status, headers=self.headers, media_type=MEDIA_TYPE
        )

    def content(self) -> dict[str, Any]:
        """The answer's body as an object."""
        content = {
            "type": f"urn:fleetflow:problem:{self.code}",
            "title": TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        return {**content, "errors": self.errors} if self.errors else content


def refused(error: TripRefusedError) -> ProblemError:
    """400 for a trip that its sender must change, 403 for one that he may not send."""
    errors = [{"path": fault.path, "message": fault.message} for fault in error.faults]
    return ProblemError(403 if error.code == FORBIDDEN else 400, error.code, error.detail, errors=errors)


def unavailable(code: str, detail: str) -> ProblemError:
    """503: nothing was stored, and sending again in some seconds may work."""
    return ProblemError(503, code, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def install(app: FastAPI) -> None:
    """Make every error that leaves a route a problem+json answer."""

    async def handle(_: Request, error: Exception) -> Response:
        return answer(error)

    for kind in (ProblemError, TripRefusedError, StorageUnavailableError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, handle)
    app.add_exception_handler(Exception, handle)


def answer(error: Exception) -> Response:
    """The response for any error."""
    return as_problem(error).response()


def as_problem(error: Exception) -> ProblemError:
    """What an error means to the client; one that nobody foresaw is logged and told without details."""
    match error:
        case ProblemError():
            return error
        case TripRefusedError():
            return refused(error)
        case StorageUnavailableError():
            log.warning("storage_unavailable", reason=str(error))
            return unavailable("storage_unavailable", str(error))
        case RequestValidationError():
            return _invalid_parameters(error)
        case HTTPException():
            return _http(error)
    log.error("unexpected_error", exc_info=error)
    return ProblemError(500, "internal_error", "Something went wrong in FleetFlow; its log says what.")


def _invalid_parameters(error: RequestValidationError) -> ProblemError:
    faults = [
        {"path": str(fault["loc"][-1]), "message": PARAMETERS.get(fault["type"], "is not valid")}
        for fault in error.errors()[:MAX_FAULTS]
    ]
    detail = f"{faults[0]['path']} {faults[0]['message']}."
    return ProblemError(400, "validation_failed", detail, errors=faults)


def _http(error: HTTPException) -> ProblemError:
    status = error.status_code if error.status_code in CODES else 400
    code, detail = CODES.get(status, ("bad_request", "The request could not be understood."))
    return ProblemError(status, code, detail, headers=error.headers)
