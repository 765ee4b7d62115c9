"""Reading a request's body within limits of size, time and memory, before anything is decoded."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ingest_api.problems import ProblemError, unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from fleetflow.settings import Settings

GZIP_WINDOW = 16 + zlib.MAX_WBITS
INLINE_GZIP_BYTES = 4_096
"""These unpack to four megabytes at worst (some 10 ms); what is longer would keep everyone waiting for up to 0.2 s."""
CLOSE = {"Connection": "close"}  # what the client still wants to send is not read, so the connection is spent


class ClientGoneError(Exception):
    """The client hung up before its body was complete; nobody is left to answer."""


class MemoryBudget:
    """Bytes that all requests together may hold; one that does not fit waits its turn, first come first served."""

    def __init__(self, total: int, timeout_s: float) -> None:
        self._free = self._total = total
        self._timeout_s = timeout_s
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def held(self, size: int) -> AsyncIterator[None]:
        """Hold `size` bytes while the block runs. Raises ProblemError 503 when none become free in time."""
        size = min(size, self._total)
        await self._acquire(size)
        try:
            yield
        finally:
            self._free += size
            self._wake()

    async def _acquire(self, size: int) -> None:
        if not self._waiting and size <= self._free:
            self._free -= size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            async with asyncio.timeout(self._timeout_s):
                await turn
        except BaseException as error:
            self._give_up(size, turn)
            if isinstance(error, TimeoutError):
                raise unavailable("busy", "Too many large requests at once; nothing was stored.") from None
            raise

    def _give_up(self, size: int, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self._free += size
        else:
            self._waiting = deque(waiting for waiting in self._waiting if waiting[1] is not turn)
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._free:
            size, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= size
                turn.set_result(None)


class BodyReader:
    """Reads bodies under one installation's limits."""

    def __init__(self, settings: Settings) -> None:
        self._max_body = settings.max_body_bytes
        self._max_unpacked = settings.max_unpacked_bytes
        self._timeout_s = settings.body_timeout_s

    def expected_size(self, request: Request) -> int:
        """How many bytes the body may come to: what it says, or the limit when it does not say.

        Raises ProblemError for a media type, charset, encoding or length that is not taken.
        """
        length = self._declared_length(request)
        if self._is_gzip(request):
            return self._max_unpacked
        return self._max_body if length is None else length

    async def read(self, request: Request) -> bytes:
        """The body, unpacked. Raises ProblemError when it is too long, too slow or no gzip, ClientGoneError."""
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await self._receive(request)
        except TimeoutError:
            detail = f"The body did not arrive within {self._timeout_s:g} seconds."
            raise ProblemError(408, "body_timeout", detail, headers=CLOSE) from None
        if self._is_gzip(request):
            small = len(body) <= INLINE_GZIP_BYTES
            body = self._unpack(body) if small else await asyncio.to_thread(self._unpack, body)
        if not body or body.isspace():
            raise ProblemError(400, "empty_body", "The request body is empty.")
        return body

    async def _receive(self, request: Request) -> bytes:
        message = await request.receive()
        if (
            message["type"] == "http.request"
            and not message.get("more_body")
            and len(message["body"]) <= self._max_body
        ):
            body: bytes = message["body"]
            return body
        received = bytearray()
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            received += message.get("body", b"")
            if len(received) > self._max_body:
                raise self._too_large()
            if not message.get("more_body"):
                return bytes(received)
            message = await request.receive()

    def _unpack(self, body: bytes) -> bytes:
        unpacker = zlib.decompressobj(GZIP_WINDOW)
        try:
            unpacked = unpacker.decompress(body, self._max_unpacked)
        except zlib.error:
            raise ProblemError(400, "invalid_gzip", "The body says it is gzip but is not.") from None
        if unpacker.unconsumed_tail:
            detail = f"The body unpacks to more than {self._max_unpacked} bytes."
            raise ProblemError(413, "body_too_large", detail)
        if not unpacker.eof or unpacker.unused_data:
            raise ProblemError(400, "invalid_gzip", "The gzip body is cut short or followed by something else.")
        return unpacked

    def _declared_length(self, request: Request) -> int | None:
        header = request.headers.get("content-length")
        if header is None:
            return None
        if not (header.isascii() and header.isdigit()):
            raise ProblemError(400, "bad_request", "Content-Length must be a number.", headers=CLOSE)
        if int(header[:20]) > self._max_body:
            raise self._too_large()
        return int(header)

    def _too_large(self) -> ProblemError:
        detail = f"The body is larger than the limit of {self._max_body} bytes."
        return ProblemError(413, "body_too_large", detail, headers=CLOSE)

    @staticmethod
    def _is_gzip(request: Request) -> bool:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", "gzip"}:
            raise ProblemError(
                415,
                "unsupported_encoding",
                "Content-Encoding must be gzip or absent.",
                headers={"Accept-Encoding": "gzip"},
            )
        return encoding == "gzip"


def check_media_type(request: Request, accepted: frozenset[str]) -> None:
    """Raises ProblemError 415 unless the body is said to be one of the accepted types, in UTF-8."""
    header = request.headers.get("content-type", "")
    if header in accepted:
        return
    media_type, *parameters = (part.strip().lower() for part in header.split(";"))
    if media_type not in accepted:
        detail = f"Send Content-Type: {min(accepted)}."
        raise ProblemError(415, "unsupported_media_type", detail)
    charsets = [
        value.strip('" ') for name, _, value in (item.partition("=") for item in parameters) if name == "charset"
    ]
    if any(charset not in {"utf-8", "utf8"} for charset in charsets):
        raise ProblemError(415, "unsupported_charset", "Only UTF-8 is understood.")
