"""Starting and ending child processes so that none outlives FleetFlow, whatever the child does."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    import subprocess
    from collections.abc import Callable, Sequence

POLL_S = 0.005

# Closes the gap between fork and prctl: a parent that died in it can no longer send its signal.
_STILL_PARENT = '[ "$PPID" -eq "$0" ] && exec "$@"'


def die_with_parent(command: Sequence[str], signal_name: str) -> list[str]:
    """The command, wrapped so that the kernel sends it `signal_name` ("INT", "KILL") when this process dies.

    Linux only; elsewhere the command as it is. The signal comes when the *thread* that starts the child ends,
    so start it from one that lives as long as the process.
    """
    if sys.platform != "linux" or not shutil.which("setpriv"):
        return list(command)
    guard = ["setpriv", "--pdeathsig", signal_name, "--"]
    return [*guard, "/bin/sh", "-c", _STILL_PARENT, str(os.getpid()), *command]


def stop(process: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn and wait its seconds, until the process has ended; SIGKILL at the very end."""
    for signum, patience_s in steps:
        if process.poll() is not None:
            return
        process.send_signal(signum)
        if wait_for(lambda: process.poll() is not None, patience_s):
            return
    process.kill()
    process.wait()


def wait_for(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Poll until the condition holds; False when it does not within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def send_signal(pid: int, signum: signal.Signals) -> None:
    """Signal a process that may have ended meanwhile."""
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return


def is_alive(pid: int) -> bool:
    """Whether any process has this id, be it another user's."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
