"""The child that reads one file: `Sandbox` writes a request and the content to its standard input."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from importlib import import_module
from typing import Any

import msgspec

from fleetflow.importers.importing import import_file
from fleetflow.importers.sandbox import REFUSED_CODE, Request
from fleetflow.importers.table import FileRefusedError
from fleetflow.trips.encode import encode_trip

with contextlib.suppress(ImportError):  # Windows has none; the time limit still holds there
    import resource


def main() -> int:
    """Answer one request; a refusal is one sentence on standard error."""
    threading.Thread(target=_load_preview, daemon=True).start()
    request = msgspec.json.decode(sys.stdin.buffer.readline(), type=Request)
    _limit(request.memory_bytes)
    try:
        _answer(request, sys.stdin.buffer.read())
    except FileRefusedError as error:
        sys.stderr.write(str(error))
        return REFUSED_CODE
    except MemoryError:
        sys.stderr.write("Reading the file needs more memory than a file may take.")
        return REFUSED_CODE
    return 0


def _answer(request: Request, content: bytes) -> None:
    found = import_file(
        content, latest=request.latest, mapping=request.mapping, limits=request.limits, defaults=request.defaults
    )
    output = sys.stdout.buffer
    if request.wants_trips:
        output.writelines(encode_trip(drive.trip) + b"\n" for drive in found.drives)
    else:
        output.write(_load_preview().make_preview(found).as_json())
    output.flush()


def _load_preview() -> Any:
    """Its libraries take half a second to load: begun beside the reading of the file, they cost the viewer nothing."""
    return import_module("fleetflow.importers.previewing")


def _limit(memory_bytes: int) -> None:
    if "resource" in globals():
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    answered = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(answered)  # the libraries' threads are not waited for: nothing that they hold outlives this process
