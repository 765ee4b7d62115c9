"""Opening files of trips: what a file is shows in its first bytes, and nothing in a file stops the others."""

from __future__ import annotations

import gzip
import io
import shutil
import tempfile
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from fleetflow.sending import Parcel
from fleetflow.tripfiles.csv_trips import BrokenCsvError, Missing, read_csv, trip_sizes
from fleetflow.tripfiles.json_trips import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import WriteableBuffer

STDIN = "-"
JSON_SUFFIXES = frozenset({".json", ".ndjson", ".jsonl"})
GZIP_MAGIC = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"
BUFFER_BYTES = 1 << 18


def read_parcels(path: str, missing: Missing, on_read: Callable[[int], None] = lambda _: None) -> Iterator[Parcel]:
    """The trips of one file (`-` is standard input), one at a time; `on_read` hears of each read's bytes on disk.

    Whatever is wrong, from a missing file to a malformed line, is a parcel with an error.
    """
    found = False
    try:
        for parcel in _read(path, missing, on_read):
            found = True
            yield parcel
    except (OSError, EOFError, zlib.error) as error:
        yield Parcel(path, error=f"cannot be read: {getattr(error, 'strerror', None) or error}")
    except BrokenCsvError as error:
        yield Parcel(f"{path}:{error.line}", error=f"is not CSV: {error}; nothing of this file was sent")
    else:
        if not found:
            yield Parcel(path, error="holds no trip")


def _read(path: str, missing: Missing, on_read: Callable[[int], None]) -> Iterator[Parcel]:
    with _opened(path, on_read) as file:
        first = file.peek(1024).lstrip()[:1]
        if first in {b"{", b"["} or Path(path.removesuffix(".gz")).suffix.lower() in JSON_SUFFIXES:
            yield from read_json(file, path)
        else:
            yield from _read_csv(file, path, missing)


def _read_csv(file: IO[bytes], path: str, missing: Missing) -> Iterator[Parcel]:
    """CSV is read twice, so what cannot be opened again, such as a pipe, is kept on disk meanwhile."""
    with ExitStack() as stack:
        if Path(path).is_file():
            sizes = trip_sizes(stack.enter_context(_opened(path, lambda _: None)))
        else:
            spooled = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(file, spooled)
            spooled.seek(0)
            sizes = trip_sizes(spooled)
            spooled.seek(0)
            file = spooled
        yield from read_csv(file, path, missing, sizes)


@contextmanager
def _opened(path: str, on_read: Callable[[int], None]) -> Iterator[io.BufferedReader]:
    """The content, unpacked, behind its byte order mark."""
    with ExitStack() as stack:
        raw = stack.enter_context(open(0 if path == STDIN else path, "rb", buffering=0, closefd=path != STDIN))
        file: io.BufferedReader = io.BufferedReader(_Counted(raw, on_read), BUFFER_BYTES)
        if file.peek(2)[:2] == GZIP_MAGIC:
            unpacked = stack.enter_context(gzip.open(file))
            file = io.BufferedReader(cast("Any", unpacked), BUFFER_BYTES)
        if file.peek(3)[:3] == UTF8_MARK:
            file.read(3)
        yield file


class _Counted(io.RawIOBase):
    """Tells how many bytes each read gave."""

    def __init__(self, raw: IO[bytes], on_read: Callable[[int], None]) -> None:
        self._raw = raw
        self._on_read = on_read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        count: int = self._raw.readinto(buffer)  # type: ignore[attr-defined]  # an unbuffered file has it
        self._on_read(count)
        return count
