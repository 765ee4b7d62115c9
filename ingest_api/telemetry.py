"""Telemetry in: one trip a request, or one trip a line. A trip is answered 202 once Postgres has committed it."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from starlette.responses import Response
from uuid_utils.compat import uuid7

from fleetflow.access import Scope
from fleetflow.errors import StorageUnavailableError
from fleetflow.storage.trips import NewTrip, Outcome
from fleetflow.trips.columns import ended_at, fingerprint, pack
from fleetflow.trips.wire import MAX_FAULTS, Fault, TripRefusedError
from ingest_api.body import BodyReader, ClientGoneError, MemoryBudget, check_media_type
from ingest_api.problems import FORBIDDEN, ProblemError, refused, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from fleetflow.settings import Settings
    from fleetflow.storage.keys import UsableKey
    from fleetflow.storage.trips import Stored
    from fleetflow.trips.wire import TripDecoder
    from ingest_api.intake import Intake
    from ingest_api.keys import KeyRing
    from ingest_api.metrics import Metrics
    from ingest_api.pulse import Pulse

JSON = frozenset({"application/json"})
NDJSON = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/json"})
MAX_KEY_LENGTH = 255
MAX_LINES = 20_000
"""Of a batch: to refuse a line costs some 20 us however short it is, and ten megabytes hold millions of them."""
INLINE_BYTES = 256_000
"""Decoding this much (some 2 ms) on the event loop costs the others less than a hop to a thread costs."""


class Telemetry:
    """The two ways in, over one decoder, one memory budget and one intake."""

    def __init__(
        self, settings: Settings, decoder: TripDecoder, intake: Intake, pulse: Pulse, *, metrics: Metrics, keys: KeyRing
    ) -> None:
        self._keys = keys
        self._decoder = decoder
        self._intake = intake
        self._pulse = pulse
        self._metrics = metrics
        self._ahead = timedelta(seconds=settings.max_future_s)
        self._reader = BodyReader(settings)
        self._budget = MemoryBudget(settings.body_memory_bytes, settings.storage_timeout_s)
        self._in_hand, self._most_in_hand = 0, settings.requests_at_once
        # One thread: a large trip is some ten times its body while it is decoded, so one at a time.
        self._decoding = ThreadPoolExecutor(1, thread_name_prefix="decode")

    def close(self) -> None:
        """Let go of the decoding thread."""
        self._decoding.shutdown(wait=False, cancel_futures=True)

    async def post_trip(self, request: Request) -> Response:
        """`POST /api/v1/telemetry`."""
        return await self._served(request, JSON, self._store_trip)

    async def post_batch(self, request: Request) -> Response:
        """`POST /api/v1/telemetry/batch`."""
        return await self._served(request, NDJSON, self._store_batch)

    async def _served(self, request: Request, media_types: frozenset[str], store: Callable[..., Any]) -> Response:
        started = time.perf_counter()
        try:
            key = self._keys.check(request, Scope.WRITE)
            check_media_type(request, media_types)
            self._check_backlog()
            async with self._budget.held(self._reader.expected_size(request)):
                body = await self._reader.read(request)
                with self._admitted():
                    response: Response = await store(request, key, body)
        except ClientGoneError:
            self._metrics.hung_up.inc()
            return Response(status_code=400)
        except (TripRefusedError, ProblemError) as error:
            self._metrics.refused.labels(error.code).inc()
            raise
        except StorageUnavailableError:
            self._metrics.refused.labels("storage_unavailable").inc()
            raise
        self._metrics.seconds.observe(time.perf_counter() - started)
        return response

    def _check_backlog(self) -> None:
        """Before the body is read: what is refused should cost little, now above all."""
        backlog = self._pulse.condition.backlog
        if backlog != "ok":
            raise unavailable("backlog_full", backlog)

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        """After the body is read, so that slow clients keep nobody out. Raises ProblemError 503 beyond the bound."""
        if self._in_hand >= self._most_in_hand:
            raise unavailable("busy", "Too many requests at once; nothing was stored.")
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1

    async def _store_trip(self, request: Request, key: UsableKey, body: bytes) -> Response:
        idempotency_key = _idempotency_key(request, key)
        trip = await self._off_loop(len(body), lambda: self._new_trip(body, key, idempotency_key))
        stored = await self._intake.store(trip)
        self._count(trip, stored)
        if stored.outcome is Outcome.CONFLICT:
            raise _conflict(stored)
        if stored.outcome is Outcome.ERASED:
            raise _erased()
        headers = {"Location": f"/api/v1/trip/{stored.trip_id}"}
        return Response(orjson.dumps(_queued(stored)), 202, headers, "application/json")

    async def _store_batch(self, _: Request, key: UsableKey, body: bytes) -> Response:
        if body.count(b"\n") >= MAX_LINES:
            raise ProblemError(413, "too_many_lines", f"A batch has at most {MAX_LINES} lines.")
        lines = [(number, line) for number, line in enumerate(body.split(b"\n"), start=1) if line.strip()]
        decoded = await self._off_loop(len(body), lambda: [self._decode_line(line, key) for _, line in lines])
        trips = [trip for trip in decoded if isinstance(trip, NewTrip)]
        if not trips:
            raise _nothing_accepted(lines, decoded)
        stored = iter(await self._intake.store_all(trips))
        answers = [
            self._line_answer(number, result, None if isinstance(result, TripRefusedError) else next(stored))
            for (number, _), result in zip(lines, decoded, strict=True)
        ]
        return Response(b"".join(answers), 202, media_type="application/x-ndjson")

    async def _off_loop(self, size: int, work: Callable[[], Any]) -> Any:
        if size <= INLINE_BYTES:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._decoding, work)

    def _new_trip(self, body: bytes, key: UsableKey, idempotency_key: str | None) -> NewTrip:
        trip = self._decoder.decode(body, latest=self._pulse.now() + self._ahead)
        if key.vehicle_ids is not None and trip.vehicle_id not in key.vehicle_ids:
            raise _wrong_vehicle()
        return NewTrip(
            id=uuid7(),
            vehicle_id=trip.vehicle_id,
            driver_id=trip.driver_id,
            blob=pack(trip.samples),
            point_count=len(trip.samples),
            content_hash=fingerprint(trip),
            started_at=trip.started_at,
            ended_at=ended_at(trip),
            sample_hz=trip.sample_hz,
            idempotency_key=idempotency_key,
        )

    def _decode_line(self, line: bytes, key: UsableKey) -> NewTrip | TripRefusedError:
        try:
            return self._new_trip(line, key, None)
        except TripRefusedError as error:
            return error

    def _line_answer(self, number: int, decoded: NewTrip | TripRefusedError, stored: Stored | None) -> bytes:
        problem = refused(decoded) if isinstance(decoded, TripRefusedError) else None
        if stored is not None and stored.outcome is Outcome.ERASED:
            problem = _erased()
        if problem is not None:
            self._metrics.refused.labels(problem.code).inc()
            answer = {"status": "REFUSED", "code": problem.code, "detail": problem.detail, "errors": problem.errors}
        else:
            assert isinstance(decoded, NewTrip) and stored is not None  # noqa: S101, PT018  # it was stored
            self._count(decoded, stored)
            answer = _queued(stored)
        return orjson.dumps({"line": number, **answer}, option=orjson.OPT_APPEND_NEWLINE)

    def _count(self, trip: NewTrip, stored: Stored) -> None:
        if stored.outcome is Outcome.STORED:
            self._metrics.accepted.inc()
            self._metrics.points.inc(trip.point_count)
        elif stored.outcome is Outcome.DUPLICATE:
            self._metrics.duplicates.inc()


def _queued(stored: Stored) -> dict[str, Any]:
    return {"status": "QUEUED", "trip_id": str(stored.trip_id), "duplicate": stored.outcome is Outcome.DUPLICATE}


def _idempotency_key(request: Request, caller: UsableKey) -> str | None:
    """The header's value, apart from that of any other API key: two gateways may count their trips alike."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not (0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        detail = f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable ASCII characters."
        raise ProblemError(400, "invalid_idempotency_key", detail)
    return f"{caller.id}:{key}" if caller.id else key


def _wrong_vehicle() -> TripRefusedError:
    fault = Fault("vehicle_id", "is not a vehicle that this key may send for")
    return TripRefusedError(FORBIDDEN, "This key is bound to other vehicles.", (fault,))


def _conflict(stored: Stored) -> ProblemError:
    detail = f"This Idempotency-Key was used for trip {stored.trip_id}, whose content is another."
    return ProblemError(409, "idempotency_conflict", detail)


def _erased() -> ProblemError:
    """A sender that keeps trips until they are taken must learn that this one never will be."""
    return ProblemError(410, "driver_erased", "The data of this driver were erased; nothing is stored of this driver.")


def _nothing_accepted(lines: list[tuple[int, bytes]], refusals: list[TripRefusedError]) -> ProblemError:
    """400 for a batch without one good line, 403 if all are of other vehicles: its faults by line and path."""
    errors = [
        {"path": f"line {number}: {fault.path}" if fault.path else f"line {number}", "message": fault.message}
        for (number, _), refusal in zip(lines, refusals, strict=True)
        for fault in refusal.faults or (Fault("", refusal.detail),)
    ]
    detail = f"None of the {len(lines)} lines is a trip that can be taken; nothing was stored."
    if all(refusal.code == FORBIDDEN for refusal in refusals):
        return ProblemError(403, FORBIDDEN, detail, errors=errors[:MAX_FAULTS])
    return ProblemError(400, "validation_failed", detail, errors=errors[:MAX_FAULTS])
