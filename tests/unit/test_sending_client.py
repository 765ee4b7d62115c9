"""How long sending pauses, and what an answer means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetflow.sending.client import LONGEST_ASKED_S, LONGEST_PAUSE_S, open_client, pause_s, retry_after_s
from fleetflow.sending.outcomes import Fate, Outcome, SendReport, read_outcome

REQUEST = httpx.Request("POST", "http://api/api/v1/telemetry")


def answer(status: int, **more: object) -> httpx.Response:
    return httpx.Response(status, request=REQUEST, **more)  # type: ignore[arg-type]


@given(st.integers(0, 10_000), st.floats(0, 1e6))
def test_a_pause_is_never_shorter_than_asked_for_and_never_endless(attempt: int, asked_s: float):
    pause = pause_s(attempt, asked_s)
    assert min(asked_s, LONGEST_ASKED_S) < pause <= LONGEST_ASKED_S + LONGEST_PAUSE_S


def test_pauses_grow_and_differ():
    assert max(pause_s(0) for _ in range(50)) <= 0.2
    assert min(pause_s(4) for _ in range(50)) >= 1.6
    assert len({pause_s(3) for _ in range(50)}) > 1


@pytest.mark.parametrize(
    ("header", "least_s", "most_s"),
    [("5", 5, 5), ("", 0, 0), ("soon", 0, 0), ("-3", 0, 0), ("\u00b2", 0, 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0)],
)
def test_retry_after_may_be_anything(header: str, least_s: float, most_s: float):
    assert least_s <= retry_after_s(answer(503, headers={"Retry-After": header.encode("latin-1")})) <= most_s


def test_retry_after_may_be_a_date():
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < retry_after_s(answer(503, headers={"Retry-After": date})) <= 30


@pytest.mark.parametrize("errors", [None, 5, [], [5], [{}], [{"path": 3}], {"path": "x"}])
def test_an_answer_in_no_known_form_is_still_a_refusal(errors: object):
    outcome = read_outcome("a", answer(400, json={"detail": "No.", "errors": errors}))
    assert outcome.fate is Fate.REFUSED
    assert outcome.reasons


def test_a_page_that_says_200_is_not_a_trip_taken():
    outcome = read_outcome("a", answer(200, html="<p>Welcome"))
    assert (outcome.fate, outcome.reasons) == (
        Fate.GAVE_UP,
        ("http://api/api/v1/telemetry answered 200: OK",),
    )


def test_a_report_counts_every_failure_and_keeps_the_first():
    report = SendReport()
    for number in range(3000):
        report.add(Outcome(str(number), Fate.REFUSED))
    assert report.counts[Fate.REFUSED] == 3000
    assert len(report.failures) == 1000


@pytest.mark.parametrize(
    ("url", "trusts"),
    [
        ("http://127.0.0.1:8000", False),
        ("http://localhost", False),
        ("http://[::1]:1", False),
        ("https://api.example", True),
    ],
)
def test_a_configured_proxy_is_not_asked_for_the_own_machine(url: str, *, trusts: bool):
    assert open_client(url, 1).trust_env is trusts
