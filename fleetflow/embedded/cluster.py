"""A PostgreSQL cluster on disk: made beside its place, then renamed, so that half of one never counts."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fleetflow.embedded.programs import BUILTIN_LOCALE_MAJOR, environment, find_programs
from fleetflow.errors import ConfigurationError

if TYPE_CHECKING:
    from fleetflow.embedded.programs import Identity

HOST = "127.0.0.1"
USER = "fleetflow"
DATABASE = "fleetflow"
INITDB_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class DataFolder:
    """Where the parts of an embedded Postgres lie: `root` as set, `home` with all that belongs together."""

    root: Path
    lock: Path = field(init=False)
    log: Path = field(init=False)
    home: Path = field(init=False)
    cluster: Path = field(init=False)
    password: Path = field(init=False)
    port: Path = field(init=False)

    def __post_init__(self) -> None:
        parts = {"lock": "lock", "log": "postgres.log", "home": "postgres"}
        parts |= {part: f"postgres/{part}" for part in ("cluster", "password", "port")}
        for name, place in parts.items():
            object.__setattr__(self, name, self.root / place)

    def url(self, port: int, database: str = DATABASE) -> str:
        """The address to connect to, password included."""
        return f"postgresql://{USER}:{self.password.read_text()}@{HOST}:{port}/{database}"

    def postmaster(self) -> list[str]:
        """The lines of postmaster.pid: pid, folder, start, port, socket, address, shared memory, state."""
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []


def create_cluster(folder: DataFolder, identity: Identity, *, durable: bool) -> None:
    """Make a cluster with a password of its own, and put it in place in one step; nothing if there is one."""
    for abandoned in folder.root.glob("postgres.new-*"):
        shutil.rmtree(abandoned)
    if folder.home.exists():
        return
    new = DataFolder(Path(tempfile.mkdtemp(prefix="postgres.new-", dir=folder.root)))
    write_private(new.root / "password", secrets.token_urlsafe(24))
    identity.own(new.root)
    _initdb(new.root, identity, durable=durable)
    if durable:
        _sync(new.root)
    new.root.rename(folder.home)
    if durable:
        _sync(folder.root)


def _initdb(home: Path, identity: Identity, *, durable: bool) -> None:
    programs = find_programs()
    has_builtin = programs.major >= BUILTIN_LOCALE_MAJOR
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if has_builtin else []
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
        command,
        capture_output=True,
        text=True,
        timeout=INITDB_TIMEOUT_S,
        check=False,
        cwd="/",
        env=environment(),
    )
    if answer.returncode != 0:
        reason = (answer.stderr.strip() or answer.stdout.strip()).splitlines()
        raise ConfigurationError(f"A new PostgreSQL cluster in {home.parent} failed: {' '.join(reason[:2])}")


def major_of(folder: DataFolder) -> int:
    """The major version of the cluster there is; ConfigurationError when there is none."""
    try:
        return int((folder.cluster / "PG_VERSION").read_text())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The data folder {folder.home} holds no PostgreSQL cluster; move it away or restore it."
        ) from error


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
