"""Following accepted trips to their scores."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from fleetflow.sending.client import open_client
from fleetflow.sending.outcomes import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

FINAL = frozenset({"COMPLETED", "FAILED"})
POLL_S = 0.1
CONNECTIONS = 4


def wait_until_scored(
    url: str,
    trip_ids: Iterable[str],
    patience_s: float = 60.0,
    on_done: Callable[[], None] = lambda: None,
    key: str | None = None,
) -> dict[str, str]:
    """The last known status of each trip, once all are COMPLETED or FAILED or none became so for `patience_s`.

    A trip that the API does not know, or that it could not be asked about, is `unknown`.
    """
    return asyncio.run(_Wait(url, list(trip_ids), patience_s, on_done, key).finish())


class _Wait:
    """One call of `wait_until_scored`. The first trips are asked about first: they are scored first, too."""

    def __init__(
        self, url: str, trip_ids: list[str], patience_s: float, on_done: Callable[[], None], key: str | None
    ) -> None:
        self._url = url
        self._key = key
        self._statuses = dict.fromkeys(trip_ids, "unknown")
        self._patience_s = patience_s
        self._on_done = on_done
        self._deadline = 0.0

    async def finish(self) -> dict[str, str]:
        self._extend()
        waiting = iter(list(self._statuses))
        async with open_client(self._url, CONNECTIONS, key=self._key) as client:
            await asyncio.gather(*(self._follow(client, waiting) for _ in range(CONNECTIONS)))
        return self._statuses

    async def _follow(self, client: httpx.AsyncClient, waiting: Iterator[str]) -> None:
        for trip_id in waiting:
            await self._await_final(client, trip_id)

    async def _await_final(self, client: httpx.AsyncClient, trip_id: str) -> None:
        while self._deadline > asyncio.get_running_loop().time():
            self._statuses[trip_id] = await _status(client, trip_id) or self._statuses[trip_id]
            if self._statuses[trip_id] in FINAL:
                self._extend()
                self._on_done()
                return
            await asyncio.sleep(POLL_S)

    def _extend(self) -> None:
        self._deadline = asyncio.get_running_loop().time() + self._patience_s


async def _status(client: httpx.AsyncClient, trip_id: str) -> str | None:
    try:
        answer = await client.get(f"/api/v1/trip/{trip_id}")
    except httpx.RequestError:
        return None
    return read_object(answer).get("status") if answer.status_code == httpx.codes.OK else None
