"""Sending trips to the real API, and over a line that breaks."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from fleetflow.__main__ import main
from fleetflow.sending import Fate, Line, Parcel, send_trips, wait_until_scored
from tests.support.programs import make_settings, running_worker
from tests.support.rabbitmq import free_port
from tests.support.trips import trip_body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


def address(api: httpx.Client) -> str:
    return str(api.base_url).rstrip("/")


@pytest.mark.postgres
def test_every_trip_is_told_apart_as_accepted_duplicate_or_refused(api: httpx.Client):
    body = trip_body()
    parcels = [
        Parcel("a", body),
        Parcel("b", trip_body([{}])),
        Parcel("c", error="is not JSON"),
        Parcel("d", trip_body()),
    ]
    report = send_trips(parcels, Line(address(api), connections=1))
    again = send_trips([Parcel("a", body)], Line(address(api)))
    assert report.counts == {Fate.ACCEPTED: 2, Fate.DUPLICATE: 0, Fate.REFUSED: 2, Fate.GAVE_UP: 0}
    assert [(failure.source, failure.reasons) for failure in report.failures] == [
        ("b", ("data[0].speed_kmh is required", "data[0].g_force_long is required")),
        ("c", ("is not JSON",)),
    ]
    assert again.counts[Fate.DUPLICATE] == 1


@pytest.mark.postgres
def test_sent_trips_can_be_waited_for(api: httpx.Client, database_url: str):
    report = send_trips((Parcel(str(n), trip_body()) for n in range(30)), Line(address(api)))
    with running_worker(make_settings(), database_url):
        statuses = wait_until_scored(address(api), report.trip_ids, patience_s=20)
    assert set(statuses.values()) == {"COMPLETED"}
    assert len(statuses) == 30


class BadLine(BaseHTTPRequestHandler):
    """Answers 503, then takes a trip and hangs up, then answers."""

    faults: ClassVar[list[str]] = []
    keys: ClassVar[list[str | None]] = []
    stored: ClassVar[set[str | None]] = set()
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "503":
            self._answer(503, b"", ("Retry-After", "0"))
            return
        known = self.headers["Idempotency-Key"] in self.stored
        self.stored.add(self.headers["Idempotency-Key"])
        if fault == "reset":
            self.close_connection = True
            self.connection.close()
            return
        self._answer(202, b'{"trip_id": "t", "duplicate": %s}' % str(known).lower().encode())

    def _answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def bad_line(*faults: str) -> Iterator[str]:
    BadLine.faults, BadLine.keys, BadLine.stored = list(faults), [], set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), BadLine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_retry_carries_the_same_key_and_never_doubles_a_trip():
    body = trip_body()
    with bad_line("503", "reset") as url:
        report = send_trips([Parcel("a", body)], Line(url, connections=1))
    assert report.counts[Fate.DUPLICATE] == 1
    assert BadLine.keys == [hashlib.sha256(body).hexdigest()] * 3
    assert len(BadLine.stored) == 1


def test_a_line_that_stays_broken_is_given_up_after_the_attempts():
    with bad_line(*["503"] * 3) as url:
        report = send_trips([Parcel("a", trip_body())], Line(url, attempts=3))
    assert report.counts[Fate.GAVE_UP] == 1
    assert report.failures[0].reasons == (f"{url} answered 503; tried 3 times.",)


def test_an_api_that_is_not_there_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "trip.json"
    path.write_bytes(trip_body())
    assert main(["send", str(path), "--attempts", "1", "--url", f"http://127.0.0.1:{free_port()}"]) == 1
    assert "does not answer" in capsys.readouterr().out


@pytest.mark.postgres
def test_simulated_trips_go_from_file_to_score_by_two_commands(
    api: httpx.Client, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    trips, truth = tmp_path / "trips.ndjson", tmp_path / "truth.ndjson"
    assert (
        main(
            [
                "simulate",
                "--trips",
                "6",
                "--minutes",
                "10",
                "--drivers",
                "2",
                "--output",
                str(trips),
                "--truth",
                str(truth),
            ]
        )
        == 0
    )
    with running_worker(make_settings(), database_url):
        assert main(["send", str(trips), "--wait", "--url", address(api)]) == 0
    assert "6 accepted, 0 duplicate, 0 refused, 0 gave up" in capsys.readouterr().out
    assert len(trips.read_bytes().splitlines()) == 6
    kinds = {line.split(b'"kind":"')[1].split(b'"')[0] for line in truth.read_bytes().splitlines()}
    assert kinds <= {b"braking", b"acceleration", b"cornering", b"speeding"}
