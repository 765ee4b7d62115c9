"""Every case of the list of bad uploads: what is said of it, how soon, and which test elsewhere holds the others."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleetflow.importers import FileRefusedError, Import, Mapping, import_file
from fleetflow.trips.columns import fingerprint
from tests.support.bad_files import CORPUS, BadFile, csv

LATEST = datetime(2026, 11, 1, tzinfo=UTC)
BERLIN = Mapping(zone="Europe/Berlin")
PATIENCE_S = 6.0
ELSEWHERE = {
    "U24": "test_a_file_with_a_row_changed_is_shown_as_another_and_overwrites_nothing",
    "U41": "test_an_upload_beside_the_page_is_refused",
    "U42": "test_a_role_does_its_actions_and_no_other_and_each_leaves_one_entry",
    "U43": "test_a_tab_that_is_closed_half_way_leaves_whole_trips_and_a_second_try_doubles_nothing",
    "U44": "test_an_upload_that_loses_its_api_says_how_much_is_stored_until_it_is_sent_again",
    "U45": "test_more_files_than_the_quota_are_refused",
}
NUMBERS = {
    f"U{number:02d}"
    for number in (
        *(1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31, 32, 34, 35),
        *(37, 38, 40, 41, 42, 43, 44, 45),
    )
}


def told_of(found: Import) -> str:
    """All that is said of a file, as its card would."""
    asked = [f"{question.title} {question.evidence}" for question in found.questions]
    refused = [f"line {each.line} {each.column} {each.reason}" for each in found.refusals.kept]
    return "\n".join([found.format, *found.notes, *asked, *refused])


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: f"{file.number} {file.what}")
def test_a_file_that_goes_wrong_is_told_so_in_time(file: BadFile):
    content = file.content()
    began = time.process_time()
    try:
        found = import_file(content, latest=LATEST, defaults=BERLIN)
    except FileRefusedError as error:
        said, trips = str(error), 0
    else:
        said, trips = told_of(found), len(found.drives)
    assert file.said in said
    assert trips == file.trips
    assert time.process_time() - began < PATIENCE_S


def test_every_number_has_its_case_or_its_test():
    assert {file.number for file in CORPUS} | set(ELSEWHERE) == NUMBERS
    tests = "\n".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert [name for name in ELSEWHERE.values() if not re.search(rf"def {name}\(", tests)] == []


def test_what_looks_like_a_formula_or_markup_stays_what_it_is():
    for number, text in (("U27", "=cmd|' /C calc'!A0"), ("U28", "<script>alert(1)</script>")):
        (content,) = (file.content() for file in CORPUS if file.number == number)
        assert {drive.driver for drive in import_file(content, latest=LATEST).drives} == {text}


def test_one_row_changed_makes_another_trip_and_the_same_file_the_same():
    prints = [drive_prints(content) for content in (csv(), csv(), csv().replace(b",51,", b",52,"))]
    assert prints[0] == prints[1] != prints[2]


def drive_prints(content: bytes) -> list[bytes]:
    return [fingerprint(drive.trip) for drive in import_file(content, latest=LATEST).drives]
