"""A copy of the whole database in one file, and back: by PostgreSQL's own pg_dump and pg_restore."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from fleetflow.embedded.programs import find_programs
from fleetflow.errors import ConfigurationError, FleetFlowError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCHEMA = "telemetry"
LAST_LINES = 3
"""Of what the program said: the cause stands at the end."""


class BackupError(FleetFlowError):
    """PostgreSQL's program refused; the message holds its reason. Nothing was written."""


def dump(url: str, target: Path) -> int:
    """Write all of FleetFlow's data as they are at one moment, while everything runs; the file's size in bytes.

    The file appears under its name when it is complete. It holds personal data: only its owner may read it.
    Raises BackupError, ConfigurationError.
    """
    try:
        with _beside(target) as unfinished:
            options = ["--format=custom", f"--schema={SCHEMA}", "--no-owner", "--no-privileges", f"--file={unfinished}"]
            _run("pg_dump", options, url)
            size = unfinished.stat().st_size
            unfinished.replace(target)
    except OSError as error:
        raise ConfigurationError(f"{target} cannot be written: {error.strerror}.") from error
    return size


def restore(url: str, source: Path) -> None:
    """Put a dump into a database without a schema of that name, wholly or not at all.

    Raises BackupError, ConfigurationError.
    """
    if not source.is_file():
        raise ConfigurationError(f"There is no file {source}.")
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(source)]
    _run("pg_restore", options, url)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A file in the same folder, for its owner alone, that is gone afterwards unless it was moved."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


def _run(program: str, options: Sequence[str], url: str) -> None:
    address, password = _without_password(url)
    command = [str(find_programs().folder / program), f"--dbname={address}", *options]
    # Everybody on the machine can read a program's arguments, only its owner its environment.
    environment = {**os.environ, "PGPASSWORD": password, "LC_ALL": "C"}
    try:
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True)  # noqa: S603
    except FileNotFoundError as error:
        raise ConfigurationError(f"{program} is missing beside PostgreSQL's other programs.") from error
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.strip()][-LAST_LINES:]
        raise BackupError(f"{program} failed: {' '.join(said) or f'exit code {error.returncode}'}") from error


def _without_password(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    return urlunsplit(parts._replace(netloc=f"{user}{at}{place}")), unquote(password)
