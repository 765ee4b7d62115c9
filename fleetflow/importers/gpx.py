"""GPX tracks, by defusedxml: a document type, and with it any entity, is refused."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from fleetflow.importers.table import FileLimits, FileRefusedError, Refusals, Table, check_rows, column_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKEN = {"time": "time", "speed": "speed", "course": "course"}
UNITS = {"speed": "m/s", "course": "degrees", "lat": "degrees", "lon": "degrees"}


def read_gpx(data: bytes, limits: FileLimits) -> Table:
    """The track points, a track or route a trip. Raises FileRefusedError."""
    columns: dict[str, list[Any]] = {name: [] for name in ("lat", "lon", "time", "speed", "course", "track")}
    places: list[int] = []
    waypoints = 0
    try:
        for number, (track, point) in enumerate(_points(data), 1):
            if track is None:
                waypoints += 1
                continue
            places.append(number)
            _take(columns, track, point)
    except DefusedXmlException:
        raise FileRefusedError("DTDs are not allowed: the file declares entities, which can hide anything.") from None
    except ParseError as error:
        raise FileRefusedError(f"This is not well-formed XML: {error}.") from None
    if not places:
        raise FileRefusedError("The file has waypoints only, no track." if waypoints else "No track points.")
    check_rows(len(places), limits)
    found = {name: column_of(values) for name, values in columns.items()}
    found = {name: column for name, column in found.items() if column.null_count < len(column)}
    if "time" not in found:
        raise FileRefusedError("The track points have no times.")
    return Table("GPX", found, np.array(places, dtype=np.int64), Refusals(), UNITS)


def _take(columns: dict[str, list[Any]], track: int, point: Element) -> None:
    found = {_local(child): (child.text or "").strip() for child in point.iter()}
    columns["track"].append(str(track))
    for name in ("lat", "lon"):
        columns[name].append(_number(point.get(name)))
    columns["time"].append(found.get("time") or None)
    for name in ("speed", "course"):
        columns[name].append(_number(found.get(name)))


def _points(data: bytes) -> Iterator[tuple[int | None, Element]]:
    """Every point with the number of its track; None for a waypoint. Elements are let go of as they are done."""
    track = 0
    for action, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
        name = _local(element)
        if action == "start":
            track += name in {"trk", "rte"}
        elif name in {"trkpt", "rtept", "wpt"}:
            yield (None if name == "wpt" else track), element
            element.clear()
        elif name in {"trkseg", "trk", "rte"}:
            element.clear()


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _number(text: str | None) -> float | None:
    try:
        return None if not text else float(text)
    except ValueError:
        return None
