"""Keeps child programs running: prefixed output, restart with back-off, an orderly end; one thread, one select."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from fleetflow.processes import die_with_parent

if TYPE_CHECKING:
    from types import FrameType

Write = Callable[[str, str], None]
"""Takes the name of a program and a line that it wrote, without the line's end."""

DRAIN_S = 10.0
TURN_S = 0.1
REPEAT_S = 0.5
"""Terminals and wrappers often deliver one Ctrl-C twice; only a later one means "now"."""
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
STEADY_S = 30.0
"""A program that ran this long is not failing at its start: the next delay is the first one again."""
LONGEST_LINE_BYTES = 64_000


@dataclass(frozen=True)
class Program:
    """A child program: its name in the output, command, environment, and whether its end is a failure."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    runs_forever: bool = True


def stop_signals() -> list[signal.Signals]:
    """The signals that ask to stop; after `nohup` a hang-up is none of them."""
    hangs_up = signal.getsignal(signal.SIGHUP) != signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else [])]


@contextmanager
def stops_raise() -> Iterator[None]:
    """Let every signal that asks to stop raise KeyboardInterrupt, so that open blocks are left in order."""
    former = {signum: signal.signal(signum, signal.default_int_handler) for signum in stop_signals()}
    try:
        yield
    finally:
        for signum, handler in former.items():
            signal.signal(signum, handler)


class Supervisor:
    """Runs programs until it is asked to stop: `with Supervisor(write) as children: children.add(...); children.run()`.

    Handles SIGINT, SIGTERM and SIGHUP while it is open, so it belongs to the main thread. Leaving the block ends all
    children: SIGTERM, ten seconds of patience, SIGKILL; a second signal cuts the patience short. On Linux the
    children also die when the supervisor is killed. `also_watch` is called every turn, for what is no child.
    """

    def __init__(
        self, write: Write, *, drain_s: float = DRAIN_S, also_watch: Callable[[], object] = lambda: None
    ) -> None:
        self._write = write
        self._also_watch = also_watch
        self._drain_s = drain_s
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()
        self._handlers: dict[signal.Signals, Any] = {}
        self._asked_at: list[float] = []

    def __enter__(self) -> Self:
        self._waker, self._woken = socket.socketpair()
        for end in (self._waker, self._woken):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ, lambda: self._woken.recv(100))
        self._old_waker = signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        self._handlers = {signum: signal.signal(signum, self._on_signal) for signum in stop_signals()}
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            for signum, handler in self._handlers.items():
                signal.signal(signum, handler)
            signal.set_wakeup_fd(self._old_waker)
            self._selector.close()
            self._waker.close()
            self._woken.close()

    @property
    def is_asked_to_stop(self) -> bool:
        """Whether a signal came."""
        return bool(self._asked_at)

    def add(self, program: Program) -> None:
        """Start a program and look after it from now on."""
        child = _Child(program, self._selector, partial(self._pass_on, program.name))
        self._children.append(child)
        child.start()

    def run(self, until: Callable[[], bool] = lambda: False, timeout_s: float = float("inf")) -> bool:
        """Look after the children until the condition holds (True), a stop is asked for or the time is over (False)."""
        deadline = time.monotonic() + timeout_s
        while not self.is_asked_to_stop and time.monotonic() < deadline:
            if until():
                return True
            self._turn()
            self._also_watch()
            for child in self._children:
                child.look_after()
        return False

    def stop(self) -> None:
        """End all children; none of them runs when this returns."""
        asked_before = len(self._asked_at)
        deadline = time.monotonic() + self._drain_s
        for child in self._children:
            child.terminate()
        while any(child.is_running for child in self._children):
            if time.monotonic() > deadline or len(self._asked_at) > asked_before:
                break
            self._turn()
        for child in self._children:
            child.end()
        self._children.clear()

    def _pass_on(self, name: str, line: str) -> None:
        try:
            self._write(name, line)
        except OSError:
            return  # the terminal is gone; the hang-up that says so ends us in order

    def _turn(self) -> None:
        for key, _ in self._selector.select(TURN_S):
            key.data()

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self._asked_at or now - self._asked_at[-1] > REPEAT_S:
            self._asked_at.append(now)


class _Child:
    """One program's process and its next start."""

    def __init__(self, program: Program, selector: selectors.BaseSelector, write: Callable[[str], None]) -> None:
        self._program = program
        self._selector = selector
        self._write = write
        self._process: subprocess.Popen[bytes] | None = None
        self._output: _Output | None = None
        self._started_at = 0.0
        self._failures = 0
        self._start_at: float | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        self._start_at = None
        self._started_at = time.monotonic()
        reader, writer = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the programs are our own
                die_with_parent(self._program.command, "KILL"),
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                start_new_session=True,  # a Ctrl-C in the terminal reaches the supervisor only
                env=dict(self._program.environment),
            )
        finally:
            os.close(writer)
        self._output = _Output(reader, self._selector, self._write)

    def look_after(self) -> None:
        """Note an end, or start again when it is time."""
        if self._start_at is not None and time.monotonic() >= self._start_at:
            self.start()
        elif self._process is not None and not self.is_running:
            code = self._process.returncode
            self._forget_process()
            self._plan_after(code)

    def terminate(self) -> None:
        """Ask the program to end."""
        if self._process is not None and self.is_running:
            self._process.terminate()

    def end(self) -> None:
        """Kill the program, and what it started, if it still runs; pass on its last words."""
        if self._process is None:
            return
        if self.is_running:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._write("did not end in time and is killed")
        self._process.wait()
        self._forget_process()

    def _plan_after(self, code: int) -> None:
        if not self._program.runs_forever:
            if code != 0:
                self._write(f"ended with {_describe(code)}")
            return
        if time.monotonic() - self._started_at > STEADY_S:
            self._failures = 0
        delay_s = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**self._failures)
        self._failures += 1
        self._start_at = time.monotonic() + delay_s
        self._write(f"ended with {_describe(code)}; starts again in {delay_s:g} s")

    def _forget_process(self) -> None:
        self._process = None
        if self._output is not None:
            self._output.close()
            self._output = None


class _Output:
    """The reading end of a child's output, passed on line by line."""

    def __init__(self, descriptor: int, selector: selectors.BaseSelector, write: Callable[[str], None]) -> None:
        self._descriptor = descriptor
        self._selector = selector
        self._write = write
        self._line = b""
        os.set_blocking(descriptor, False)
        selector.register(descriptor, selectors.EVENT_READ, self._read)

    def close(self) -> None:
        """Pass on what is there and let go."""
        while self._read():
            pass
        if self._descriptor in self._selector.get_map():
            self._selector.unregister(self._descriptor)
        os.close(self._descriptor)

    def _read(self) -> bool:
        """Pass on the complete lines that are there; False when there is no more for now."""
        try:
            chunk = os.read(self._descriptor, LONGEST_LINE_BYTES)
        except BlockingIOError:
            return False
        *lines, self._line = (self._line + chunk).split(b"\n")
        if not chunk or len(self._line) > LONGEST_LINE_BYTES:
            lines, self._line = [*lines, self._line], b""
        for line in lines:
            if line.strip():
                self._write(line.decode(errors="replace").rstrip())
        if not chunk and self._descriptor in self._selector.get_map():
            self._selector.unregister(self._descriptor)
        return bool(chunk)


def _describe(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
