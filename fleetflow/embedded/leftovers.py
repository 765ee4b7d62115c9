"""What a dead owner left behind on a cluster: a server still running, a postmaster.pid that lies."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from fleetflow import processes

if TYPE_CHECKING:
    from fleetflow.embedded.cluster import DataFolder

STOP_STEPS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0))
"""Fast shutdown, then immediate shutdown (recovery at the next start), in seconds of patience."""


def stop_leftovers(folder: DataFolder) -> None:
    """End what a dead owner left running, and forget a postmaster.pid whose id is another program's now.

    Only the folder's owner may call this: whoever still runs here is an orphan.
    """
    for signum, patience_s in (*STOP_STEPS, (signal.SIGKILL, 5.0)):
        for pid in _heads(_postgres_on(folder)):
            processes.send_signal(pid, signum)
        if processes.wait_for(lambda: not _postgres_on(folder), patience_s):
            break
    # Postgres sorts out the file of a dead process itself; an empty or reused one would stop it for good.
    file = folder.cluster / "postmaster.pid"
    if file.exists() and not _names_a_dead_process(folder.postmaster()):
        file.unlink()


def _names_a_dead_process(postmaster: list[str]) -> bool:
    return postmaster[:1] != [] and postmaster[0].isdigit() and not processes.is_alive(int(postmaster[0]))


def _heads(running: list[int]) -> list[int]:
    """Those whose parent is none of them: the server itself, or what it left behind if it is gone.

    The server ends its own: to its checkpointer, from Postgres 18 on, the signal of a fast shutdown is another order.
    """
    return [pid for pid in running if _parent(pid) not in running]


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _postgres_on(folder: DataFolder) -> list[int]:
    running = list(Path("/proc").glob("[0-9]*"))
    if running:
        return [int(each.name) for each in running if _is_postgres_in(each, folder.cluster.resolve())]
    pids = [line for line in folder.postmaster()[:1] if line.isdigit()]
    return [int(pid) for pid in pids if "postgres" in _ps(pid)]


def _is_postgres_in(process: Path, cluster: Path) -> bool:
    try:
        return (process / "comm").read_text() == "postgres\n" and (process / "cwd").readlink() == cluster
    except OSError:
        return False


def _ps(pid: str) -> str:
    answer = subprocess.run(["ps", "-p", pid, "-o", "comm="], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return answer.stdout
