"""A driver's own data as one ZIP: a CSV and a JSON file a table, samples by trip, and a README that explains them."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import IO, TYPE_CHECKING, Any

import orjson

from fleetflow.spreadsheets import defuse
from fleetflow.storage import dossiers
from fleetflow.storage.erasures import check_driver

if TYPE_CHECKING:
    from uuid import UUID

    import sqlalchemy as sa

README = """\
FleetFlow: the data stored about one driver

driver   the id, the name and the group
trips    every trip: when, with which vehicle, how far, and how good its signals were
events   stretches of braking, acceleration, cornering and speeding; seconds from the trip's start
scores   the score of each trip under each scoring profile: 100 less penalty points
reviews  what people made of an event, and why
notes    what was agreed in coaching, withdrawn notes too
uploads  the file that a trip came with, if it was uploaded by hand

Each is a CSV file for a spreadsheet and a JSON file for programs. In the CSV files a text that a spreadsheet
would run as a formula begins with an apostrophe. Times are in UTC. peak_g is in units of 9.81 m/s2.
{samples}
"""
WITH_SAMPLES = """\
The folder samples holds what the vehicle measured, a JSON file a trip: one array a channel, t_s in seconds. Of trips
that are not there the samples were removed after the time for which they are kept."""
WITHOUT_SAMPLES = """\
What the vehicle measured in each trip is not in this file, as that is a lot; the command
`python -m fleetflow driver export` writes it too."""


def write_dossier(conn: sa.Connection, driver_id: UUID, target: IO[bytes], *, samples: bool) -> int:
    """Write the ZIP; the number of trips in it. Raises DriverMissingError."""
    check_driver(conn, driver_id)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README.format(samples=WITH_SAMPLES if samples else WITHOUT_SAMPLES))
        for name in dossiers.TABLES:
            columns, rows = dossiers.read_table(conn, name, driver_id)
            archive.writestr(f"{name}.csv", _csv(columns, rows))
            archive.writestr(f"{name}.json", _json(columns, rows))
        trips = [row[0] for row in dossiers.read_table(conn, "trips", driver_id)[1]]
        for trip_id in trips if samples else []:
            text = dossiers.read_sample_text(conn, trip_id)
            if text is not None:
                archive.writestr(f"samples/{trip_id}.json", text)
    return len(trips)


def _csv(columns: list[str], rows: list[tuple[Any, ...]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(columns)
    table.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> object:
    if isinstance(value, str):
        return defuse(value)
    return value.isoformat() if hasattr(value, "isoformat") else value


def _json(columns: list[str], rows: list[tuple[Any, ...]]) -> bytes:
    return orjson.dumps([dict(zip(columns, row, strict=True)) for row in rows], option=orjson.OPT_INDENT_2)
