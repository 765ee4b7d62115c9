"""What bad files do to the dashboard: how far its process grows, and how long another viewer waits meanwhile."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Row
from benchmarks.services import peak_memory_mb, running_api
from tests.support import people
from tests.support.bad_files import CORPUS
from tests.support.browser import launched_chromium, running_dashboard, viewer
from tests.support.children import children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.services import Stack
    from tests.support.browser import Viewer

FILES_AT_ONCE = 20
LARGEST_BYTES = 50_000_000
"""What the browser hands over at all."""
MOST_GROWTH_MB = 200.0
PATIENCE_MS = 120_000
MOST_BATCH_S = 300.0
"""A batch takes less than a minute on two idle cores; a run ends in any case."""
UPLOADER = "[data-testid=stFileUploaderDropzoneInput]"
HARMLESS = b"time,speed_kmh\n2026-01-05T08:00:00Z,50\n2026-01-05T08:00:01Z,51\n"


def uploading(stack: Stack) -> Iterator[Row]:
    """Every file of the list of bad uploads, through a real browser, beside somebody who looks at the fleet."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        port, _ = running.enter_context(running_api(stack))
        base = running.enter_context(
            running_dashboard(stack.database_url, folder, FLEETFLOW_API_ADDRESS=f"http://127.0.0.1:{port}")
        )
        chromium = running.enter_context(launched_chromium())
        uploader, other = (
            running.enter_context(viewer(chromium, base, token=people.start_session(stack.database_url)))
            for _ in range(2)
        )
        uploader.page.set_default_timeout(PATIENCE_MS)
        paths = _write(folder)
        alone_s = min(_look(other) for _ in range(3))
        _drop(uploader, [_written(folder / "harmless.csv", HARMLESS)], other)
        before_mb = peak_memory_mb(_dashboard_pid())
        batches = [paths[at : at + FILES_AT_ONCE] for at in range(0, len(paths), FILES_AT_ONCE)]
        longest_s = max(wait for batch in batches for wait in _drop(uploader, batch, other))
        growth_mb = peak_memory_mb(_dashboard_pid()) - before_mb
    what = f"dashboard's growth through {len(paths)} bad files"
    yield Row(what, stack.name, "the most it may be", MOST_GROWTH_MB, growth_mb, "MB")
    yield Row("another viewer's page meanwhile, the slowest", stack.name, "the page alone", alone_s, longest_s, "s")


def _write(folder: Path) -> list[Path]:
    contents = ((file, file.content()) for file in CORPUS)
    return [_written(folder / file.name, content) for file, content in contents if len(content) <= LARGEST_BYTES]


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _drop(uploader: Viewer, paths: list[Path], other: Viewer) -> list[float]:
    """Drop the files and wait until their cards are there; how long the other viewer waited for each page meanwhile."""
    page = uploader.open("upload")
    page.locator(UPLOADER).set_input_files([str(path) for path in paths])
    ready, waits, began = page.get_by_text("ready ·"), list[float](), time.monotonic()
    while not ready.is_visible():
        waits.append(_look(other))
        if time.monotonic() - began > MOST_BATCH_S:
            raise TimeoutError(f"{len(paths)} files had no cards after {MOST_BATCH_S:g} s.")
    uploader.settle()
    return waits


def _look(other: Viewer) -> float:
    began = time.perf_counter()
    other.open("leaderboard")
    return time.perf_counter() - began


def _dashboard_pid() -> int:
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children_of(os.getpid())}
    return next(pid for pid, command in commands.items() if command.split(b"\0")[1:3] == [b"-m", b"dashboard"])
