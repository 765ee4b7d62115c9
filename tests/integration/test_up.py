"""`python -m fleetflow up` with small programs in the places of API, worker and dashboard, on a real Postgres."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from pydantic import SecretStr

from fleetflow.commands.up import check_port
from fleetflow.embedded import find_running
from fleetflow.errors import ConfigurationError
from fleetflow.settings import Settings, local_url
from fleetflow.storage.keys import hash_key
from tests.support.children import children_of, has_ended
from tests.support.ports import free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
SERVER = """
import http.server, os
print("key of {name}:", os.environ.get("FLEETFLOW_API_KEY", ""), flush=True)
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "{path}" else 404)
        self.end_headers()
    def log_message(self, *_):
        pass
http.server.HTTPServer(("127.0.0.1", int(os.environ["FLEETFLOW_{name}_PORT"])), Handler).serve_forever()
"""
WORKER = """
import os, signal, psycopg
with psycopg.connect(os.environ["FLEETFLOW_DATABASE_URL"]) as conn:
    count, user = conn.execute("SELECT (SELECT count(*) FROM telemetry.trip_logs), current_user").fetchone()
others = [name for name in os.environ if name.endswith("_DATABASE_URL") and name != "FLEETFLOW_DATABASE_URL"]
print("as:", user, "knows of", others, "trips:", count, "pid:", os.getpid(), flush=True)
signal.pause()
"""
STAND_INS = {
    "ingest_api": SERVER.format(path="/healthz", name="API"),
    "dashboard": SERVER.format(path="/_stcore/health", name="DASHBOARD"),
    "worker": WORKER,
}
UP = """
import argparse, sys
from fleetflow.bootstrap import report
from fleetflow.commands import up
from fleetflow.errors import FleetFlowError
from fleetflow.settings import local_url, read_settings
up.HEALTHY_TIMEOUT_S = float(sys.argv[1])
try:
    sys.exit(up.run(argparse.Namespace(), read_settings()))
except FleetFlowError as error:
    report(error)
    sys.exit(1)
"""


class Site:
    """A folder to run FleetFlow in, with ports of its own."""

    def __init__(self, folder: Path, data_dir: Path) -> None:
        self.folder = folder
        self.data_dir = data_dir
        self.output = folder / "output"
        self.api_port, self.dashboard_port = free_port(), free_port()
        for name, source in STAND_INS.items():
            (folder / f"{name}.py").write_text(source)

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": str(ROOT),
            "FLEETFLOW_DATA_DIR": str(self.data_dir),
            "FLEETFLOW_API_PORT": str(self.api_port),
            "FLEETFLOW_DASHBOARD_PORT": str(self.dashboard_port),
            "FLEETFLOW_DEMO": "false",
            "FLEETFLOW_DATABASE_URL": "",
            "FLEETFLOW_RABBITMQ_URL": "",
        }

    def start(self, healthy_timeout_s: float = 30, **changes: str) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-c", UP, str(healthy_timeout_s)],
                cwd=self.folder,
                env=self.environment() | changes,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @contextmanager
    def running(self, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
        """FleetFlow, once it has said where it is."""
        process = self.start(30, **changes)
        try:
            wait_until(lambda: "FleetFlow is running" in self.said() or process.poll() is not None, 30)
            assert process.poll() is None, self.said()
            yield process
        finally:
            process.kill()
            process.wait()

    def refused(self, healthy_timeout_s: float = 30) -> str:
        """What a start says that ends by itself."""
        process = self.start(healthy_timeout_s)
        assert process.wait(30) == 1
        return self.said()

    def said(self) -> str:
        return self.output.read_text()

    def pids_of_worker(self) -> list[int]:
        return [int(line.split()[-1]) for line in self.said().splitlines() if "pid:" in line]


@pytest.fixture
def site(tmp_path: Path, data_dir: Path) -> Site:
    return Site(tmp_path, data_dir)


def test_it_starts_everything_says_where_and_ctrl_c_leaves_nothing_behind(site):
    with site.running() as process:
        said = site.said()
        assert f"http://127.0.0.1:{site.api_port}/api/v1/telemetry" in said
        assert f"http://127.0.0.1:{site.dashboard_port}" in said
        assert re.search(r"Sign in as +admin, password (?:[a-z2-9]{5}-){3}[a-z2-9]{5} ", said)
        assert said.startswith("The database was empty; its schema is now at revision")
        wait_until(site.pids_of_worker)
        assert "as: fleetflow_worker_login knows of []" in site.said()
        pids = children_of(process.pid)
        assert len(pids) > 4  # three programs, the postmaster and its own children
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
        assert all(map(has_ended, pids))


def test_a_second_start_finds_the_data_of_the_first(site):
    with site.running() as process:
        with psycopg.connect(find_running(site.data_dir) or "") as conn:
            conn.execute("INSERT INTO telemetry.drivers VALUES (gen_random_uuid(), 'Kept')")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    with site.running(), psycopg.connect(find_running(site.data_dir) or "") as conn:
        assert conn.execute("SELECT name FROM telemetry.drivers").fetchall() == [("Kept",)]
        assert "already; nothing to do." in site.said()
        assert "with the passwords of the first start" in site.said()


def test_a_configured_database_is_used_and_no_embedded_one_started(site, empty_database_url):
    with site.running(FLEETFLOW_DATABASE_URL=empty_database_url) as process:
        wait_until(site.pids_of_worker)
        assert find_running(site.data_dir) is None
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
    with psycopg.connect(empty_database_url) as conn:
        assert conn.execute("SELECT count(*) FROM telemetry.scoring_profiles").fetchone() == (1,)


def test_the_dashboard_alone_is_given_a_key_that_ends_with_the_run(site, empty_database_url):
    for _ in range(2):
        with site.running(FLEETFLOW_DATABASE_URL=empty_database_url, FLEETFLOW_API_KEY="") as process:
            wait_until(lambda: "key of DASHBOARD:" in site.said())
            said = site.said()
            (key,) = re.findall(r"key of DASHBOARD: (ff_\S+)", said)
            assert not re.search(r"key of API: \S", said)
            with psycopg.connect(empty_database_url) as conn:
                good = conn.execute(
                    "SELECT key_hash, scopes FROM telemetry.api_keys WHERE revoked_at IS NULL"
                ).fetchall()
            assert good == [(hash_key(key), ["write"])]
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 0
    with psycopg.connect(empty_database_url) as conn:
        assert conn.execute("SELECT count(*), count(revoked_at) FROM telemetry.api_keys").fetchall() == [(1, 1)]
        logged = conn.execute("SELECT action FROM telemetry.audit_log WHERE subject LIKE 'ff_%' ORDER BY id").fetchall()
    assert logged == [("add_key",), ("revoke_key",)] * 2


def test_a_kill_of_the_supervisor_leaves_nothing_behind(site):
    with site.running() as process:
        pids = children_of(process.pid)
        process.kill()
        wait_until(lambda: all(map(has_ended, pids)), 15)


def test_a_postgres_that_is_killed_comes_back_at_the_same_address(site):
    with site.running():
        url = find_running(site.data_dir)
        pid = int((site.data_dir / "postgres/cluster/postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: has_ended(pid))
        assert wait_until(lambda: find_running(site.data_dir)) == url


def test_a_worker_that_is_killed_comes_back(site):
    with site.running():
        (pid,) = wait_until(site.pids_of_worker)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(site.pids_of_worker()) == 2)
        assert "ended with SIGKILL; starts again in 0.5 s" in site.said()


def test_a_taken_port_is_named_with_the_setting_that_changes_it(site):
    with socket.create_server(("127.0.0.1", site.dashboard_port)):
        said = site.refused().splitlines()
    hint = "end that, or set FLEETFLOW_DASHBOARD_PORT to a free one."
    assert said == [f"Port {site.dashboard_port} is taken by another program: {hint}"]
    assert find_running(site.data_dir) is None


def test_a_second_start_on_the_same_folder_is_refused_in_one_line(site):
    with site.running() as process:
        site.output = site.folder / "second"
        said = site.refused()
        assert said == f"FleetFlow already runs on the data folder {site.data_dir} (process {process.pid}).\n"


def test_a_program_that_never_answers_is_named(site):
    (site.folder / "dashboard.py").write_text("print('no dashboard today')")
    said = site.refused(healthy_timeout_s=1)
    assert "dashboard | no dashboard today\n" in said
    assert "dashboard | ended with exit code 0; starts again in 0.5 s\n" in said
    assert said.endswith("The dashboard did not answer within 1 s; see the output above.\n")


def test_an_address_of_another_machine_is_named_with_its_setting():
    with pytest.raises(ConfigurationError, match=r"192\.0\.2\.1 is no address .* set FLEETFLOW_API_HOST"):
        check_port("192.0.2.1", 8000, "FLEETFLOW_API")
    with pytest.raises(ConfigurationError, match=r"no\.such\.host\.invalid is no address"):
        check_port("no.such.host.invalid", 8000, "FLEETFLOW_API")


def test_the_children_get_exactly_the_settings_of_the_parent(monkeypatch, tmp_path):
    settings = Settings(
        database_url=SecretStr("postgresql://a:b@c/d"), data_dir=tmp_path, demo=False, max_g=7.5, rabbitmq_url=None
    )
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104 - only a text
        ("::", "http://[::1]:80"),
        ("box.example", "http://box.example:80"),
    ],
)
def test_a_listening_address_becomes_one_to_visit(host, url):
    assert local_url(host, 80) == url
