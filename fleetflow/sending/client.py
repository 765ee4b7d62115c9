"""One trip to an API: the same key on every try, pauses that grow, and no second try for what the API judged."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import ipaddress
import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from fleetflow.errors import ConfigurationError
from fleetflow.sending.outcomes import Fate, Outcome, read_outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from fleetflow.sending.outcomes import Parcel

PATH = "/api/v1/telemetry"
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
LONGEST_ASKED_S = 60.0
"""An API that asks for a longer pause than this is asked again all the same."""
TIMEOUT_S = 30.0
PACKED_FROM_BYTES = 4_000_000
"""Long trips go as gzip: the API's limit on a body counts what is sent. Short ones are not worth the time."""


@dataclass(frozen=True, slots=True)
class Line:
    """How to send: over so many connections, trying each trip so often, telling `on_outcome` of each.

    `key` is the API key to call with, where one is asked for. An answer that stays out for
    `timeout_s` counts as none, and the trip is sent again.
    """

    url: str
    connections: int = 8
    attempts: int = 8
    on_outcome: Callable[[Outcome], None] = lambda _: None
    timeout_s: float = TIMEOUT_S
    key: str | None = None


def open_client(url: str, connections: int, timeout_s: float = TIMEOUT_S, key: str | None = None) -> httpx.AsyncClient:
    """A client with connections that are kept. Raises ConfigurationError for what is no address."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"{url} is not an address: {error}.") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ConfigurationError(f"{url} is not an address such as http://127.0.0.1:8000.")
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    own_machine = _is_loopback(parsed.host)  # a configured proxy cannot reach this machine's loopback
    headers = {"Authorization": f"Bearer {key}"} if key else None
    return httpx.AsyncClient(
        base_url=parsed, headers=headers, limits=limits, timeout=timeout_s, trust_env=not own_machine
    )


async def send_trip(client: httpx.AsyncClient, parcel: Parcel, attempts: int) -> Outcome:
    """Send until it is taken, refused or tried `attempts` times."""
    if parcel.error is not None:
        return Outcome(parcel.source, Fate.REFUSED, reasons=(parcel.error,))
    headers, body = await _packed(parcel.body)
    reason, asked_s = "", 0.0
    for attempt in range(attempts):
        if attempt:
            await asyncio.sleep(pause_s(attempt - 1, asked_s))
        try:
            answer = await client.post(PATH, content=body, headers=headers)
        except httpx.RequestError as error:
            reason, asked_s = f"{client.base_url} does not answer ({type(error).__name__})", 0.0
        else:
            if answer.status_code not in RETRIED:
                return read_outcome(parcel.source, answer)
            reason, asked_s = f"{client.base_url} answered {answer.status_code}", retry_after_s(answer)
    return Outcome(parcel.source, Fate.GAVE_UP, reasons=(f"{reason}; tried {attempts} times.",))


def pause_s(attempt: int, asked_s: float = 0.0) -> float:
    """What the API asked for, and on top twice as long each time, a little different for everyone."""
    growing = min(FIRST_PAUSE_S * 2.0 ** min(attempt, 16), LONGEST_PAUSE_S)
    jitter: float = random.uniform(0.5, 1.0)  # noqa: S311  # no secret
    return min(asked_s, LONGEST_ASKED_S) + growing * jitter


def retry_after_s(answer: httpx.Response) -> float:
    """The answer's Retry-After, which is a number of seconds or a date; 0 without one."""
    header = answer.headers.get("retry-after", "").strip()
    if header.isascii() and header.isdigit():
        return float(header)
    with suppress(ValueError):
        at = parsedate_to_datetime(header)
        return max((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
    return 0.0


async def _packed(body: bytes) -> tuple[dict[str, str], bytes]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": hashlib.sha256(body).hexdigest()}
    if len(body) < PACKED_FROM_BYTES:
        return headers, body
    return {**headers, "Content-Encoding": "gzip"}, await asyncio.to_thread(gzip.compress, body, 1, mtime=0)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
