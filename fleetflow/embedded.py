"""The Postgres that comes with pip, run as a child of one owner; its data folder is complete or does not count.

Data folder: `lock` (held by the owner), `postgres/` with the cluster, its password and port, and `postgres.log`.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import psycopg
import structlog

from fleetflow import processes
from fleetflow.errors import ConfigurationError
from fleetflow.postgres_programs import BUILTIN_LOCALE_MAJOR, Identity, find_identity, find_programs

if TYPE_CHECKING:
    from fleetflow.postgres_programs import Programs

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
USER = "fleetflow"
DATABASE = "fleetflow"
START_TIMEOUT_S = 120.0
"""Long, because recovery after a crash replays up to `max_wal_size`."""
START_ATTEMPTS = 3
INITDB_TIMEOUT_S = 120.0
LOG_LIMIT_BYTES = 10_000_000
STOP_STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0))
"""Fast shutdown, then immediate shutdown (recovery at the next start), in seconds of patience."""

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


@dataclass(frozen=True)
class DataFolder:
    """Where the parts of an embedded Postgres lie."""

    root: Path

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def home(self) -> Path:
        return self.root / "postgres"

    @property
    def cluster(self) -> Path:
        return self.home / "cluster"

    @property
    def password(self) -> Path:
        return self.home / "password"

    @property
    def port(self) -> Path:
        return self.home / "port"

    def url(self, port: int, database: str = DATABASE) -> str:
        """The address to connect to, password included."""
        return f"postgresql://{USER}:{self.password.read_text()}@{HOST}:{port}/{database}"

    def postmaster(self) -> list[str]:
        """The lines of postmaster.pid (pid, folder, start, port, socket, address, shared memory, state), or none."""
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []


def find_running(data_dir: Path) -> str | None:
    """The URL of the embedded Postgres that runs on this data folder, or None.

    Both sides prove that they know the folder's password, so a stale file or another program on the port is no match.
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

    Raises ConfigurationError in one line when the folder is in use or Postgres cannot start. `durable=False` gives up
    the data's safety for speed, for tests.
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
        """postgresql://user:password@host:port/database; the same after a restart of the server in this process."""
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
            self._run(find_programs(_major_of(self.folder)), identity)
            create_database(self.folder.url(self._port, "postgres"))
        except BaseException:
            self.stop()
            raise

    def restart_if_ended(self) -> bool:
        """Start the server again, on the same port, if it was killed; whether it had to be."""
        if self.pid is not None:
            return False
        stop_leftovers(self.folder)
        self._run(find_programs(_major_of(self.folder)), find_identity())
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

    def _run(self, programs: Programs, identity: Identity) -> None:
        for attempt in range(START_ATTEMPTS):
            self._port = _free_port(self._port or _remembered_port(self.folder))
            self._process = self._spawn(programs, identity)
            if self._wait_until_ready(self._process):
                _write_private(self.folder.port, str(self._port))
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
                env=_environment(),
            )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> bool:
        def is_settled() -> bool:
            return process.poll() is not None or _is_ready(self.folder.postmaster(), process.pid)

        if not processes.wait_for(is_settled, START_TIMEOUT_S):
            raise ConfigurationError(
                f"The embedded PostgreSQL is not ready after {START_TIMEOUT_S:.0f} s; see {self.folder.log}."
            )
        return process.poll() is None


def create_cluster(folder: DataFolder, identity: Identity, *, durable: bool) -> None:
    """Make a cluster with a password of its own beside it, and put it in place in one step; nothing if there is one."""
    for abandoned in folder.root.glob("postgres.new-*"):
        shutil.rmtree(abandoned)
    if folder.home.exists():
        return
    new = DataFolder(Path(tempfile.mkdtemp(prefix="postgres.new-", dir=folder.root)))
    _write_private(new.root / "password", secrets.token_urlsafe(24))
    identity.own(new.root)
    _initdb(new.root, identity, durable=durable)
    if durable:
        _sync(new.root)
    new.root.rename(folder.home)
    if durable:
        _sync(folder.root)


def _initdb(home: Path, identity: Identity, *, durable: bool) -> None:
    programs = find_programs()
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if programs.major >= BUILTIN_LOCALE_MAJOR else []
    command = [
        *identity.prefix,
        str(programs.folder / "initdb"),
        f"--pgdata={home / 'cluster'}",
        f"--username={USER}",
        f"--pwfile={home / 'password'}",
        "--auth=scram-sha-256",
        "--data-checksums",
        "--encoding=UTF8",
        "--locale=C",
        *locale,
        *([] if durable else ["--no-sync"]),
    ]
    answer = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, timeout=INITDB_TIMEOUT_S, check=False, cwd="/", env=_environment()
    )
    if answer.returncode != 0:
        reason = (answer.stderr.strip() or answer.stdout.strip()).splitlines()
        raise ConfigurationError(f"A new PostgreSQL cluster in {home.parent} failed: {' '.join(reason[:2])}")


def create_database(admin_url: str) -> None:
    """Make FleetFlow's database when the cluster has none yet."""
    with psycopg.connect(admin_url, autocommit=True) as conn:
        found = conn.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if found is None:
            conn.execute(f'CREATE DATABASE "{DATABASE}"')


def stop_leftovers(folder: DataFolder) -> None:
    """End what a dead owner left running on this cluster, and forget a postmaster.pid whose id is somebody else's now.

    Only the folder's owner may call this: whoever still runs here is an orphan.
    """
    for signum, patience_s in (*STOP_STEPS, (signal.SIGKILL, 5.0)):
        orphans = _postgres_on(folder)
        for pid in orphans:
            processes.send_signal(pid, signum)
        if processes.wait_for(lambda: not _postgres_on(folder), patience_s):
            break
    if any(line.lstrip("-").isdigit() and processes.is_alive(abs(int(line))) for line in folder.postmaster()[:1]):
        (folder.cluster / "postmaster.pid").unlink()


def _postgres_on(folder: DataFolder) -> list[int]:
    if sys.platform == "linux":
        return [int(each.name) for each in Path("/proc").glob("[0-9]*") if _is_postgres_in(each, folder.cluster)]
    pids = [line for line in folder.postmaster()[:1] if line.isdigit()]
    return [int(pid) for pid in pids if "postgres" in _ps(pid)]


def _is_postgres_in(process: Path, cluster: Path) -> bool:
    try:
        return (process / "comm").read_text() == "postgres\n" and (process / "cwd").readlink() == cluster.resolve()
    except OSError:
        return False


def _ps(pid: str) -> str:
    answer = subprocess.run(["ps", "-p", pid, "-o", "comm="], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return answer.stdout


def _is_ready(postmaster: list[str], pid: int) -> bool:
    return postmaster[:1] == [str(pid)] and postmaster[-1].strip() == "ready"


def _major_of(folder: DataFolder) -> int:
    try:
        return int((folder.cluster / "PG_VERSION").read_text())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The data folder {folder.home} holds no PostgreSQL cluster; move it away or restore it."
        ) from error


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


def _environment() -> dict[str, str]:
    # PG* variables of the caller would change what the server's programs do.
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def _open_log(path: Path) -> IO[bytes]:
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _last_words(path: Path) -> str:
    lines = path.read_text(errors="replace").splitlines()[-20:]
    fatal = [line for line in lines if "FATAL" in line or "PANIC" in line or "error" in line]
    return f"{(fatal or lines or ['no reason given'])[-1]} (log: {path})"


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
