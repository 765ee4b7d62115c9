"""What a file is shows in its first bytes, never in its name; and text is unpacked and decoded before it is read."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from charset_normalizer import from_bytes

from fleetflow.importers.table import FileLimits, FileRefusedError, IntArray

GZIP = b"\x1f\x8b"
PARQUET, ZIP, NUMPY = b"PAR1", b"PK\x03\x04", b"\x93NUMPY"
FOREIGN: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"ARROW1", "an Arrow file; save it as Parquet"),
    (b"FEA1", "a Feather file; save it as Parquet"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as .xlsx"),
    (b"BZh", "a bzip2 archive; unpack it first"),
    (b"\xfd7zXZ", "an xz archive; unpack it first"),
    (b"7z\xbc\xaf", "a 7-Zip archive; unpack it first"),
    (b"Rar!", "a RAR archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive; unpack it first"),
    (b"SQLite format 3", "an SQLite database"),
)
PICKLES = tuple(b"\x80" + bytes([version]) for version in range(2, 6))
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
SAMPLE_BYTES = 65_536
BROKEN_SHARE = 0.01
"""Where more of the lines than this are not UTF-8, the text is in another encoding; else those lines are broken."""


@dataclass(frozen=True, slots=True)
class Text:
    """UTF-8 with \\n at the end of each line; `broken` are the lines (from 1) that were no UTF-8 and were blanked."""

    data: bytes
    broken: IntArray
    notes: tuple[str, ...] = ()


def unpack(content: bytes, limits: FileLimits) -> bytes:
    """The file, out of its gzip if it is in one. Raises FileRefusedError."""
    if not content:
        raise FileRefusedError("The file is empty.")
    if len(content) > limits.max_bytes:
        raise FileRefusedError(f"{_megabytes(len(content))}; the limit is {_megabytes(limits.max_bytes)}.")
    if not content.startswith(GZIP):
        return content
    unpacked = _gunzip(content, limits)
    if unpacked.startswith(GZIP):
        raise FileRefusedError("The file is packed twice; unpack it once.")
    return unpacked


def _gunzip(content: bytes, limits: FileLimits) -> bytes:
    parts, size = [], 0
    rest = content
    try:
        while rest.startswith(GZIP):  # a gzip file may have several members
            unpacker = zlib.decompressobj(wbits=31)
            parts.append(unpacker.decompress(rest, limits.max_unpacked_bytes + 1 - size))
            size += len(parts[-1])
            if size > limits.max_unpacked_bytes:
                limit = _megabytes(limits.max_unpacked_bytes)
                raise FileRefusedError(f"The file unpacks to more than {limit}, which is the limit.")
            if not unpacker.eof:
                raise FileRefusedError("The gzip file ends early: it was not copied whole.")
            rest = unpacker.unused_data
    except zlib.error:
        raise FileRefusedError("The gzip file is damaged.") from None
    return b"".join(parts) or _empty()


def _empty() -> bytes:
    raise FileRefusedError("The file is empty.")


def refuse_foreign(content: bytes) -> None:
    """Raises FileRefusedError for what is known and holds no trips here, or is no text."""
    for magic, what in FOREIGN:
        if content.startswith(magic):
            raise FileRefusedError(f"This is {what}.")
    if content.startswith(PICKLES):
        raise FileRefusedError("This is a Python pickle, which may run code and is never opened; save it as Parquet.")
    if content[:2] not in UTF16_MARKS and b"\x00" in content[:SAMPLE_BYTES]:
        raise FileRefusedError("This is a binary file of a kind that is not known here.")


def decode(content: bytes) -> Text:
    """The text, whatever its encoding and line ends. Raises FileRefusedError where the encoding cannot be told."""
    mark = content[:2]
    if mark in UTF16_MARKS:
        text = content[2:].decode(UTF16_MARKS[mark], "replace")
        return Text(_lines(text.encode()), _none(), ("The text is in UTF-16.",))
    data = _lines(content.removeprefix(UTF8_MARK))
    try:
        data.decode()
    except UnicodeDecodeError:
        return _repaired(data)
    return Text(data, _none())


def _repaired(data: bytes) -> Text:
    """Text that is not UTF-8: in another encoding as a whole, or with a few broken lines."""
    lines = data.split(b"\n")
    broken = [index for index, line in enumerate(lines) if not _is_utf8(line)]
    if broken[0] == 0 or len(broken) > max(BROKEN_SHARE * len(lines), 1):
        return _foreign(data, b"\n".join(lines[index] for index in broken[:500]))
    for index in broken:
        lines[index] = b""
    if broken[-1] == len(lines) - 1:
        lines.append(b"")  # a blank last line is one only with an end
    return Text(b"\n".join(lines), np.array(broken, dtype=np.int64) + 1)


def _foreign(data: bytes, telling: bytes) -> Text:
    best = from_bytes(telling[:SAMPLE_BYTES]).best()
    encoding = "cp1252" if best is None else best.encoding
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise FileRefusedError("The encoding of the text cannot be told; save the file as UTF-8.") from None
    name = encoding.replace("_", "-")
    return Text(text.encode(), _none(), (f"The text is not UTF-8; it was read as {name}.",))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lines(data: bytes) -> bytes:
    if b"\r" not in data:
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _none() -> IntArray:
    return np.zeros(0, dtype=np.int64)


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
