"""Files as they go wrong in real life, by their number in the list of bad uploads, each with what is said of it."""

from __future__ import annotations

import gzip
import io
import pickle
import re
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pyarrow as pa
from pyarrow import feather, parquet

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = "timestamp,speed_kmh,g_force_long"
ROWS = [f"2026-01-05T08:00:{second:02d}Z,{50 + second},0.1" for second in range(30)]
ARCHIVE = "This is a ZIP archive; archives are not accepted, unpack it first."
NO_DTD = "DTDs are not allowed"


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file, what is said of it, and how many trips it gives all the same."""

    number: str
    what: str
    content: Callable[[], bytes]
    said: str
    trips: int = 0

    @property
    def name(self) -> str:
        """A name that says nothing of the content, as one that lies would."""
        return f"{self.number}-{re.sub(r'[^a-zA-Z0-9]+', '-', self.what)}.csv"


def csv(*rows: str, header: str = HEADER) -> bytes:
    return ("\n".join([header, *(rows or ROWS)]) + "\n").encode()


def _zip(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/hostname")
    return buffer.getvalue()


def _bomb() -> bytes:
    packer = zlib.compressobj(wbits=31)
    part = b"1,2,3\n" * 100_000
    return b"".join([*(packer.compress(part) for _ in range(340)), packer.flush()])


def _without_zone(day: str, hours: tuple[int, ...]) -> bytes:
    return csv(*(f"{day} {hour:02d}:{minute:02d}:00,50,0.1" for hour in hours for minute in range(0, 60, 2)))


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    return buffer.getvalue()


def _nested() -> bytes:
    seconds = np.arange(20) * 1_000_000 + 1_767_600_000_000_000
    return _parquet(
        pa.table(
            {
                "time": pa.array(seconds, pa.timestamp("us", "UTC")),
                "speed_kmh": pa.array([str(50 + n) for n in range(20)]).cast(pa.decimal128(5, 1)),
                "g_long": pa.array(["0.1"] * 20).dictionary_encode(),
                "raw": pa.array([b"x"] * 20),
                "tags": pa.array([["a"]] * 20),
            }
        )
    )


def _feather() -> bytes:
    buffer = io.BytesIO()
    feather.write_feather(pa.table({"a": [1]}), buffer)
    return buffer.getvalue()


def _workbook() -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in [HEADER, *ROWS]:
        sheet.append(row.split(","))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _gpx(points: str, head: str = "") -> bytes:
    return f'<?xml version="1.0"?>{head}<gpx><trk><trkseg>{points}</trkseg></trk></gpx>'.encode()


def _point(n: int, latitude: float | None = None) -> str:
    at = f"2026-01-05T08:00:{n:02d}Z"
    return f'<trkpt lat="{latitude or 52 + n / 10_000}" lon="9"><time>{at}</time></trkpt>'


def _driven(*drivers: str, hours: tuple[int, ...] = (8,)) -> bytes:
    rows = (f"{row.replace('T08', f'T{hour:02d}')},{name}" for name in drivers for hour in hours for row in ROWS)
    return csv(*rows, header=f"{HEADER},driver")


def _lines(**changes: bytes) -> bytes:
    lines = csv(*[ROWS[n % 30].replace("08:", f"{8 + n // 1800:02d}:") for n in range(1000)]).split(b"\n")
    for place, line in changes.items():
        lines[int(place.removeprefix("line_")) - 1] = line
    return b"\n".join(lines)


ENTITIES = '<!DOCTYPE gpx [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
QUADRATIC = f'<!DOCTYPE gpx [<!ENTITY a "{"a" * 50_000}">]>'
EXTERNAL = '<!DOCTYPE gpx [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
GERMAN = [row.replace(",", ";").replace("0.1", "0,125") for row in ROWS]
NDJSON = [f'{{"t": "2026-01-05T08:00:{n:02d}Z", "speed_kmh": {50 + n}, "g_long": 0.1}}' for n in range(8)]

CORPUS = [
    BadFile("U01", "nothing", lambda: b"", "The file is empty."),
    BadFile("U02", "header only", HEADER.encode, "No data rows."),
    BadFile("U03", "51 MB", lambda: b"x" * 51_000_000, "51 MB; the limit is 50 MB."),
    BadFile(
        "U04", "200,000 columns", lambda: ",".join(f"c{n}" for n in range(200_000)).encode() + b"\n1\n",
        "200,000 columns; the limit is 200.",
    ),
    BadFile("U06", "a ZIP", lambda: _zip(a="x"), ARCHIVE),
    BadFile("U06", "a picture", lambda: b"\x89PNG\r\n\x1a\n", "This is a PNG picture."),
    BadFile("U06", "an EXE", lambda: b"MZ\x90\x00", "This is a program."),
    BadFile("U06", "an ELF", lambda: b"\x7fELF\x02", "This is a program."),
    BadFile("U07", "a bomb", _bomb, "The file unpacks to more than 200 MB, which is the limit."),
    BadFile("U08", "a ZIP in a ZIP", lambda: _zip(inner=_zip(a="x").decode("latin-1")), ARCHIVE),
    BadFile("U08", "a way out", lambda: _zip(**{"../../x": "x"}), ARCHIVE),
    BadFile("U08", "a link", _link, ARCHIVE),
    BadFile("U09", "decimal commas", lambda: csv(*GERMAN, header=HEADER.replace(",", ";")), "decimal commas", 1),
    BadFile("U11", "a byte order mark", lambda: csv().decode().encode("utf-8-sig"), "", 1),
    BadFile("U12", "UTF-16", lambda: csv().decode().encode("utf-16"), "The text is in UTF-16.", 1),
    BadFile("U12", "cp1252", lambda: _driven("Jürgen Müller").decode().encode("cp1252"), "The text is not UTF-8", 1),
    BadFile("U13", "a broken line", lambda: _lines(line_917=b"\xff\xfe"), "line 917  is not UTF-8", 1),
    BadFile("U15", "CR only", lambda: csv().replace(b"\n", b"\r"), "", 1),
    BadFile("U15", "mixed ends", lambda: csv().replace(b"\n", b"\r\n", 9).rstrip(), "", 1),
    BadFile("U16", "a column twice", lambda: csv(header="speed_kmh,speed_kmh,g"), "has the column “speed_kmh” twice."),
    BadFile("U16", "no speed", lambda: csv("1,2", header="colour,size"), "No column is a speed or a position"),
    BadFile("U16", "one more column", lambda: csv(*(f"{row},x" for row in ROWS), header=f"{HEADER},colour"), "", 1),
    BadFile("U17", "another unit", lambda: csv(header="Zeit,Geschwindigkeit,g_force_long"), "in km/h?", 1),
    BadFile("U18", "cells too many", lambda: csv(*ROWS, "1,2,3,4"), "line 32  has 4 cells under a header of 3", 1),
    BadFile("U20", "text for g", lambda: csv(*ROWS, "2026-01-05T08:00:40Z,50,hard"), "is no number", 1),
    BadFile(
        "U20", "m/s2", lambda: csv(*(row.replace("0.1", "-9.8") for row in ROWS), header="timestamp,speed_kmh,accel"),
        "Values reach 9.8: are these m/s2?", 1,
    ),
    BadFile("U21", "no zone", lambda: _without_zone("2026-01-15", (1,)), "The times carry no zone", 1),
    BadFile("U21", "both ways", lambda: csv("01/02/2026 08:00:00,5,0", "01/02/2026 08:00:01,5,0"), "dates d/m/y?", 1),
    BadFile("U21", "seconds", lambda: csv("1767600000,50,0.1", "1767600001,51,0.1"), "", 1),
    BadFile("U21", "milliseconds", lambda: csv("1767600000000,50,0.1", "1767600001000,51,0.1"), "", 1),
    BadFile("U21", "Excel days", lambda: csv("46027.5,50,0.1", "46027.500011574,51,0.1"), "", 1),
    BadFile("U21", "autumn", lambda: _without_zone("2026-10-25", (1, 2)), "30 rows lie in the hour that comes", 1),
    BadFile("U21", "spring", lambda: _without_zone("2026-03-29", (1, 2)), "30 rows lie in the hour that Europe", 1),
    BadFile("U22", "unsorted", lambda: csv(*ROWS[10:], *ROWS[:10]), "step back in time", 1),
    BadFile("U22", "rows twice", lambda: csv(*ROWS, *ROWS[3:5]), "2 rows are in the file twice and were taken", 1),
    BadFile("U22", "two hours of silence", lambda: _driven("Ann", hours=(8, 10)), "", 2),
    BadFile("U23", "three drivers", lambda: _driven("Ann", "Bob", "Cat"), "", 3),
    BadFile("U25", "2,000,001 rows", lambda: b"t,speed_kmh\n" + b"1,2\n" * 2_000_001, "2,000,001 rows; the limit is"),
    BadFile("U27", "a formula", lambda: _driven("=cmd|' /C calc'!A0"), "", 1),
    BadFile("U28", "markup", lambda: _driven("<script>alert(1)</script>"), "", 1),
    BadFile("U29", "a bad line", lambda: "\n".join([*NDJSON[:4], "{oops", *NDJSON[5:]]).encode(), "line 5  is not", 1),
    BadFile("U30", "deep JSON", lambda: b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "nested too deeply"),
    BadFile("U31", "one long string", lambda: b'{"a": "' + b"x" * 49_000_000 + b'"}', "No data rows."),
    BadFile(
        "U32", "rows that weigh nothing",
        lambda: _parquet(pa.table({"v": pa.array(np.zeros(3_000_000)).dictionary_encode()})),
        "3,000,000 rows; the limit is 2,000,000.",
    ),
    BadFile("U34", "nested columns", _nested, "Left out, as they hold no single values: raw, tags.", 1),
    BadFile("U35", "Feather", _feather, "This is an Arrow file; save it as Parquet."),
    BadFile("U35", "a pickle", lambda: pickle.dumps({"a": 1}), "This is a Python pickle, which may run code"),
    BadFile("U35", "a workbook", _workbook, "", 1),
    BadFile("U35", "an ODS", lambda: _zip(mimetype="application/vnd.oasis.opendocument.spreadsheet"), ARCHIVE),
    BadFile("U37", "billion laughs", lambda: _gpx(_point(1), ENTITIES), NO_DTD),
    BadFile("U37", "one entity often", lambda: _gpx(f"<name>{'&a;' * 1000}</name>", QUADRATIC), NO_DTD),
    BadFile("U37", "a file from outside", lambda: _gpx("<name>&x;</name>", EXTERNAL), NO_DTD),
    BadFile("U38", "no times", lambda: _gpx('<trkpt lat="1" lon="1"/>'), "The track points have no times."),
    BadFile("U38", "waypoints", lambda: b'<gpx><wpt lat="1" lon="1"/></gpx>', "waypoints only, no track."),
    BadFile("U38", "one point", lambda: _gpx(_point(1)), "is a trip of a single point"),
    BadFile(
        "U38", "no such latitude", lambda: _gpx("".join([*map(_point, range(20)), _point(20, 91.0)])),
        "is not between -90 and 90 degrees", 1,
    ),
    BadFile(
        "U38", "two tracks",
        lambda: _gpx("".join([*map(_point, range(9)), "</trkseg></trk><trk><trkseg>", *map(_point, range(9, 20))])),
        "", 2,
    ),
    BadFile("U40", "gzip of a program", lambda: gzip.compress(b"\x7fELF\x02"), "This is a program."),
]  # fmt: skip
"""Files that are refused with a sentence, and files that are taken with a word of warning."""
