"""A small TCP proxy that can fail in the ways networks do, without root and without touching the server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Coroutine

HOST = "127.0.0.1"
CHUNK_BYTES = 65_536
PATIENCE_S = 10.0


class FaultyProxy:
    """Forwards connections to a port of this machine: `with FaultyProxy(5672) as proxy: use(proxy.port)`.

    It passes at first. `blackhole` holds everything back in silence, `cut` resets what is connected, `refuse`
    also turns new connections away, and `heal` ends any of it.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty-proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._flowing: asyncio.Event | None = None
        self._connections: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._heal())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._refuse())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    def heal(self) -> None:
        """Pass everything, also what was held back."""
        self._call(self._heal())

    def blackhole(self) -> None:
        """Connections stay, and are accepted, but not a byte goes through."""
        self._call(self._blackhole())

    def cut(self) -> None:
        """Reset all connections; new ones pass."""
        self._call(self._cut())

    def refuse(self) -> None:
        """Reset all connections and refuse new ones."""
        self._call(self._refuse())

    def _call(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)

    async def _heal(self) -> None:
        if self._flowing is None:
            self._flowing = asyncio.Event()
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _blackhole(self) -> None:
        assert self._flowing is not None
        self._flowing.clear()

    async def _cut(self) -> None:
        connections = dict(self._connections)
        for task, writers in connections.items():
            for writer in writers:
                _reset(writer)
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = [writer]
        try:
            await self._forward(task, reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the end of a connection is the proxy's daily bread
        finally:
            for each in self._connections.pop(task):
                each.transport.abort()

    async def _forward(
        self, task: asyncio.Task[None], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        assert self._flowing is not None
        await self._flowing.wait()
        target_reader, target_writer = await asyncio.open_connection(HOST, self._target_port)
        self._connections[task].append(target_writer)
        ways = [
            asyncio.ensure_future(self._pump(reader, target_writer)),
            asyncio.ensure_future(self._pump(target_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._flowing is not None
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
