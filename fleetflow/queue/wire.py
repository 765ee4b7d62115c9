"""A Postgres connection that never waits without an end: every exchange has a deadline and can be interrupted.

libpq's non-blocking functions with our own `select`, because no time limit of the server or of TCP ends the wait
for a server that is frozen.
"""

from __future__ import annotations

import select
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
from psycopg import conninfo, pq

from fleetflow.errors import QueueUnavailableError
from fleetflow.storage.database import sqlalchemy_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEEPALIVE = {"keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3, "tcp_user_timeout": 5000}

SUCCESSES = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK, pq.ExecStatus.EMPTY_QUERY)


class InterruptedWaitError(Exception):
    """Somebody asked the owner to stop waiting."""


def libpq_conninfo(url: str, application_name: str) -> str:
    """The URL as libpq reads it, with keepalives. Raises ConfigurationError when it is no Postgres URL."""
    plain = sqlalchemy_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return conninfo.make_conninfo(plain, application_name=application_name, **KEEPALIVE)


class Wire:
    """An open connection in autocommit. All its errors are QueueUnavailableErrors, after which it is of no use."""

    def __init__(self, info: str, *, timeout_s: float, interrupter: int | None = None) -> None:
        """Connect within `timeout_s`; something to read from the descriptor `interrupter` ends any wait."""
        self._interrupter = interrupter
        deadline = time.monotonic() + timeout_s
        self._conn = pq.PGconn.connect_start(info.encode())
        try:
            with self._failures():
                self._connect(deadline)
        except BaseException:
            self.close()
            raise
        self._conn.nonblocking = 1

    def close(self) -> None:
        """Let go of the connection."""
        self._conn.finish()

    def execute(self, statement: str, values: Sequence[str] = (), *, timeout_s: float) -> None:
        """Run one statement to its end and forget its rows. An interrupt in the middle closes the connection."""
        deadline = time.monotonic() + timeout_s
        with self._failures(), self._closing_when_interrupted():
            self._conn.send_query_params(statement.encode(), [value.encode() for value in values])
            while self._conn.flush():
                self._wait(deadline, select.POLLIN | select.POLLOUT)
                self._conn.consume_input()
            while (result := self._next_result(deadline)) is not None:
                if result.status not in SUCCESSES:
                    raise QueueUnavailableError(
                        f"Postgres refused a wake-up: {_first_line(result.get_error_message())}"
                    )

    @property
    def closed(self) -> bool:
        """Whether it is of no more use."""
        return self._conn.status == pq.ConnStatus.BAD

    def wait(self, timeout_s: float) -> None:
        """Return when the server has sent something, or the time is over."""
        with self._failures():
            self._poll(timeout_s, select.POLLIN)

    def notifications(self) -> Iterator[bytes]:
        """The payloads that have arrived; never waits."""
        with self._failures():
            self._conn.consume_input()
            while (notification := self._conn.notifies()) is not None:
                yield notification.extra

    def _connect(self, deadline: float) -> None:
        while (status := self._conn.connect_poll()) != pq.PollingStatus.OK:
            if status == pq.PollingStatus.FAILED:
                raise QueueUnavailableError(
                    f"Postgres cannot be reached: {_first_line(self._conn.get_error_message())}"
                )
            self._wait(deadline, select.POLLIN if status == pq.PollingStatus.READING else select.POLLOUT)

    def _next_result(self, deadline: float) -> pq.abc.PGresult | None:
        while self._conn.is_busy():
            self._wait(deadline, select.POLLIN)
            self._conn.consume_input()
        return self._conn.get_result()

    def _wait(self, deadline: float, events: int) -> None:
        if not self._poll(max(deadline - time.monotonic(), 0.0), events):
            raise QueueUnavailableError("Postgres does not answer.")

    def _poll(self, timeout_s: float, events: int) -> bool:
        poller = select.poll()
        poller.register(self._conn.socket, events)
        if self._interrupter is not None:
            poller.register(self._interrupter, select.POLLIN)
        ready = poller.poll(timeout_s * 1000)
        if any(descriptor == self._interrupter for descriptor, _ in ready):
            raise InterruptedWaitError
        return bool(ready)

    @contextmanager
    def _closing_when_interrupted(self) -> Iterator[None]:
        try:
            yield
        except InterruptedWaitError:
            self.close()
            raise

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise QueueUnavailableError(f"The connection to Postgres was lost: {_first_line(str(error))}") from None


def _first_line(text: str) -> str:
    return (text.strip() or "no reason given").splitlines()[0]
