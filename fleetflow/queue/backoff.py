"""When to try again: soon at first, then ever more rarely, never in step with others."""

from __future__ import annotations

import random
import time

FIRST_S = 0.2
LONGEST_S = 5.0
STABLE_S = 5.0
"""A connection that stood for less counts as a failed try."""


class Backoff:
    """Delays of 0.2 s doubling to 5 s, each shortened by up to half at random."""

    def __init__(self) -> None:
        self._longest_s = FIRST_S
        self._until = 0.0

    @property
    def waiting(self) -> bool:
        """Whether it is too early for the next try."""
        return time.monotonic() < self._until

    def failed(self) -> float:
        """Note a failure; the seconds until the next try."""
        delay_s = self._longest_s * random.uniform(0.5, 1.0)  # noqa: S311  # jitter is no secret
        self._longest_s = min(self._longest_s * 2, LONGEST_S)
        self._until = time.monotonic() + delay_s
        return delay_s

    def succeeded(self) -> None:
        """Begin with short delays again."""
        self._longest_s = FIRST_S
        self._until = 0.0

    def ended(self, stood_s: float) -> None:
        """Note the end of a connection that stood for `stood_s`; a stable one may be replaced at once."""
        if stood_s > STABLE_S:
            self.succeeded()
        else:
            self.failed()
