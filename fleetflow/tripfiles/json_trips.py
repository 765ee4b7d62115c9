"""The contract's JSON as the bytes it is, for the API to judge; what is no JSON object is located and reported.

A file is read trip by trip, whether it is NDJSON or one long list.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import IO, TYPE_CHECKING

import msgspec
import numpy as np

from fleetflow.sending import Parcel

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TRIP_BYTES = 200_000_000
"""No trip is as long; a file that seems to hold one is broken, and is not read into memory."""
CHUNK_BYTES = 1 << 18
ESCAPED = re.compile(rb"\\.", re.DOTALL)
QUOTE, COMMA = b'",'


class _TooLongError(Exception):
    """A trip longer than any."""


class _BrokenListError(Exception):
    """What is wrong with a list as a whole."""


def read_json(file: IO[bytes], path: str) -> Iterator[Parcel]:
    """A trip a line, a list of trips, or one trip over any number of lines."""
    skipped, first = _first_line(file)
    try:
        if first.lstrip().startswith(b"["):
            yield from _read_list(chain([first], _chunks(file)), path, skipped + 1)
        elif _is_object(first):
            yield from _read_lines(chain([first], _lines(file)), path, skipped + 1)
        else:
            yield from _read_broken_or_spread(first, file, path, skipped + 1)
    except _TooLongError:
        yield Parcel(
            path, error=f"holds something longer than {MAX_TRIP_BYTES // 1_000_000} MB; not read on from there"
        )


def _first_line(file: IO[bytes]) -> tuple[int, bytes]:
    """How many lines are blank, and the first that is not, which is cut off where a list may be on one line."""
    for number, line in enumerate(_lines(file, CHUNK_BYTES)):
        if line.strip():
            if not line.lstrip().startswith(b"[") and not line.endswith(b"\n"):
                return number, line + next(_lines(file), b"")
            return number, line
    return 0, b""


def _lines(file: IO[bytes], limit: int = MAX_TRIP_BYTES) -> Iterator[bytes]:
    while line := file.readline(limit):
        if len(line) >= MAX_TRIP_BYTES:
            raise _TooLongError
        yield line


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


def _read_lines(lines: Iterator[bytes], path: str, first_number: int) -> Iterator[Parcel]:
    for number, line in enumerate(lines, first_number):
        if line.strip():
            yield _parcel(f"{path}:{number}", line.strip())


def _read_broken_or_spread(first: bytes, file: IO[bytes], path: str, number: int) -> Iterator[Parcel]:
    """The first line is no object: NDJSON with a fault in it when the next one is a trip, else one document."""
    second = next(_lines(file), b"")
    if b'"data"' in second and _is_object(second):
        yield from _read_lines(chain([first, second], _lines(file)), path, number)
        return
    text = first + second + file.read(MAX_TRIP_BYTES)
    if len(text) >= MAX_TRIP_BYTES:
        raise _TooLongError
    lines = text.split(b"\n")
    if not _is_object(text) and any(_is_object(line) for line in lines):
        yield from _read_lines(iter(lines), path, number)
    elif text.strip():
        yield _parcel(f"{path}:{number}", text.strip())


def _read_list(chunks: Iterator[bytes], path: str, line: int) -> Iterator[Parcel]:
    """The elements of a list; `line` is where it begins."""
    try:
        for index, element in enumerate(split_list(chunks), 1):
            at = line + element.count(b"\n", 0, len(element) - len(element.lstrip()))
            line += element.count(b"\n")
            yield _parcel(f"{path}:{at} (trip {index})", element.strip())
    except _BrokenListError as error:
        yield Parcel(f"{path}:{line}", error=str(error))


def split_list(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The texts between the commas of a JSON list, one by one. Raises _BrokenListError where it is no list."""
    held, is_empty = bytearray(), True
    scanner = _Scanner()
    for text, cuts in scanner.scan(_whole_escapes(chunks)):
        begin = 0
        for cut in cuts:
            held += text[begin:cut]
            begin = cut + 1
            closes = text[cut : cut + 1] != b","
            if held.strip() or not closes or not is_empty:
                yield bytes(held)
            is_empty = False
            held.clear()
            if closes:
                _check_end(text[begin:], chunks)
                return
        held += text[begin:]
        if len(held) >= MAX_TRIP_BYTES:
            raise _TooLongError
    raise _BrokenListError("ends in the middle of the list; its last trip is not sent")


class _Scanner:
    """Finds the commas and the closing bracket of a list: outside of strings, at the list's own depth.

    By array operations, because a loop over characters would take longer than sending them.
    """

    def __init__(self) -> None:
        self._depth = -1  # the list's own opening bracket makes it 0
        self._in_string = False

    def scan(self, texts: Iterator[bytes]) -> Iterator[tuple[bytes, list[int]]]:
        """Each text with the places of its cuts; the first begins with the list's bracket, which is left out."""
        for text in texts:
            if self._depth < 0:
                self._depth = 0
                text = text.lstrip().removeprefix(b"[")  # noqa: PLW2901  # the rest of the first text
            yield text, self._cuts(text)

    def _cuts(self, text: bytes) -> list[int]:
        codes = np.frombuffer(ESCAPED.sub(b"__", text) if b"\\" in text else text, dtype=np.uint8)
        inside = np.logical_xor.accumulate(codes == QUOTE) ^ self._in_string
        opens = ((codes == ord("[")) | (codes == ord("{"))) & ~inside
        closes = ((codes == ord("]")) | (codes == ord("}"))) & ~inside
        depth = self._depth + np.cumsum(opens.astype(np.int8) - closes.astype(np.int8), dtype=np.int64)
        if codes.size:
            self._depth, self._in_string = int(depth[-1]), bool(inside[-1])
        ends = np.flatnonzero(closes & (depth < 0))[:1]
        cuts = np.flatnonzero((codes == COMMA) & ~inside & (depth == 0))
        return [*cuts[cuts < ends[0]].tolist(), int(ends[0])] if ends.size else cuts.tolist()


def _whole_escapes(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text in pieces that do not end between a backslash and what it escapes."""
    held = b""
    for chunk in chunks:
        text = held + chunk
        backslashes = len(text) - len(text.rstrip(b"\\"))
        whole = len(text) - backslashes % 2
        held = text[whole:]
        yield text[:whole]


def _check_end(rest: bytes, chunks: Iterator[bytes]) -> None:
    if rest.strip() or any(chunk.strip() for chunk in chunks):
        raise _BrokenListError("goes on after the list; the rest is not sent")


def _is_object(text: bytes) -> bool:
    return _fault(text) is None


def _parcel(source: str, text: bytes) -> Parcel:
    fault = _fault(text)
    return Parcel(source, text) if fault is None else Parcel(source, error=fault)


def _fault(text: bytes) -> str | None:
    try:
        msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return "is not a JSON object"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"is not JSON: {error}"
    return None
