"""Any file -> a table, or the trips of the API's own form; each format has its reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetflow.importers.arrays import read_array
from fleetflow.importers.content import NUMPY, PARQUET, UTF8_MARK, ZIP, decode, refuse_foreign, unpack
from fleetflow.importers.csv_table import read_csv
from fleetflow.importers.gpx import read_gpx
from fleetflow.importers.records import read_json
from fleetflow.importers.sheets import read_parquet, read_workbook
from fleetflow.importers.signals import is_signal_log, read_signals
from fleetflow.importers.table import ContractTrips, FileLimits, FileRefusedError, Table

if TYPE_CHECKING:
    from datetime import datetime


def read_file(content: bytes, *, latest: datetime, limits: FileLimits) -> Table | ContractTrips:
    """What the file holds; no point of a trip may be later than `latest`. Raises FileRefusedError."""
    data = unpack(content, limits)
    if data.startswith(PARQUET):
        return read_parquet(data, limits)
    if data.startswith(ZIP):
        return read_workbook(data, limits)
    if data.startswith(NUMPY):
        return read_array(data, limits)
    refuse_foreign(data)
    return _read_text(data, latest, limits)


def _read_text(data: bytes, latest: datetime, limits: FileLimits) -> Table | ContractTrips:
    first = data[:4096].removeprefix(UTF8_MARK).lstrip()
    if first.startswith(b"<"):
        if b"<gpx" not in data[:65_536]:
            raise FileRefusedError("This is an XML or HTML file, not GPX.")
        return read_gpx(data, limits)
    text = decode(data)
    if is_signal_log(text.data):
        return read_signals(text, limits)
    if text.data.lstrip()[:1] in {b"{", b"["}:
        return read_json(text, limits, latest)
    return read_csv(text, limits)
