"""Files for `send`: the API's own form goes as it is, trip by trip; any other is mapped, as told or as guessed."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fleetflow.errors import ConfigurationError
from fleetflow.importers import FileLimits, FileRefusedError, Import, Mapping, import_file, read_mapping
from fleetflow.importers.signals import is_signal_log
from fleetflow.sending import Parcel
from fleetflow.tripfiles import STDIN, Missing, read_parcels
from fleetflow.trips.encode import encode_trip
from fleetflow.trips.samples import REQUIRED_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fleetflow.importers.drives import Drive

HEAD_BYTES = 65_536
GZIP = b"\x1f\x8b"
FOREIGN = (b"PAR1", b"PK\x03\x04", b"<")
OWN_LIMITS = FileLimits(max_bytes=500_000_000, max_unpacked_bytes=2_000_000_000, max_rows=20_000_000)
"""Of files that somebody hands to his own machine; an upload may hold less."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read the files: what they do not say, a mapping for all of them, and how far ahead a clock may be."""

    missing: Missing
    mapping: Mapping | None = None
    zone: str = "UTC"
    max_future_s: float = 600.0

    @property
    def latest(self) -> datetime:
        """No point may be later."""
        return datetime.now(UTC) + timedelta(seconds=self.max_future_s)


def read_mapping_file(path: Path | None) -> Mapping | None:
    """The mapping in the file. Raises ConfigurationError."""
    if path is None:
        return None
    try:
        return read_mapping(path.read_bytes())
    except (OSError, FileRefusedError) as error:
        raise ConfigurationError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def parcels(path: str, reading: Reading, on_read: Callable[[int], None] = lambda _: None) -> Iterator[Parcel]:
    """The trips of one file. Whatever is wrong is a parcel with an error."""
    if reading.mapping is None and (path == STDIN or not Path(path).is_file() or is_own_form(_head(Path(path)))):
        yield from read_parcels(path, reading.missing, on_read)
        return
    try:
        found = imported(path, reading)
    except (FileRefusedError, OSError) as error:
        yield Parcel(path, error=str(error))
        return
    on_read(Path(path).stat().st_size)
    if not found.drives and not found.refusals.count:
        yield Parcel(path, error=" ".join(found.notes) or "holds no trip")
    for refusal in found.refusals.kept:
        yield Parcel(f"{path}:{refusal.line}", error=f"{refusal.column} {refusal.reason}".strip())
    for drive in found.drives:
        yield _parcel(f"{path}:{drive.line}", drive)


def imported(path: str, reading: Reading) -> Import:
    """The file's trips by its mapping, or by a guess. Raises FileRefusedError, OSError."""
    defaults = replace(
        reading.mapping or Mapping(zone=reading.zone),
        driver=reading.missing.driver_id or (reading.mapping or Mapping()).driver,
        vehicle=reading.missing.vehicle_id or (reading.mapping or Mapping()).vehicle,
        sample_hz=reading.missing.sample_hz or (reading.mapping or Mapping()).sample_hz,
    )
    mapping = defaults if defaults.uses else None
    return import_file(
        Path(path).read_bytes(), latest=reading.latest, mapping=mapping, defaults=defaults, limits=OWN_LIMITS
    )


def is_own_form(head: bytes) -> bool:
    """Whether a file that begins so is the API's JSON or CSV with its names, or is broken in a way to be told of."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(FOREIGN) or b"\x00" in text or is_signal_log(text):
        return False
    if text.startswith((b"{", b"[")):
        return b'"data"' in text or not any(map(_is_object, [text, *text.split(b"\n"), *text[1:].split(b"},")[:1]]))
    header = {name.strip() for name in text.split(b"\n", 1)[0].decode("utf-8", "replace").split(",")}
    return not text or header >= set(REQUIRED_CHANNELS)


def _is_object(text: bytes) -> bool:
    try:
        msgspec.json.decode(text if text.rstrip().endswith(b"}") else text + b"}", type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.startswith(GZIP):
        return head
    try:
        with gzip.open(path) as unpacked:
            return unpacked.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""


def _parcel(source: str, drive: Drive) -> Parcel:
    for name, said in (("vehicle", drive.vehicle), ("driver", drive.driver)):
        if not said:
            return Parcel(source, error=f"has no {name}; map a column or give --{name}-id")
    return Parcel(source, encode_trip(drive.trip))
