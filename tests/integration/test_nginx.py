"""The proxy as it stands in front of the API: what it lets through, and what it keeps away from it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.faults.programs import ROOT
from tests.support.bad_requests import MANY_HEADERS, VALID
from tests.support.ports import HOST, free_port
from tests.support.waiting import wait_until
from tests.support.wire import Answer, ask, request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin") or shutil.which("nginx")
WITHOUT = NGINX is None and not os.environ.get("CI")
pytestmark = [pytest.mark.postgres, pytest.mark.skipif(WITHOUT, reason="there is no nginx on this machine")]
CONFIGURATION = ROOT / "deploy" / "nginx.conf"
QUICK_S = 1


def made_local(text: str, folder: Path, api_port: int, ports: tuple[int, int]) -> str:
    """The configuration with addresses of this machine, folders of the test's own and short times."""
    for old, new in (
        ("listen 8000;", f"listen {HOST}:{ports[0]};"),
        ("listen 8501;", f"listen {HOST}:{ports[1]};"),
        ("http://api:8000", f"http://{HOST}:{api_port}"),
        ("/tmp/", f"{folder}/"),
        ("_timeout 10s;", f"_timeout {QUICK_S}s;"),
        ("worker_processes auto;", "worker_processes 1;\ndaemon off;"),
    ):
        assert old in text
        text = text.replace(old, new)
    return text


@contextmanager
def running_proxy(folder: Path, api_port: int) -> Iterator[int]:
    """The port at which nginx serves the API."""
    ports = free_port(), free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(made_local(CONFIGURATION.read_text(), folder, api_port, ports))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([NGINX or "", "-p", folder, "-c", configuration], stdout=log, stderr=log)
    try:
        wait_until(lambda: server.poll() is not None or answers(ports[0]), 20, what="nginx")
        assert server.poll() is None, (folder / "log").read_text()
        yield ports[0]
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def proxy(api: httpx.Client, tmp_path: Path) -> Iterator[int]:
    with running_proxy(tmp_path, api.base_url.port or 0) as port:
        yield port


def answers(port: int) -> bool:
    try:
        return ask(port, request(method="GET", path="/metrics")).status == 404
    except OSError:
        return False


def problem(answer: Answer, status: int, code: str) -> None:
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert (json.loads(answer.body)["code"], json.loads(answer.body)["status"]) == (code, status)


def test_the_configuration_is_one_that_nginx_takes(tmp_path: Path):
    answer = subprocess.run(
        [NGINX or "", "-t", "-p", tmp_path, "-c", CONFIGURATION], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def test_trips_go_through_and_the_api_s_refusals_come_back_as_they_are(proxy: int, api: httpx.Client):
    assert ask(proxy, request(VALID)).status == 202
    problem(ask(proxy, request(b"{")), 400, "invalid_json")
    problem(ask(proxy, request(VALID, path="/nothing")), 404, "not_found")
    assert api.get("/metrics").status_code == 200
    problem(ask(proxy, request(method="GET", path="/metrics")), 404, "not_found")


def test_what_is_too_large_never_reaches_the_api(proxy: int):
    problem(ask(proxy, request(Content_Length="20000000")), 413, "body_too_large")
    assert ask(proxy, request(method="GET", X="y" * 100_000)).status == 400
    assert ask(proxy, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + MANY_HEADERS + b"\r\n").status == 400
    assert ask(proxy, request(method="GET", path="/" + "y" * 100_000)).status == 414


@pytest.mark.parametrize("sent", [b"", b"POST /api/v1/tele", request(VALID)[:-10]], ids=["nothing", "head", "body"])
def test_a_client_that_stalls_is_let_go(sent: bytes, proxy: int):
    with socket.create_connection((HOST, proxy), timeout=20) as sock:
        sock.sendall(sent)
        began = time.monotonic()
        try:
            while sock.recv(4096):
                pass
        except ConnectionResetError:
            pass
        assert time.monotonic() - began < 5 * QUICK_S


def test_a_fiftyfirst_connection_of_an_address_is_told_to_wait(proxy: int):
    half = request(VALID)[:-10]
    idle = [socket.create_connection((HOST, proxy)) for _ in range(50)]
    try:
        for each in idle:
            each.sendall(half)

        def refused() -> Answer | None:
            answer = ask(proxy, request(VALID))
            return answer if answer.status == 429 else None

        answer = wait_until(refused, 5, what="a refusal")
        assert answer
        problem(answer, 429, "too_many_requests")
        assert int(answer.headers["retry-after"]) > 0
    finally:
        for each in idle:
            each.close()


def test_an_api_that_is_away_is_a_503_with_a_time_to_come_back(tmp_path: Path):
    with running_proxy(tmp_path, free_port()) as port:
        answer = ask(port, request(VALID))
    problem(answer, 503, "api_unavailable")
    assert answer.headers["retry-after"] == "5"
