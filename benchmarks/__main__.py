"""`python -m benchmarks [NAME...]`: run all benchmarks, or those whose name begins so; print and write the table."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import uvloop
from rich.console import Console

from benchmarks import detection, imports, latency, pages, ranking, stored_fleet, throughput, uploads, whatif
from benchmarks.report import Row, show
from benchmarks.services import Stack, stacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ON_A_STACK: dict[str, Callable[[Stack], Iterator[Row]]] = {
    "accepting": throughput.accepting,
    "scoring": throughput.accepting_and_scoring,
    "latency": latency.accepted_to_scored,
    "memory": throughput.memory,
}
ON_ONE_STACK: dict[str, Callable[[Stack], Iterator[Row]]] = {
    "imports": imports.importing,
    "stored": stored_fleet.stored_fleet,
    "pages": pages.pages,
    "uploads": uploads.uploading,
}
"""How workers are woken is nothing to them."""
WHEN_NAMED: dict[str, Callable[[Stack], Iterator[Row]]] = {"million": pages.million}
"""On one stack too, and only where they are asked for: they take long."""
ALONE: dict[str, Callable[[], Iterator[Row]]] = {
    "detection": detection.finding,
    "detection of stored trips": detection.stored,
    "ranking": ranking.ranking,
    "whatif": whatif.whatif,
}


def main(chosen: list[str]) -> int:
    """Run what was chosen, everything by default."""
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    rows: list[Row] = []
    for name in _matching(ALONE, chosen):
        rows += ALONE[name]()
    both = _matching(ON_A_STACK, chosen)
    one = _matching(ON_ONE_STACK, chosen) + (_matching(WHEN_NAMED, chosen) if chosen else [])
    if both or one:
        with stacks() as found:
            rows += [row for name in both for stack in found for row in _noted(name, stack)]
            rows += [row for name in one for row in _noted(name, found[0])]
    Console().print(f"Written to {show(rows)}")
    return 0


def _noted(name: str, stack: Stack) -> Iterator[Row]:
    Console(stderr=True).print(f"{name}, woken by {stack.name} ...")
    return {**ON_A_STACK, **ON_ONE_STACK, **WHEN_NAMED}[name](stack)


def _matching(known: dict[str, Callable[..., Iterator[Row]]], chosen: list[str]) -> list[str]:
    return [name for name in known if not chosen or any(name.startswith(each) for each in chosen)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
