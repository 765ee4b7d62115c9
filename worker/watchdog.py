"""Ends the process when a batch takes too long or a shutdown finds no end: a thread can, a stuck loop cannot."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXIT_STUCK = 70  # EX_SOFTWARE of sysexits.h
TICK_S = 0.2
LAST_ACT_S = 2.0

log = structlog.get_logger()


class Watchdog:
    """`on_forced_exit` runs before a forced end of a shutdown, and is given two seconds."""

    def __init__(self, limit_s: float, grace_s: float, on_forced_exit: Callable[[], None]) -> None:
        self._limit_s = limit_s
        self._grace_s = grace_s
        self._on_forced_exit = on_forced_exit
        self._deadline: float | None = None
        self._stop_by: float | None = None
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """The process ends by itself; no more watching."""
        self._finished.set()

    def shutting_down(self) -> None:
        """From now on the process has `grace_s` to end. May be called from a signal handler."""
        self._stop_by = time.monotonic() + self._grace_s

    @contextmanager
    def watching(self) -> Iterator[None]:
        """The block has `limit_s` to end."""
        self._deadline = time.monotonic() + self._limit_s
        try:
            yield
        finally:
            self._deadline = None

    def _run(self) -> None:
        while not self._finished.wait(TICK_S):
            now = time.monotonic()
            if self._deadline is not None and now > self._deadline:
                log.error("batch_too_slow", limit_s=self._limit_s)
                os._exit(EXIT_STUCK)
            if self._stop_by is not None and now > self._stop_by:
                log.warning("shutdown_forced", grace_s=self._grace_s)
                last_act = threading.Thread(target=self._on_forced_exit, daemon=True)
                last_act.start()
                last_act.join(LAST_ACT_S)
                os._exit(0)
