"""The embedded server: a child of one owner, who holds the data folder's lock, on a port of its own."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
from typing import IO, TYPE_CHECKING, Self

import psycopg
import structlog

from fleetflow import processes
from fleetflow.embedded.cluster import DATABASE, HOST, DataFolder, create_cluster, major_of, write_private
from fleetflow.embedded.leftovers import STOP_STEPS, stop_leftovers
from fleetflow.embedded.programs import Identity, environment, find_identity, find_programs
from fleetflow.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from fleetflow.embedded.programs import Programs

log = structlog.get_logger(__name__)

START_TIMEOUT_S = 120.0
"""Long, because recovery after a crash replays up to `max_wal_size`."""
START_ATTEMPTS = 3
LOG_LIMIT_BYTES = 10_000_000

SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "wal_compression": "pglz",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_checkpoints": "off",
    "cluster_name": "fleetflow",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_running(data_dir: Path) -> str | None:
    """The URL of the embedded Postgres that runs on this data folder, or None.

    Both sides prove that they know the folder's password, so neither a stale file nor another program on the
    port is taken for it.
    """
    folder = DataFolder(data_dir.absolute())
    lines = folder.postmaster()
    try:
        url = folder.url(int(lines[3]))
        psycopg.connect(url, connect_timeout=2, require_auth="scram-sha-256").close()
    except (IndexError, ValueError, OSError, psycopg.OperationalError):
        return None
    return url


class EmbeddedPostgres:
    """A Postgres for one owner at a time: `with EmbeddedPostgres(data_dir) as server: use(server.url)`.

    Raises ConfigurationError in one line when the folder is in use or Postgres cannot start. `durable=False`
    gives up the data's safety for speed, for tests.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.folder = DataFolder(data_dir.absolute())
        self._durable = durable
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """postgresql://user:password@host:port/database; it outlives a restart of the server by its owner."""
        return self.folder.url(self._port)

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Take the folder, make the cluster when there is none, and run the server until it answers."""
        self._take_folder()
        try:
            identity = find_identity()
            identity.own(self.folder.root)
            stop_leftovers(self.folder)
            create_cluster(self.folder, identity, durable=self._durable)
            identity.own(self.folder.home)
            self._run(identity, _remembered_port(self.folder), any_port=True)
            create_database(self.folder.url(self._port, "postgres"))
        except BaseException:
            self.stop()
            raise

    def restart_if_ended(self) -> bool:
        """Start the server again, on the same port, if it was killed; whether it had to be."""
        if self.pid is not None:
            return False
        stop_leftovers(self.folder)
        self._run(find_identity(), self._port, any_port=False)
        return True

    def stop(self) -> None:
        """Shut the server down, then let go of the folder."""
        if self._process is not None:
            processes.stop(self._process, STOP_STEPS)
            self._process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_folder(self) -> None:
        try:
            self.folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"The data folder {self.folder.root} cannot be written: {error.strerror}."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise ConfigurationError(
                f"FleetFlow already runs on the data folder {self.folder.root} (process {owner})."
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._lock = descriptor

    def _run(self, identity: Identity, port: int, *, any_port: bool) -> None:
        programs = find_programs(major_of(self.folder))
        for attempt in range(START_ATTEMPTS):
            self._port = _free_port(port) if any_port else port
            self._process = self._spawn(programs, identity)
            if self._wait_until_ready(self._process):
                write_private(self.folder.port, str(self._port))
                return
            log.warning("postgres did not start", attempt=attempt + 1, port=self._port)
        raise ConfigurationError(f"The embedded PostgreSQL did not start: {_last_words(self.folder.log)}")

    def _spawn(self, programs: Programs, identity: Identity) -> subprocess.Popen[bytes]:
        settings = SETTINGS | {"port": str(self._port)} | ({} if self._durable else NOT_DURABLE)
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        server = [str(programs.folder / "postgres"), "-D", str(self.folder.cluster), *options]
        # The guard comes after the change of user, which would clear it.
        command = [*identity.prefix, *processes.die_with_parent(server, "INT")]
        with _open_log(self.folder.log) as output:
            return subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd="/",
                env=environment(),
            )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        def is_settled() -> bool:
            return process.poll() is not None or _is_ready(self.folder.postmaster(), process.pid)

        if not processes.wait_for(is_settled, START_TIMEOUT_S):
            raise ConfigurationError(
                f"The embedded PostgreSQL is not ready after {START_TIMEOUT_S:.0f} s; see {self.folder.log}."
            )
        return process.poll() is None


def create_database(admin_url: str) -> None:
    """Make FleetFlow's database when the cluster has none yet."""
    with psycopg.connect(admin_url, autocommit=True) as conn:
        found = conn.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            conn.execute(f'CREATE DATABASE "{DATABASE}"')


def _is_ready(postmaster: list[str], pid: int) -> bool:
    return postmaster[:1] == [str(pid)] and postmaster[-1].strip() == "ready"


def _remembered_port(folder: DataFolder) -> int:
    try:
        return int(folder.port.read_text())
    except (OSError, ValueError):
        return 0


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigurationError(f"No port is free on {HOST}.")


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _last_words(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()[-20:]
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line or "error" in line]
    return f"{(fatal or lines or ['no reason given'])[-1]} (log: {path})"
