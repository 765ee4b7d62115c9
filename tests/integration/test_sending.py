"""Sending trips to the real API, and over a line that breaks."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from fleetflow.__main__ import main
from fleetflow.errors import ConfigurationError
from fleetflow.sending import Fate, Line, Parcel, send_trips, wait_until_scored
from tests.support.ports import free_port
from tests.support.programs import make_settings, running_worker
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


PATIENCE_S = 10.0


class BadLine(BaseHTTPRequestHandler):
    """Answers with the faults it is told, one a request, then as the API does.

    A number is a status, with the Retry-After behind a space; "reset" takes the trip and hangs up, "slow" takes it
    and says nothing until it is sent again.
    """

    faults: ClassVar[list[str]] = []
    keys: ClassVar[list[str | None]] = []
    stored: ClassVar[set[str | None]] = set()
    arrivals: ClassVar[list[float]] = []
    peers: ClassVar[set[tuple[str, int]]] = set()
    sent_again: ClassVar[threading.Event]
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        self.arrivals.append(time.monotonic())
        self.peers.add(self.client_address)
        fault = self.faults.pop(0) if self.faults else ""
        if fault[:1].isdigit():
            status, _, wait_s = fault.partition(" ")
            self._answer(int(status), b"<html>", ("Retry-After", wait_s or "0"))
            return
        known = self.headers["Idempotency-Key"] in self.stored
        self.stored.add(self.headers["Idempotency-Key"])
        if known:
            self.sent_again.set()
        if fault == "slow":
            self.sent_again.wait(PATIENCE_S)
        if fault in {"reset", "slow"}:
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
    BadLine.arrivals, BadLine.peers, BadLine.sent_again = [], set(), threading.Event()
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


def test_an_answer_that_stays_out_is_not_waited_for_and_doubles_no_trip():
    with bad_line("slow") as url:
        report = send_trips([Parcel("a", trip_body())], Line(url, timeout_s=0.2))
    assert report.counts[Fate.DUPLICATE] == 1
    assert BadLine.arrivals[1] - BadLine.arrivals[0] < PATIENCE_S / 2
    assert len(BadLine.stored) == len(set(BadLine.keys)) == 1


def test_a_line_that_stays_broken_is_given_up_after_the_attempts():
    with bad_line(*["503"] * 3) as url:
        report = send_trips([Parcel("a", trip_body())], Line(url, attempts=3))
    assert report.counts[Fate.GAVE_UP] == 1
    assert not report.all_taken
    assert report.failures[0].reasons == (f"{url} answered 503; tried 3 times.",)


def test_a_pause_that_the_api_asks_for_is_kept_in_full():
    with bad_line("429 1") as url:
        report = send_trips([Parcel("a", trip_body())], Line(url))
    assert report.counts[Fate.ACCEPTED] == 1
    assert BadLine.arrivals[1] - BadLine.arrivals[0] >= 1


@pytest.mark.parametrize("status", ["301", "401", "403", "404", "418"])
def test_what_is_not_about_the_trip_is_neither_retried_nor_called_a_refusal(status: str):
    with bad_line(status) as url:
        report = send_trips([Parcel("a", trip_body())], Line(url))
    assert report.counts[Fate.GAVE_UP] == 1
    assert len(BadLine.keys) == 1
    assert f"/api/v1/telemetry answered {status}" in report.failures[0].reasons[0]


@pytest.mark.parametrize("status", ["400", "409", "413", "415"])
def test_what_the_api_refuses_is_never_sent_again(status: str):
    with bad_line(status) as url:
        report = send_trips([Parcel("a", trip_body())], Line(url))
    assert report.counts[Fate.REFUSED] == 1
    assert len(BadLine.keys) == 1


def test_trips_share_the_connections():
    with bad_line() as url:
        report = send_trips((Parcel(str(n), trip_body()) for n in range(60)), Line(url, connections=4))
    assert report.counts[Fate.ACCEPTED] == 60
    assert len(BadLine.peers) <= 4


def test_when_nothing_gets_through_any_more_the_rest_is_not_read():
    read = []

    def parcels() -> Iterator[Parcel]:
        for number in range(10_000):
            read.append(number)
            yield Parcel(str(number), trip_body())

    report = send_trips(parcels(), Line(f"http://127.0.0.1:{free_port()}", connections=2, attempts=1))
    assert report.stopped
    assert report.counts[Fate.GAVE_UP] < 10
    assert len(read) < 20


def test_a_fault_of_the_reading_ends_the_sending():
    def parcels() -> Iterator[Parcel]:
        yield Parcel("a", trip_body())
        raise RuntimeError("the disk is gone")

    with bad_line() as url, pytest.raises(RuntimeError, match="the disk is gone"):
        send_trips(parcels(), Line(url))


def test_a_slow_source_holds_up_no_trip_that_is_under_way():
    first_is_taken = threading.Event()

    def parcels() -> Iterator[Parcel]:
        yield Parcel("a", trip_body())
        assert first_is_taken.wait(10), "the first trip waits for the second to be read"
        yield Parcel("b", trip_body())

    with bad_line() as url:
        report = send_trips(parcels(), Line(url, on_outcome=lambda _: first_is_taken.set()))
    assert report.counts[Fate.ACCEPTED] == 2


@pytest.mark.postgres
def test_a_trip_above_the_limit_on_bodies_goes_packed(api: httpx.Client):
    point = {"speed_kmh": 50, "g_force_long": 0.1, "g_force_lat": 0.0, "latitude": 52.123456, "longitude": 9.654321}
    body = trip_body([point] * 120_000)
    assert len(body) > make_settings().max_body_bytes
    report = send_trips([Parcel("long", body)], Line(address(api)))
    assert report.counts[Fate.ACCEPTED] == 1


@pytest.mark.postgres
def test_trips_come_through_a_pipe_as_csv(api: httpx.Client):
    rows = "".join(f"50,0.1,{trip}\n" for trip in range(3) for _ in range(5))
    command = [sys.executable, "-m", "fleetflow", "send", "-", "--url", address(api), "--sample-hz", "10"]
    ids = ["--vehicle-id", str(uuid.uuid4()), "--driver-id", str(uuid.uuid4())]
    text = "speed_kmh,g_force_long,trip\n" + rows.replace("50,0.1,1", "51,0.1,1").replace("50,0.1,2", "52,0.1,2")
    done = subprocess.run([*command, *ids], input=text, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "3 accepted, 0 duplicate, 0 refused, 0 gave up\n"), done.stderr


@pytest.mark.postgres
def test_a_refused_trip_is_told_by_file_and_line_and_the_others_go(
    api: httpx.Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "trips.ndjson"
    path.write_bytes(b"\n".join([trip_body(), trip_body([{}]), b"{oops", trip_body()]))
    assert main(["send", str(path), str(tmp_path / "none.csv"), "--url", address(api)]) == 1
    shown = capsys.readouterr()
    assert shown.out == "2 accepted, 0 duplicate, 3 refused, 0 gave up\n"
    assert f"{path}:2: data[0].speed_kmh is required\n" in shown.err
    assert f"{path}:3: is not JSON" in shown.err
    assert "none.csv: cannot be read: No such file" in shown.err


@pytest.mark.postgres
def test_waiting_for_trips_nobody_scores_ends_with_their_status(api: httpx.Client):
    report = send_trips([Parcel("a", trip_body())], Line(address(api)))
    unknown = str(uuid.uuid4())
    statuses = wait_until_scored(address(api), [*report.trip_ids, unknown], patience_s=0.3)
    assert statuses == {report.trip_ids[0]: "PENDING", unknown: "unknown"}


@pytest.mark.parametrize("url", ["foo", "ftp://host", "http://", "http://[::1", "http://host:port"])
def test_what_is_no_address_is_said_at_once(url: str):
    with pytest.raises(ConfigurationError, match="not an address"):
        send_trips([Parcel("a", trip_body())], Line(url))


def test_an_api_that_is_not_there_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "trip.json"
    path.write_bytes(trip_body())
    assert main(["send", str(path), "--attempts", "1", "--url", f"http://127.0.0.1:{free_port()}"]) == 1
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.postgres
def test_simulated_trips_go_from_file_to_score_by_two_commands(
    api: httpx.Client, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    trips, truth = tmp_path / "trips.ndjson", tmp_path / "truth.ndjson"
    simulate = ["simulate", "--trips", "6", "--minutes", "10", "--drivers", "2"]
    assert main([*simulate, "--output", str(trips), "--truth", str(truth)]) == 0
    with running_worker(make_settings(), database_url):
        assert main(["send", str(trips), "--wait", "--url", address(api)]) == 0
    assert "6 accepted, 0 duplicate, 0 refused, 0 gave up" in capsys.readouterr().out
    assert len(trips.read_bytes().splitlines()) == 6
    kinds = {line.split(b'"kind":"')[1].split(b'"')[0] for line in truth.read_bytes().splitlines()}
    assert kinds <= {b"braking", b"acceleration", b"cornering", b"speeding"}
