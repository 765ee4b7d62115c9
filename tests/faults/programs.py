"""Programs as processes of their own, that tests may kill."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import httpx

from tests.support.ports import PLAIN, free_port
from tests.support.programs import is_ready
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
"""A busy machine takes its time to start a program."""
QUICK = {"LEASE_S": 1, "SWEEP_S": 0.3, "STORAGE_TIMEOUT_S": 2, "LOG_LEVEL": "info"}


def environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """This process's variables with these settings of FleetFlow, and no others."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("FLEETFLOW_")}
    return others | {f"FLEETFLOW_{name}": str(value) for name, value in settings.items()}


class Programs:
    """Starts programs with short times on one database and queue; kills what is left at the end.

    `reach_database` is the address that the programs are given, where that leads through a proxy.
    """

    def __init__(self, database_url: str, folder: Path, *, reach_database: str | None = None, **settings: Any) -> None:
        self.database_url = database_url
        self.port = free_port()
        self._folder = folder
        self._settings = {
            **QUICK,
            "DATABASE_URL": reach_database or database_url,
            "API_PORT": self.port,
            **settings,
        }
        self._started: list[subprocess.Popen[bytes]] = []
        self._ended: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, *module: str, under: Sequence[str] = (), **settings: Any) -> subprocess.Popen[bytes]:
        """`python -m module ...`, by the command `under` if there is one; its log goes to a file that `log` reads."""
        variables = environment({**self._settings, **settings})
        with (self._folder / f"{len(self._started)}.log").open("wb") as log:
            process = subprocess.Popen(
                [*under, sys.executable, "-m", *module], cwd=ROOT, env=variables, stdout=log, stderr=log
            )
        self._started.append(process)
        return process

    def start_api(self, *module: str, under: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """The API, ready to take trips."""
        process = self.start(*(module or ("ingest_api",)), under=under)
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", verify=PLAIN) as client:
            wait_until(lambda: process.poll() is not None or is_ready(client), START_S, what="the API")
        assert process.poll() is None, self.log(process)
        return process

    def start_worker(self, **settings: Any) -> subprocess.Popen[bytes]:
        """A worker that has begun to work."""
        process = self.start("worker", **settings)
        wait_until(lambda: "worker_started" in self.log(process), START_S, what="the worker")
        return process

    def exit_code(self, process: subprocess.Popen[bytes], timeout_s: float = 20.0) -> int:
        """Wait for the end of a program that the test means to end."""
        self._ended.append(process)
        return process.wait(timeout_s)

    def fallen(self) -> list[str]:
        """The logs of programs that ended although nobody meant them to."""
        gone = [each for each in self._started if each.poll() is not None and each not in self._ended]
        return [f"exit code {each.returncode}: {self.log(each)[-3000:]}" for each in gone]

    def log(self, process: subprocess.Popen[bytes]) -> str:
        """What the program wrote so far."""
        return (self._folder / f"{self._started.index(process)}.log").read_text()

    def close(self) -> None:
        """Kill what runs."""
        for process in self._started:
            process.kill()
            process.wait()
