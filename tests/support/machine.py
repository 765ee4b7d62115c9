"""Faults of the machine itself: a disk that is full, a network that swallows packets, a clock that is wrong.

They need root or a program of Debian's; where that is missing, the test is skipped and says why.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CGROUPS = Path("/sys/fs/cgroup")
CLONE_NEWNET = 0x40000000
CHUNK = bytes(65_536)


def needs_root(*programs: str) -> None:
    """Skip the test unless it runs as root and finds these programs."""
    missing = [program for program in programs if not shutil.which(program)]
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("needs root")
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[Path]:
    """A disk of that size, mounted on a new folder."""
    needs_root("mount")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "fleetflow-tests", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Not a byte is free on the disk while the block runs."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(CHUNK)
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def own_network() -> Iterator[None]:
    """The calling thread, and all that it starts, has a loopback of its own, whose rules harm nobody else."""
    needs_root("ip", "iptables")
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before:  # noqa: PTH123 - a file descriptor is all that is wanted
        if libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip("may not make a network of its own")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)


@contextmanager
def dropped(port: int) -> Iterator[None]:
    """Every packet to the port or from it is swallowed, so that nobody hears even of its loss."""
    rules = [["INPUT", "-p", "tcp", way, str(port), "-j", "DROP"] for way in ("--dport", "--sport")]
    for rule in rules:
        subprocess.run(["iptables", "-A", *rule], check=True)
    try:
        yield
    finally:
        for rule in rules:
            subprocess.run(["iptables", "-D", *rule], check=True)


def under_clock(shift: str) -> Sequence[str]:
    """What to put before a command so that its clock is off by so much, as "+1h"; intervals stay right."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        pytest.skip("needs faketime")
    # Not the command faketime, which runs a child that would outlive it.
    return ["env", f"LD_PRELOAD={library}", f"FAKETIME={shift}", "FAKETIME_DONT_FAKE_MONOTONIC=1"]


@contextmanager
def with_memory(size_mb: int) -> Iterator[Sequence[str]]:
    """What to put before a command so that the kernel kills it when it takes more than that."""
    needs_root("sh")
    first = CGROUPS / "memory" if (CGROUPS / "memory").is_dir() else CGROUPS
    limit = "memory.limit_in_bytes" if first != CGROUPS else "memory.max"
    group = first / f"fleetflow-tests-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(size_mb * 1_000_000))
    except OSError as error:
        pytest.skip(f"may not limit memory: {error.strerror}")
    try:
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$@"', "sh"]
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(), what="the end of all in the group")
        group.rmdir()
