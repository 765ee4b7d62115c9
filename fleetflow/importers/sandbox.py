"""Parsing in a child process with limits on memory and time, so that no file can take its parent down."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003  # msgspec reads the annotations
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fleetflow.importers.mapping import Mapping
from fleetflow.importers.preview import Preview
from fleetflow.importers.table import FileLimits, FileRefusedError
from fleetflow.processes import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Iterator

REFUSED_CODE = 3
"""The child's exit code for a file that it refused, with the sentence on standard error."""
QUIET = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
}
"""Threads that wait for work reserve memory, which the limit counts."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is asked: a preview, or the trips' bodies. `latest` is ISO 8601; `mapping` None means a guess."""

    wants_trips: bool
    latest: datetime
    mapping: Mapping | None = None
    defaults: Mapping = field(default_factory=Mapping)
    limits: FileLimits = field(default_factory=FileLimits)
    memory_bytes: int = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How much a child may take."""

    memory_bytes: int = 2_000_000_000
    time_limit_s: float = 30.0
    limits: FileLimits = field(default_factory=FileLimits)

    def preview(
        self, content: bytes, latest: datetime, mapping: Mapping | None = None, defaults: Mapping | None = None
    ) -> Preview:
        """The preview of a file. Raises FileRefusedError, also where a limit was reached."""
        request = self._request(latest, mapping, defaults or Mapping(), wants_trips=False)
        with self._child(request, content, self.time_limit_s) as child:
            assert child.stdout is not None  # noqa: S101  # it is a pipe
            answer = child.stdout.read()
        return msgspec.json.decode(answer, type=Preview)

    def bodies(self, content: bytes, latest: datetime, mapping: Mapping | None) -> Iterator[bytes]:
        """The body of each trip as the API takes it, one by one. Raises FileRefusedError.

        Whoever takes them slowly makes the child wait, so that there is no limit on time: a preview has kept it before.
        """
        with self._child(self._request(latest, mapping, Mapping(), wants_trips=True), content, None) as child:
            assert child.stdout is not None  # noqa: S101  # it is a pipe
            for line in child.stdout:
                yield line.rstrip(b"\n")

    def _request(self, latest: datetime, mapping: Mapping | None, defaults: Mapping, *, wants_trips: bool) -> Request:
        return Request(wants_trips, latest, mapping, defaults, self.limits, self.memory_bytes)

    @contextlib.contextmanager
    def _child(self, request: Request, content: bytes, time_limit_s: float | None) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "fleetflow.importers"]
        child = subprocess.Popen(  # noqa: S603  # our own interpreter
            die_with_parent(command, "KILL"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=_environment(),
        )  # fmt: skip
        late = threading.Event()
        timer = threading.Timer(time_limit_s or threading.TIMEOUT_MAX, _end, [child, late])
        timer.daemon = True
        feeder = threading.Thread(target=_feed, args=[child, request, content], daemon=True)
        timer.start()
        feeder.start()
        try:
            yield child
            timer.cancel()
            self._check(child, late)
        finally:
            timer.cancel()
            child.kill()
            child.wait()
            feeder.join()
            for pipe in (child.stdout, child.stderr):
                if pipe is not None:
                    pipe.close()

    def _check(self, child: subprocess.Popen[bytes], late: threading.Event) -> None:
        """Raises FileRefusedError for a child that did not end well."""
        assert child.stderr is not None  # noqa: S101  # it is a pipe
        told = child.stderr.read().decode("utf-8", "replace").strip()
        code = child.wait()
        if late.is_set():
            raise FileRefusedError(f"Reading the file took longer than {self.time_limit_s:g} s, which is the limit.")
        if code == REFUSED_CODE:
            raise FileRefusedError(told)
        if code:
            over = f"perhaps over its limit of {self.memory_bytes / 1e9:g} GB"
            raise FileRefusedError(f"The file could not be read: its process ended with code {code}, {over}.")


def _environment() -> dict[str, str]:
    """This process's own, with FleetFlow to be found from any folder."""
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **QUIET, "PYTHONPATH": os.pathsep.join(paths)}


def _feed(child: subprocess.Popen[bytes], request: Request, content: bytes) -> None:
    """Write what the child reads; it may end before it has read all."""
    assert child.stdin is not None  # noqa: S101  # it is a pipe
    with contextlib.suppress(OSError), child.stdin as pipe:
        pipe.write(msgspec.json.encode(request) + b"\n")
        pipe.write(content)


def _end(child: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    child.kill()
