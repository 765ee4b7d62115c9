"""The worker's health check, against real workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.programs import make_settings
from tests.support.waiting import wait_until
from worker.health import WorkerSilentError, check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.settings import Settings

pytestmark = pytest.mark.postgres


@contextmanager
def worker_process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = os.environ | settings.as_environment()
    process = subprocess.Popen([sys.executable, "-m", "worker"], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(timeout=15)


def complaint(settings: Settings, database_url: str) -> str | None:
    try:
        check(settings, database_url)
    except WorkerSilentError as error:
        return str(error)
    return None


def test_a_worker_is_healthy_while_it_sweeps_and_not_when_it_is_frozen_or_gone(database_url: str):
    settings = make_settings(sweep_s=0.2, batch_time_limit_s=0.6).with_database(database_url)
    # The worker's own limit is longer: frozen in the middle of a round, it would otherwise end itself when it thaws.
    patient = make_settings(sweep_s=0.2).with_database(database_url)
    assert complaint(settings, database_url) == "No worker of this machine is connected to the database."
    with worker_process(patient) as process:
        wait_until(lambda: complaint(settings, database_url) is None, what="a healthy worker")
        process.send_signal(signal.SIGSTOP)
        said = wait_until(lambda: complaint(settings, database_url), what="a complaint about a frozen worker")
        assert said == "The worker has not used the database for 1 seconds."
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: complaint(settings, database_url) is None, what="a healthy worker again")


def test_the_command_says_in_one_line_why_a_worker_is_not_healthy(database_url: str):
    settings = make_settings().with_database(database_url)
    command = [sys.executable, "-m", "worker.health"]
    environment = os.environ | settings.as_environment()
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 1
    assert answer.stderr == "No worker of this machine is connected to the database.\n"
