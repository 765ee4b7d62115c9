"""What leaves the dashboard as a file: tables as CSV and as Excel workbooks. Nothing in them runs as a formula.

Every file is made when somebody asks for it, and the audit log then says who; see acting.note_download.
"""

from __future__ import annotations

from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd
import streamlit as st
import xlsxwriter

from fleetflow.spreadsheets import defuse

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_CELL = 32_767  # characters, what Excel holds
NARROWEST, WIDEST = 9, 44  # characters
NOTER = "note_download"
"""Where the app leaves what notes a download of the page that it draws."""
SAMPLED_ROWS = 500
"""How many rows decide a column's width."""
DATE_FORMAT, DAY_FORMAT = "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
UNITS = {
    "per_100_km": "per 100 km",
    "_km": "km",
    "_kmh": "km/h",
    "_s": "s",
    "_g": "g",
    "_hz": "Hz",
    "_at": "UTC",
}
"""What the end of a column's name says of its values; the longest that fits decides."""


class Noter(Protocol):
    """What the audit log is told by."""

    def __call__(self, file_name: str, size: int) -> None:
        """Note that a file leaves. Raises AccessDeniedError; then it must not."""


def footer(frame: pd.DataFrame, note: str, file_name: str) -> None:
    """The line under a table: what is shown, and all of it as `file_name`, a CSV, and as a workbook beside it."""
    name = file_name.removesuffix(".csv")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(note, width="content")
        st.space("stretch")
        buttons(lambda: frame, name)


def buttons(read: Callable[[], pd.DataFrame], name: str, help: str | None = None) -> None:  # noqa: A002
    """A frame as CSV and as a workbook, read when somebody asks for it."""
    button("CSV", lambda: to_csv(read()), f"{name}.csv", "text/csv", help=help)
    button("Excel", lambda: to_xlsx(read()), f"{name}.xlsx", XLSX_TYPE, help=help)


def button(label: str, content: Callable[[], bytes], file_name: str, mime: str, **look: Any) -> None:
    """The one way out for a file. It is made in a thread that knows no session, so who asks is settled here."""
    note: Noter = st.session_state[NOTER]
    look = {"type": "tertiary", "icon": ":material/download:", "key": f"download_{file_name}", **look}
    st.download_button(
        label, partial(_handed_out, content, note, file_name), file_name, mime, on_click="ignore", **look
    )


def _handed_out(content: Callable[[], bytes], note: Noter, file_name: str) -> bytes:
    made = content()
    note(file_name, len(made))
    return made


def to_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 with a mark that spreadsheets understand; text that one would run as a formula is quoted."""
    text = frame.select_dtypes(include=["object", "string"]).columns
    safe = frame.assign(**{name: frame[name].map(_defuse, na_action="ignore") for name in text})
    return safe.to_csv(index=False, float_format="%.6g", date_format="%Y-%m-%dT%H:%M:%SZ").encode("utf-8-sig")


def _defuse(value: object) -> object:
    return defuse(value) if isinstance(value, str) else value


def to_xlsx(frame: pd.DataFrame) -> bytes:
    """One sheet: a header that stays in sight and names units, cells of their types, text never anything but text."""
    content = BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet("FleetFlow")
        head = book.add_format({"bold": True, "bottom": 1})
        moment = book.add_format({"num_format": DATE_FORMAT, "align": "left"})
        sheet.write_row(0, 0, [header(name) for name in frame.columns], head)
        for place, name in enumerate(frame.columns):
            _write_column(sheet, place, frame[name], moment)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(frame), 1), max(len(frame.columns) - 1, 0))
    return content.getvalue()


def header(column: Hashable) -> str:
    """What a column's name says to people: `distance_km` becomes Distance, km."""
    name = str(column)
    ending = max((each for each in UNITS if name.endswith(each)), key=len, default="")
    plain = name.removesuffix(ending).replace("_", " ").strip()
    text = ", ".join(each for each in (plain, UNITS.get(ending, "")) if each)
    return f"{text[:1].upper()}{text[1:]}"


def _write_column(sheet: Worksheet, place: int, column: pd.Series[Any], moment: Format) -> None:
    values = _plain(column)
    write = {"M": sheet.write_datetime, "b": sheet.write_boolean}.get(column.dtype.kind) or (
        sheet.write_number if column.dtype.kind in "iuf" else _write_text(sheet)
    )
    form = (moment,) if column.dtype.kind == "M" else ()
    for row, value in enumerate(values, start=1):
        if value is not None:
            write(row, place, value, *form)
    longest = max((len(_said(value)) for value in values[:SAMPLED_ROWS]), default=0)
    width = max(longest, len(header(column.name or "")) + 2)
    sheet.set_column(place, place, min(max(width, NARROWEST), WIDEST))


def _write_text(sheet: Worksheet) -> Callable[[int, int, object], int]:
    return lambda row, place, value: sheet.write_string(row, place, str(value)[:LONGEST_CELL])


def _plain(column: pd.Series[Any]) -> list[Any]:
    """The values as Python has them; None where there is nothing. A moment becomes UTC's, for Excel knows no zones."""
    if column.dtype.kind == "M":
        utc = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
        return [None if pd.isna(each) else each.to_pydatetime(warn=False) for each in utc]
    missing = column.isna() | column.isin([float("inf"), float("-inf")])
    return [None if gone else value for value, gone in zip(column.tolist(), missing, strict=True)]


def _said(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
