"""Slows down guessing: every try to sign in costs a token of its account, its address, and both together.

In memory, since one process serves the dashboard; a bucket that is full again is forgotten.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Key = tuple[str, ...]

TRIES_OF_BOTH = 5
"""One person at one place who mistypes; then a try every minute."""
TRIES_OF_ADDRESS = 30
"""An office behind one address."""
TRIES_OF_ACCOUNT = 50
"""From anywhere: high, so that strangers cannot easily keep somebody out."""
REFILL_S = 300.0
"""How long an empty bucket takes to be full again."""
MOST_BUCKETS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Throttle:
    """Token buckets by key; the least recently used go when there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: OrderedDict[Key, _Bucket] = OrderedDict()
        self._reported: OrderedDict[str, float] = OrderedDict()

    def admit(self, account: str, address: str) -> float:
        """0 and the tokens taken when the try is admitted, else the seconds until one would be."""
        limits = _limits(account, address)
        wait_s = max(self._wait_s(key, size) for key, size in limits)
        if wait_s <= 0:
            for key, size in limits:
                self._filled(key, size).tokens -= 1
        return max(wait_s, 0.0)

    def forgive(self, account: str, address: str) -> None:
        """Give the tokens back: it was the right password."""
        for key, size in _limits(account, address):
            bucket = self._filled(key, size)
            bucket.tokens = min(bucket.tokens + 1, size)

    def is_news(self, address: str) -> bool:
        """Whether a refusal is worth a report: one per address while its bucket would fill."""
        now = self._clock()
        if now - self._reported.get(address, -REFILL_S) < REFILL_S:
            return False
        self._reported[address] = now
        self._reported.move_to_end(address)
        _forget_oldest(self._reported)
        return True

    def _wait_s(self, key: Key, size: int) -> float:
        return (1 - self._filled(key, size).tokens) * REFILL_S / size

    def _filled(self, key: Key, size: int) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(size, now))
        bucket.tokens = min(bucket.tokens + (now - bucket.at) * size / REFILL_S, size)
        bucket.at = now
        self._buckets.move_to_end(key)
        _forget_oldest(self._buckets)
        return bucket


def _forget_oldest(known: OrderedDict[Any, Any]) -> None:
    while len(known) > MOST_BUCKETS:
        known.popitem(last=False)


def _limits(account: str, address: str) -> Iterable[tuple[Key, int]]:
    name = account.strip().casefold()
    return (
        (("both", name, address), TRIES_OF_BOTH),
        (("address", address), TRIES_OF_ADDRESS),
        (("account", name), TRIES_OF_ACCOUNT),
    )
