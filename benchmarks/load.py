"""A client that costs little: requests made beforehand, one answer awaited per connection, no HTTP library."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HEADERS_END = b"\r\n\r\n"
LENGTH = b"content-length: "


@dataclass(frozen=True, slots=True)
class Load:
    """What one run came to."""

    requests: int
    seconds: float
    refused: int

    @property
    def per_second(self) -> float:
        """Accepted requests per second."""
        return (self.requests - self.refused) / self.seconds


def as_request(body: bytes, path: str = "/api/v1/telemetry") -> bytes:
    """A POST of a JSON body, ready for the wire."""
    fields = ("Host: bench", "Content-Type: application/json", f"Content-Length: {len(body)}")
    return "\r\n".join([f"POST {path} HTTP/1.1", *fields, "", ""]).encode() + body


def post_all(port: int, requests: Sequence[bytes], connections: int) -> Load:
    """Send every request once over that many connections, each sending its next when the last is answered."""
    return asyncio.run(_post_all(port, requests, connections))


async def _post_all(port: int, requests: Sequence[bytes], connections: int) -> Load:
    loop = asyncio.get_running_loop()
    pending = iter(requests)
    clients = [_Connection(pending) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    started = time.perf_counter()
    for client in clients:
        client.send_next()
    await asyncio.gather(*(client.finished for client in clients))
    seconds = time.perf_counter() - started
    for client in clients:
        client.close()
    return Load(len(requests), seconds, sum(client.refused for client in clients))


class _Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, pending: Iterator[bytes]) -> None:
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.refused = 0
        self._pending = pending
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one, but no subclass

    def send_next(self) -> None:
        """Send the next request, or finish."""
        request = next(self._pending, None)
        if request is None:
            self.finished.set_result(None)
        elif self._transport:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._complete():
            return
        if not self._received.startswith(b"HTTP/1.1 202"):
            self.refused += 1
        self._received = b""
        self.send_next()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(ConnectionError("The service closed the connection."))

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.close()

    def _complete(self) -> bool:
        head, end, body = self._received.partition(HEADERS_END)
        if not end:
            return False
        at = head.lower().index(LENGTH) + len(LENGTH)
        return len(body) >= int(head[at:].split(b"\r", 1)[0])
