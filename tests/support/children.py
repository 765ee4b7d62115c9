"""Asking after processes that tests started, killed or orphaned."""

from __future__ import annotations

from pathlib import Path


def has_ended(pid: int) -> bool:
    """Whether a process runs no more; one that nobody has reaped yet has ended too."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return after_name.split()[0] in {"Z", "X"}


def children_of(pid: int) -> list[int]:
    """All descendants of a process that run, in no order."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, tasks.read_text().split()):
            found += [child, *children_of(child)]
    return [each for each in found if not has_ended(each)]
