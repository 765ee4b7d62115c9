"""Ports for servers that start a moment later, in other processes: nobody else gets them in the meantime."""

from __future__ import annotations

import socket
import ssl

HOST = "127.0.0.1"
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What an httpx client of loopback gets as `verify`: loading the world's authorities takes each client 60 ms."""
_reserved: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that is nobody else's as long as the tests run, even where several run side by side.

    It stays bound without listening, which refuses connections. Linux then gives it to no one who asks for any port,
    yet lets a server that says SO_REUSEADDR, as all servers do, listen on it.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((HOST, 0))
    _reserved.append(holder)
    return int(holder.getsockname()[1])
