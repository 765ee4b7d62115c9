"""Handing trips to an API over a bad line: retries that never double a trip, because a trip's key is its content."""

from __future__ import annotations

import asyncio
import hashlib
import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PATH = "/api/v1/telemetry"
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
TIMEOUT_S = 30.0
POLL_S = 0.1


class Fate(StrEnum):
    """What became of a trip."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    GAVE_UP = "gave up"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A trip's body and where it came from, such as `drives.ndjson:17`; the error, if it is none to send."""

    source: str
    body: bytes = b""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`trip_id` where the API told it; `reasons` where it was refused or given up."""

    source: str
    fate: Fate
    trip_id: str | None = None
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class SendReport:
    """Counts by fate, and every trip that was not taken."""

    counts: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    failures: list[Outcome] = field(default_factory=list)
    trip_ids: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.counts[outcome.fate] += 1
        if outcome.fate in {Fate.REFUSED, Fate.GAVE_UP}:
            self.failures.append(outcome)
        elif outcome.trip_id:
            self.trip_ids.append(outcome.trip_id)


@dataclass(frozen=True, slots=True)
class Line:
    """How to send: over so many connections, trying each trip so often, asking `on_outcome` to follow."""

    url: str
    connections: int = 8
    attempts: int = 8
    on_outcome: Callable[[Outcome], None] = lambda _: None


def send_trips(parcels: Iterable[Parcel], line: Line) -> SendReport:
    """Send every parcel and report; only as many are in memory as are under way."""
    return asyncio.run(_send_all(iter(parcels), line))


def wait_until_scored(url: str, trip_ids: Iterable[str], timeout_s: float = 60.0) -> dict[str, str]:
    """The last known status of each trip, once all are COMPLETED or FAILED or the time is up."""
    return asyncio.run(_wait_for_all(url, list(trip_ids), timeout_s))


async def _send_all(parcels: Iterator[Parcel], line: Line) -> SendReport:
    report = SendReport()
    limits = httpx.Limits(max_connections=line.connections, max_keepalive_connections=line.connections)
    async with httpx.AsyncClient(base_url=line.url, limits=limits, timeout=TIMEOUT_S) as client:

        async def carry() -> None:
            for parcel in parcels:
                outcome = await _send(client, parcel, line.attempts)
                report.add(outcome)
                line.on_outcome(outcome)

        await asyncio.gather(*(carry() for _ in range(line.connections)))
    return report


async def _send(client: httpx.AsyncClient, parcel: Parcel, attempts: int) -> Outcome:
    if parcel.error is not None:
        return Outcome(parcel.source, Fate.REFUSED, reasons=(parcel.error,))
    headers = {"Content-Type": "application/json", "Idempotency-Key": hashlib.sha256(parcel.body).hexdigest()}
    reason = ""
    for attempt in range(attempts):
        try:
            answer = await client.post(PATH, content=parcel.body, headers=headers)
        except httpx.TransportError as error:
            reason, asked_s = f"{client.base_url} does not answer ({type(error).__name__}).", 0.0
        else:
            if answer.status_code not in RETRIED:
                return _outcome(parcel.source, answer)
            reason, asked_s = f"The API answered {answer.status_code}.", _retry_after_s(answer)
        if attempt + 1 < attempts:
            await asyncio.sleep(_pause_s(attempt, asked_s))
    return Outcome(parcel.source, Fate.GAVE_UP, reasons=(f"{reason} Tried {attempts} times.",))


def _pause_s(attempt: int, asked_s: float) -> float:
    """Twice as long each time, at most as long as is sensible, a little different for everyone."""
    pause = max(FIRST_PAUSE_S * 2.0**attempt, asked_s)
    jitter: float = random.uniform(0.5, 1.0)  # noqa: S311  # no secret
    return min(pause, LONGEST_PAUSE_S) * jitter


def _retry_after_s(answer: httpx.Response) -> float:
    header = answer.headers.get("retry-after", "")
    return float(header) if header.isascii() and header.isdigit() else 0.0


def _outcome(source: str, answer: httpx.Response) -> Outcome:
    content = _object(answer)
    if answer.status_code == httpx.codes.ACCEPTED:
        fate = Fate.DUPLICATE if content.get("duplicate") else Fate.ACCEPTED
        return Outcome(source, fate, trip_id=content.get("trip_id"))
    faults = tuple(f"{fault['path'] or 'body'} {fault['message']}" for fault in content.get("errors", ()))
    detail = str(content.get("detail", f"The API answered {answer.status_code}."))
    return Outcome(source, Fate.REFUSED, reasons=faults or (detail,))


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


async def _wait_for_all(url: str, trip_ids: list[str], timeout_s: float) -> dict[str, str]:
    statuses = dict.fromkeys(trip_ids, "unknown")
    deadline = asyncio.get_running_loop().time() + timeout_s
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S) as client:
        for trip_id in trip_ids:
            while asyncio.get_running_loop().time() < deadline:
                statuses[trip_id] = await _status(client, trip_id)
                if statuses[trip_id] in {"COMPLETED", "FAILED"}:
                    break
                await asyncio.sleep(POLL_S)
    return statuses


async def _status(client: httpx.AsyncClient, trip_id: str) -> str:
    try:
        return str(_object(await client.get(f"/api/v1/trip/{trip_id}")).get("status", "unknown"))
    except httpx.TransportError:
        return "unknown"
