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
        self._listener: socket.socket | None = None
        self._flowing: asyncio.Event | None = None
        self._connections: dict[asyncio.Task[None], list[socket.socket]] = {}

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
        if self._listener is None:
            self._listener = socket.create_server((HOST, self.port))
            self._listener.setblocking(False)
            self.port = self._listener.getsockname()[1]
            self._loop.add_reader(self._listener, self._accept, self._listener)

    async def _blackhole(self) -> None:
        assert self._flowing is not None
        self._flowing.clear()

    async def _cut(self) -> None:
        for task, ends in self._connections.items():
            for end in ends:
                _reset(end)
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _refuse(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await self._cut()

    def _accept(self, listener: socket.socket) -> None:
        # Not asyncio.start_server: one that is closed loses the connections which it was just about to accept.
        with contextlib.suppress(BlockingIOError):
            client, _ = listener.accept()
            client.setblocking(False)
            task = self._loop.create_task(self._serve(client))
            self._connections[task] = [client]
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        for end in self._connections.pop(task):
            end.close()

    async def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the end of a connection is the proxy's daily bread
            await self._forward(client)

    async def _forward(self, client: socket.socket) -> None:
        assert self._flowing is not None
        task = asyncio.current_task()
        assert task is not None
        await self._flowing.wait()
        target = socket.socket()
        target.setblocking(False)
        self._connections[task].append(target)
        await self._loop.sock_connect(target, (HOST, self._target_port))
        ways = [asyncio.ensure_future(self._pump(client, target)), asyncio.ensure_future(self._pump(target, client))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        assert self._flowing is not None
        with contextlib.suppress(OSError):
            while data := await self._loop.sock_recv(source, CHUNK_BYTES):
                await self._flowing.wait()
                await self._loop.sock_sendall(sink, data)


def _reset(end: socket.socket) -> None:
    """Let closing this end reset the connection instead of ending it in order."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
