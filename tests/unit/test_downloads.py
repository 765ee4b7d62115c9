"""What leaves the dashboard: workbooks that a spreadsheet reads as it should, and a report on one page."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from dashboard import downloads, driver_report, paper
from dashboard.changing import Explanation
from dashboard.driver_report import Content, Note, Rate

TABLE = pd.DataFrame(
    {
        "driver_id": ["a", "b"],
        "name": ["=HYPERLINK(1)", None],
        "began_at": pd.to_datetime(["2026-11-17T07:42:00Z", None]),
        "distance_km": [12.345, float("nan")],
        "points_per_100_km": [float("inf"), 1.0],
        "trips": [3, 4],
        "tied": [True, False],
    }
)


def rows_of(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()


def sheet_xml(content: bytes) -> str:
    return zipfile.ZipFile(BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()


def test_a_workbook_has_typed_cells_under_headers_that_name_the_units():
    head, first, second = rows_of(downloads.to_xlsx(TABLE))
    assert head == [
        "Driver id", "Name", "Began, UTC", "Distance, km", "Points, per 100 km", "Trips", "Tied"
    ]  # fmt: skip
    assert first == ["a", "=HYPERLINK(1)", datetime.fromisoformat("2026-11-17T07:42"), 12.345, "", 3, True]
    assert second == ["b", "", "", "", 1, 4, False]


def test_the_header_stays_in_sight_and_no_column_is_too_narrow_for_it():
    xml = sheet_xml(downloads.to_xlsx(TABLE))
    assert 'state="frozen"' in xml
    assert 'ySplit="1"' in xml
    spans = re.findall(r'<col min="(\d+)" max="(\d+)" width="([\d.]+)"', xml)
    assert sum(int(last) - int(first) + 1 for first, last, _ in spans) == len(TABLE.columns)
    assert all(float(width) >= downloads.NARROWEST for _, _, width in spans)


FORMULAS = st.sampled_from(["=", "+", "-", "@", "{=", "\t=", "http://", "mailto:"])


@settings(max_examples=30)
@given(st.lists(st.tuples(FORMULAS, st.text(st.characters(exclude_categories=["Cs", "Cc"]))), min_size=1, max_size=5))
def test_text_stays_text_and_is_read_back_as_it_was(parts):
    texts = ["".join(part) for part in parts]
    content = downloads.to_xlsx(pd.DataFrame({"note": texts}))
    assert "<f>" not in sheet_xml(content)
    assert "hyperlink" not in sheet_xml(content)
    assert [row[0] for row in rows_of(content)[1:]] == texts


def test_a_table_without_rows_and_a_text_beyond_what_a_cell_holds_are_written():
    assert rows_of(downloads.to_xlsx(TABLE[:0]))[0][0] == "Driver id"
    long = downloads.to_xlsx(pd.DataFrame({"note": ["x" * 40_000]}))
    assert len(str(rows_of(long)[1][0])) == downloads.LONGEST_CELL


@pytest.mark.parametrize(
    ("column", "said"),
    [("distance_km", "Distance, km"), ("speed_kmh", "Speed, km/h"), ("trips", "Trips"), ("per_100_km", "Per 100 km")],
)
def test_a_header_says_what_a_column_holds(column, said):
    assert downloads.header(column) == said


WEEKS = pd.DataFrame(
    {
        "week": pd.date_range("2026-09-07", periods=3, freq="7D"),
        "points": [14.0, 22.0, 18.0], "points_low": [8.0, 13.0, 12.0], "points_high": [22.0, 34.0, 28.0],
    }
)  # fmt: skip
FULL = Content(
    name="Marta Kovač",
    facts=["Harbour · light commercial", "26 Oct – 22 Nov 2026 · times in Europe/Berlin", "Scored under profile 2"],  # noqa: RUF001
    figures=[("Rank", "4 of 37", "likely 2 to 12"), ("Points per 100 km", "15.9", "90 %: 10.9 to 21.6")],
    weeks=WEEKS,
    fleet=WEEKS[["week"]].assign(q1=5.0, median=8.0, q3=12.0),
    rates=[Rate("braking", "▼", "Harsh braking", 15, 2.35, 1.27)],
    explained=Explanation(185, {"Driving": -30, "Profile": 4}, 159),
    compared="28 days before and now",
    change="No clear change · 74 % likely better",
    notes=[Note("13 Nov 2026", "Talked through three hard brakes.", "21.6 before, 14.0 after.")] * 5,
    trip_columns=["Began", "Vehicle", "Score", "Harsh events", "Distance", "Duration"],
    trips=[["14 Nov 2026, 13:49", "Van 02", "85", "3", "27.5 km", "42 min"]] * 9,
    printed="Printed Wed 25 Nov 2026, 21:20, times in UTC.",
)
EMPTY = replace(FULL, weeks=WEEKS[:0], fleet=FULL.fleet[:0], explained=None, notes=[], trips=[], figures=[])


def test_a_report_is_one_page_that_says_how_sure_it_is_with_its_fonts_in_it():
    reader = PdfReader(BytesIO(driver_report.render(FULL)))
    text = reader.pages[0].extract_text()
    assert len(reader.pages) == 1
    for said in ("Marta Kovač", "90 %: 10.9 to 21.6", "times in Europe/Berlin", "profile 2", "74 % likely better"):
        assert said in text
    assert driver_report.render(FULL).count(b"/FontFile2") == 2
    assert reader.metadata is not None
    assert "Marta Kovač" in str(reader.metadata.title)


@pytest.mark.parametrize(
    "name", ["", " ", "<b>x</b>", "张伟", "👩‍🚚", "x\x00\n\r\ty", "\u202eevil", "W" * 400, "**a__b", "(\\)%"]
)
def test_no_name_breaks_the_report(name):
    notes = [Note(name, name * 20, name)] * 5
    odd = replace(FULL, name=name, facts=[name] * 9, notes=notes, trips=[[name] * 6] * 9, change=name)
    assert len(PdfReader(BytesIO(driver_report.render(odd))).pages) == 1


def test_a_report_of_nothing_is_a_page():
    text = PdfReader(BytesIO(driver_report.render(EMPTY))).pages[0].extract_text()
    assert "No driving in these weeks." in text
    assert "74 % likely better" in text


@given(st.floats(1e-3, 1e5))
def test_ticks_are_round_and_few(highest):
    found = paper.ticks(highest)
    assert 2 <= len(found) <= 6
    assert found[0] == 0
    assert highest / 2.6 < found[-1] <= highest * (1 + 1e-6)
