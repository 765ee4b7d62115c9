"""One connection to RabbitMQ with one channel, served by a thread of its own, so that nobody waits without an end.

The thread answers heartbeats while the owner is busy, notices a closed channel at once, and a frozen broker can
hang neither: a session that does not open in time gives up, and every wait of an owner has its own deadline.
"""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any, Protocol

import pika
import structlog
from pika import exceptions
from pika.adapters.select_connection import IOLoop
from pika.adapters.utils.selector_ioloop_adapter import SelectorIOServicesAdapter

from fleetflow.errors import ConfigurationError, FleetFlowError, QueueUnavailableError
from fleetflow.queue.backoff import Backoff
from fleetflow.queue.interface import QUEUE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable

    from pika.channel import Channel
    from pika.connection import Parameters

log = structlog.get_logger(__name__)

HEARTBEAT_S = 10
"""Unless the URL says otherwise; a silent peer is noticed within heartbeat + 5 s."""
GOODBYE_S = 1.5
"""How long the broker may take to answer a farewell."""

PRECONDITION_FAILED = 406
NOT_FOUND = 404


def parse_url(url: str, *, name: str, timeout_s: float) -> Parameters:
    """Connection parameters with deadlines; ConfigurationError when it is no AMQP URL. `name` is shown in RabbitMQ."""
    wrong = ConfigurationError("FLEETFLOW_RABBITMQ_URL is not a URL such as amqp://user:password@host:5672/vhost.")
    if not url.startswith(("amqp://", "amqps://")):
        raise wrong
    try:
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError):
        raise wrong from None
    if parameters.heartbeat is None:
        parameters.heartbeat = HEARTBEAT_S
    parameters.connection_attempts = 1
    parameters.socket_timeout = timeout_s / 2  # leaves time for a host's second address
    parameters.stack_timeout = None  # the session has a deadline of its own
    parameters.client_properties = {"connection_name": name, "product": "FleetFlow"}
    return parameters


def parse_nodes(urls: str, *, name: str, timeout_s: float) -> list[Parameters]:
    """As `parse_url`, of each node of a cluster: URLs with commas between. Any of them may come first."""
    nodes = [parse_url(url.strip(), name=name, timeout_s=timeout_s) for url in urls.split(",")]
    return random.sample(nodes, len(nodes))


class NoQueueError(QueueUnavailableError):
    """The broker answers, but has no such queue."""


class Role(Protocol):
    """What a session is for; all of it is called on the session's thread."""

    def prepare(self, channel: Channel, done: Callable[[], None]) -> None:
        """Set the fresh channel up, then call `done`."""
        ...

    def ended(self, error: FleetFlowError) -> None:
        """The session can no longer be used. Called once."""
        ...

    def blocked(self) -> None:
        """The broker reads no more from this connection until its alarm is over."""
        ...


class _CuttableServices(SelectorIOServicesAdapter):  # type: ignore[misc]  # pika is untyped
    """pika's access to the network, which can also be ended by force.

    pika's own ways to abandon an opening connection trip over their assertions, and a farewell to a broker that is
    frozen is never answered. A socket that was shut down ends both in the ordinary way of a lost connection.
    """

    def __init__(self, loop: IOLoop) -> None:
        super().__init__(loop)
        self._is_cut = False
        self._peer: socket.socket | None = None

    def create_streaming_connection(self, protocol_factory: Any, sock: socket.socket, *args: Any, **named: Any) -> Any:
        """Keep a second handle of the socket, which TLS will not take over; pika's interface otherwise."""
        self.release()
        self._peer = sock.dup()
        if self._is_cut:
            self.cut()
        return super().create_streaming_connection(protocol_factory, sock, *args, **named)

    def cut(self) -> None:
        """Shut the socket down, now or as soon as there is one."""
        self._is_cut = True
        if self._peer is not None:
            with contextlib.suppress(OSError):
                self._peer.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Give the handle back."""
        if self._peer is not None:
            self._peer.close()
            self._peer = None


class Session:
    """A connection that opens, serves one role and ends, once; opening begins with the constructor."""

    def __init__(self, parameters: Parameters, role: Role, *, timeout_s: float) -> None:
        logging.getLogger("pika").setLevel(logging.CRITICAL)  # it logs each failed try with tracebacks; we say it once
        self._parameters = parameters
        self._role = role
        self._timeout_s = timeout_s
        self._ready: Future[None] = Future()
        self._lock = threading.Lock()  # guards the loop's end against `post`
        self._loop: Any = IOLoop()
        self._services = _CuttableServices(self._loop)
        self._connection: Any = None
        self._channel: Channel | None = None
        self.error: FleetFlowError | None = None
        self._ready_since: float | None = None
        self.blocked = False
        self._thread = threading.Thread(target=self._run, name=f"amqp-{id(self):x}", daemon=True)
        self._thread.start()

    @property
    def stood_s(self) -> float:
        """How long it has been of use."""
        return 0.0 if self._ready_since is None else time.monotonic() - self._ready_since

    def wait_until_ready(self, timeout_s: float) -> None:
        """Return when the channel is prepared; raises what the session ended with, or QueueUnavailableError."""
        try:
            self._ready.result(timeout=max(timeout_s, 0.0))
        except FutureTimeoutError:
            raise self._unanswered() from None

    def post(self, work: Callable[[Channel], None]) -> None:
        """Have the session's thread do something with the ready channel. Raises what the session ended with."""
        with self._lock:
            if self.error is not None:
                raise self.error.with_traceback(None)
            self._loop.add_callback_threadsafe(lambda: self._work(work))

    def close(self) -> None:
        """End the session after what was posted, in order if the broker answers, by force if not."""
        self._post_quietly(lambda: self._leave(QueueUnavailableError("The connection to RabbitMQ was closed.")))
        self._thread.join(GOODBYE_S + 1.0)

    def abort(self) -> FleetFlowError:
        """Cut the connection because the broker does not answer; the error that says so."""
        error = self._unanswered()
        self._post_quietly(lambda: self._cut(error))
        return error

    def _post_quietly(self, callback: Callable[[], None]) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.add_callback_threadsafe(callback)

    # Everything below runs on the session's thread.

    def _run(self) -> None:
        loop = self._loop
        try:
            loop.call_later(self._timeout_s, self._check_opened)
            self._connection = pika.SelectConnection(
                self._parameters, self._on_open, self._on_closed, self._on_closed, custom_ioloop=self._services
            )
            loop.start()
        except Exception as error:  # the owner must hear of whatever the driver comes up with
            log.exception("queue_session_failed")
            self._fail(self._translate(error))
        finally:
            with self._lock:
                self._loop = None
            self._services.release()
            loop.close()

    def _on_open(self, connection: Any) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(blocked=True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(blocked=False))
        connection.channel(on_open_callback=self._on_channel_open)

    def _on_channel_open(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(lambda _, reason: self._leave(self._translate(reason)))
        channel.add_on_cancel_callback(lambda _: self._leave(QueueUnavailableError("The queue was deleted.")))
        self._role.prepare(channel, self._on_prepared)

    def _on_prepared(self) -> None:
        self._ready_since = time.monotonic()
        if not self._ready.done():
            self._ready.set_result(None)

    def _set_blocked(self, *, blocked: bool) -> None:
        self.blocked = blocked
        if blocked:
            self._role.blocked()

    def _work(self, work: Callable[[Channel], None]) -> None:
        if self.error is None and self._channel is not None:
            work(self._channel)

    def _check_opened(self) -> None:
        if not self._ready.done():
            self._cut(self._unanswered())

    def _leave(self, error: FleetFlowError) -> None:
        """Say goodbye, and cut the connection if the broker does not answer in time."""
        self._fail(error)
        if self._connection is None or not (self._connection.is_open or self._connection.is_closing):
            self._services.cut()
        elif self._connection.is_open:
            self._connection.close()
            self._loop.call_later(GOODBYE_S, self._services.cut)

    def _cut(self, error: FleetFlowError) -> None:
        self._fail(error)
        self._services.cut()

    def _on_closed(self, _: Any, reason: Exception) -> None:
        self._fail(self._translate(reason))
        self._loop.stop()

    def _fail(self, error: FleetFlowError) -> None:
        with self._lock:
            if self.error is not None:
                return
            self.error = error
        if not self._ready.done():
            self._ready.set_exception(error)
        self._role.ended(error)

    def _unanswered(self) -> QueueUnavailableError:
        return QueueUnavailableError(f"RabbitMQ at {self._address} does not answer.")

    @property
    def _address(self) -> str:
        return f"{self._parameters.host}:{self._parameters.port}"

    def _translate(self, reason: Exception) -> FleetFlowError:
        """The driver's reason in a sentence for the one who has to act."""
        code = getattr(reason, "reply_code", None)
        text = getattr(reason, "reply_text", "") or ""
        if code == PRECONDITION_FAILED and "inequivalent" in text:
            return ConfigurationError(
                f"A queue in RabbitMQ was made with other settings ({text}). It holds wake-ups only:"
                f" delete it (rabbitmqctl delete_queue {QUEUE_NAME}) and it is made anew, or set"
                " FLEETFLOW_QUEUE_LENGTH back."
            )
        if code == NOT_FOUND:
            return NoQueueError(f"RabbitMQ at {self._address}: {text}")
        if isinstance(reason, exceptions.ProbableAuthenticationError | exceptions.AuthenticationError):
            return QueueUnavailableError(
                f"RabbitMQ at {self._address} refuses the user or password of FLEETFLOW_RABBITMQ_URL."
            )
        if isinstance(reason, exceptions.ConnectionClosedByBroker | exceptions.ChannelClosedByBroker):
            return QueueUnavailableError(f"RabbitMQ at {self._address} closed the connection: {code} {text}")
        return QueueUnavailableError(f"RabbitMQ at {self._address} cannot be reached ({type(reason).__name__}).")


class Link:
    """The owner's current session, and a new one when it has ended, though not too often."""

    def __init__(self, open_session: Callable[[], Session]) -> None:
        self._open_session = open_session
        self._session: Session | None = None
        self._backoff = Backoff()
        self._last_error: FleetFlowError | None = None

    @property
    def current(self) -> Session | None:
        """The session, if it has not ended."""
        return self._session if self._session is not None and self._session.error is None else None

    def session(self) -> Session:
        """A session that serves or opens. Raises the last failure while it is too early to try again."""
        self.note_end()
        if self._session is None:
            if self._backoff.waiting and self._last_error is not None:
                raise self._last_error.with_traceback(None)
            self._session = self._open_session()
        return self._session

    def drop(self) -> None:
        """End the current session; the next call of `session` opens another."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def note_end(self) -> None:
        """Let go of the session if it has ended, and remember why."""
        session = self._session
        if session is None or session.error is None:
            return
        self._session, self._last_error = None, session.error
        self._backoff.ended(session.stood_s)
