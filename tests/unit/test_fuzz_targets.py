"""The fuzzer's targets, tried with what hypothesis makes of their seeds: cut, doubled, spoilt, and anything at all."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetflow.importers import import_file
from tests.faults.programs import ROOT
from tests.fuzz.targets import CSV, LATEST, SEEDS, TARGETS

TOKENS = [
    b"", b"\x00", b"\xff", b'"', b"[", b"]", b"{", b"}", b",", b";", b"\n", b"\r", b"NaN", b"1e999", b"-", b"null",
    b"<", b"&x;",
]  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn, name: str) -> bytes:
    """A seed in which some places are cut out or overwritten."""
    data = draw(st.sampled_from(SEEDS[name]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.integers(0, 8))
        put = draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=6)))
        data = data[:at] + put + data[at + gone :]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_a_seed_is_taken(name: str):
    for seed in SEEDS[name]:
        TARGETS[name](seed)


@settings(max_examples=200)
@given(data=st.one_of(spoilt("decoder"), st.binary(max_size=200)))
def test_a_spoilt_trip_is_taken_or_refused(data: bytes):
    TARGETS["decoder"](data)


@settings(max_examples=150)
@given(data=st.one_of(spoilt("importers"), st.binary(max_size=200)))
def test_a_spoilt_file_is_taken_or_refused(data: bytes):
    TARGETS["importers"](data)


def test_a_last_line_that_is_no_text_is_refused_by_its_number():
    found = import_file(CSV + b"2026-01-01T12:00:02Z,\x80", latest=LATEST)
    assert [(row.line, row.reason) for row in found.refusals.kept] == [(4, "is not UTF-8")]


def test_rows_under_a_header_that_opens_a_quote_are_refused_by_their_numbers():
    found = import_file(CSV.replace(b"speed_kmh", b'"_kmh'), latest=LATEST)
    assert [(row.line, row.reason) for row in found.refusals.kept] == [
        (line, "has 3 cells under a header of 2") for line in (2, 3)
    ]
    assert found.drives == []


def test_the_fuzzer_says_what_it_wants():
    answer = subprocess.run(
        [sys.executable, "-m", "tests.fuzz"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode == 1
    assert answer.stderr.strip() == "Which one? python -m tests.fuzz decoder|importers"
