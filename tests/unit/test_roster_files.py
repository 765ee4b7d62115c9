"""The roster as a CSV file: what goes out comes in unchanged, nothing runs as a formula, refusals name the line."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.roster_files import (
    COLUMNS,
    LARGEST_BYTES,
    Change,
    Refusal,
    RosterRefusedError,
    ids_in,
    read_roster,
    write_roster,
)
from fleetflow.safety.profiles import VehicleClass
from fleetflow.spreadsheets import FORMULA_STARTS, defuse, restore

ANN, BOB = str(UUID(int=1)), str(UUID(int=2))
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=100)
CELL = st.none() | TEXT.map(str.strip).filter(bool)
ROW = st.fixed_dictionaries({
    "id": st.uuids().map(str),
    "name": CELL,
    "group_name": CELL,
    "vehicle_class": st.none() | st.sampled_from([each.value for each in VehicleClass]),
})  # fmt: skip
ROSTER = st.lists(ROW, max_size=5, unique_by=lambda row: row["id"])


@given(TEXT)
def test_a_text_comes_back_as_it_was_and_never_begins_as_a_formula(text: str):
    assert restore(defuse(text)) == text
    assert not defuse(text).startswith(FORMULA_STARTS)


@given(ROSTER, st.sampled_from(list(COLUMNS)))
def test_what_is_exported_and_imported_changes_nothing(rows: list[dict[str, str | None]], kind: str):
    found = read_roster(kind, write_roster(kind, rows), rows)
    assert (found.rows, found.changes, found.refusals) == ([], [], [])


@given(ROSTER)
def test_an_export_into_an_empty_roster_makes_the_same_roster(rows: list[dict[str, str | None]]):
    found = read_roster("vehicles", write_roster("vehicles", rows), [])
    assert found.rows == rows


def read(text: str, kind: str = "drivers", known=(), **more):
    return read_roster(kind, text.encode(), known, **more)


def test_an_empty_cell_empties_and_a_column_that_is_not_there_stays():
    known = [{"id": ANN, "name": "Ann", "group_name": "North"}]
    assert read(f"id,name\n{ANN},\n", known=known).rows == [{"id": ANN, "name": None, "group_name": "North"}]
    assert read(f"id,name\n{ANN},Ann\n", known=known).rows == []
    assert read(f"group_name;id\nSouth;{ANN}\n", known=known).changes == [
        Change(ANN, "group_name", "North", "South", is_new=False)
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x,Ann,", "id is not a UUID"),
        (",Ann,", "id is not a UUID"),
        (f"{ANN},{'a' * 201},", "too long"),
        (f"{ANN},Ann,{'a' * 101}", "too long"),
        (f"{ANN},A\0nn,", "cannot be stored"),
        (f"{BOB},Bob,", "in an earlier line"),
        (f"{ANN},Ann,,spaceship", "vehicle_class must be one of"),
    ],
)
def test_a_row_is_refused_with_its_line_and_reason_and_the_others_are_taken(line: str, reason: str):
    found = read(f"id,name,group_name,vehicle_class\n{BOB},Bob,\n\n{line}\n", "vehicles")
    ((number, said),) = [(each.line, each.reason) for each in found.refusals]
    assert number == 4
    assert reason in said
    assert [row["name"] for row in found.rows] == ["Bob"]


def test_a_driver_who_was_erased_is_refused():
    assert read(f"id,name\n{ANN},Ann\n", erased=[ANN]).refusals == [Refusal(2, "this driver was erased")]


@pytest.mark.parametrize("text", ["", "name,group_name\nAnn,North\n", "id,name,name\n", '"id,name\n', "\0\1\2"])
def test_a_file_that_is_no_roster_is_refused_as_a_whole(text: str):
    with pytest.raises(RosterRefusedError):
        read(text)


def test_a_file_that_is_too_large_is_refused():
    with pytest.raises(RosterRefusedError, match="larger than 5 MB"):
        read_roster("drivers", b"x" * (LARGEST_BYTES + 1), [])


def test_a_file_of_an_old_spreadsheet_is_read():
    found = read_roster("drivers", f"id;name\r\n{ANN};Jürgen Größ\r\n".encode("cp1252"), [])
    assert found.rows[0]["name"] == "Jürgen Größ"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes):
    for data in (content, b"id,name\n" + content):
        try:
            read_roster("drivers", data, [])
            ids_in(data)
        except RosterRefusedError:
            continue


def test_the_ids_of_a_file_are_found_whatever_else_is_in_it():
    driver_id = uuid4()
    assert ids_in(f"id,name\nnone,x\n {driver_id} ,y\n".encode()) == [driver_id]
