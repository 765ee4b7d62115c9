"""Every refusal as application/problem+json (RFC 9457): the one place where errors meet HTTP statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from fleetflow.errors import StorageUnavailableError
from fleetflow.trips.wire import TripRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5
PARAMETERS = {"uuid_parsing": "must be a UUID"}
CODES = {404: "not_found", 405: "method_not_allowed"}
TITLES = {
    400: "Bad request",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Conflict",
    411: "Length required",
    413: "Content too large",
    415: "Unsupported media type",
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
    """400 for a trip that its sender must change."""
    errors = [{"path": fault.path, "message": fault.message} for fault in error.faults]
    return ProblemError(400, error.code, error.detail, errors=errors)


def unavailable(code: str, detail: str) -> ProblemError:
    """503: nothing was stored, and sending again in some seconds may work."""
    return ProblemError(503, code, detail, headers={"Retry-After": str(RETRY_AFTER_S)})


def install(app: FastAPI) -> None:
    """Make every error that leaves a route a problem+json answer."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(TripRefusedError, _refused)
    app.add_exception_handler(StorageUnavailableError, _storage)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101  # what the handler was registered for
    return error.response()


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, TripRefusedError)  # noqa: S101
    return refused(error).response()


async def _storage(_: Request, error: Exception) -> Response:
    log.warning("storage_unavailable", reason=str(error))
    return unavailable("storage_unavailable", str(error)).response()


async def _parameters(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = [
        {"path": str(fault["loc"][-1]), "message": PARAMETERS.get(fault["type"], "is not valid")}
        for fault in error.errors()[:20]
    ]
    detail = f"{faults[0]['path']} {faults[0]['message']}."
    return ProblemError(400, "validation_failed", detail, errors=faults).response()


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    details = {404: "There is nothing at this address.", 405: "This address does not take that method."}
    code = CODES.get(error.status_code, "bad_request")
    status = error.status_code if error.status_code in CODES else 400
    detail = details.get(status, "The request could not be understood.")
    return ProblemError(status, code, detail, headers=error.headers).response()


async def _unexpected(_: Request, error: Exception) -> Response:
    log.error("unexpected_error", exc_info=error)
    return ProblemError(500, "internal_error", "Something went wrong in FleetFlow; its log says what.").response()
