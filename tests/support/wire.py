"""HTTP as bytes on a socket, so that a test may send what no client library would."""

from __future__ import annotations

import contextlib
import http.client
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, headers by their names in lower case; status 0 is a connection closed without a word."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    took_s: float = 0.0


def request(
    body: bytes = b"", *, method: str = "POST", path: str = "/api/v1/telemetry", version: str = "1.1", **headers: str
) -> bytes:
    """A request's bytes; headers by name with _ for -, and their order is as given. An empty value leaves one out."""
    given = {
        "Host": "x",
        "Content_Type": "application/json",
        "Content_Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value]
    return "\r\n".join([f"{method} {path} HTTP/{version}", *lines, "", ""]).encode("latin-1") + body


def ask(port: int, sent: bytes) -> Answer:
    """Send these bytes on a connection of their own, and read one answer."""
    with socket.create_connection((HOST, port), timeout=PATIENCE_S) as sock:
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            sock.sendall(sent)  # a server that refuses need not read to the end
        return _read(sock, began)


def _read(sock: socket.socket, began: float) -> Answer:
    response = http.client.HTTPResponse(sock)
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ConnectionError):
        return Answer(0, took_s=time.monotonic() - began)
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status, body, headers, time.monotonic() - began)
