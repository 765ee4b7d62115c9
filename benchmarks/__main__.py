"""`python -m benchmarks [NAME...]`: run all benchmarks, or those whose name begins so; print and write the table."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING

import uvloop
from rich.console import Console

from benchmarks import detection, imports, latency, pages, ranking, slider, stored_fleet, throughput, uploads, whatif
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
    "slider": slider.slider,
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
    """Run what was chosen, everything by default; one that fails does not take the others' figures with it."""
    known = [*ALONE, *ON_A_STACK, *ON_ONE_STACK, *WHEN_NAMED]
    if wrong := [each for each in chosen if not any(name.startswith(each) for name in known)]:
        Console(stderr=True).print(f"No benchmark begins so: {', '.join(wrong)}. There are: {', '.join(known)}.")
        return 2
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    rows: list[Row] = []
    failed = [name for name, run in _runs(chosen) if not _measured(name, run, rows)]
    Console().print(f"Written to {show(rows)}")
    if failed:
        Console(stderr=True).print(f"Failed: {'; '.join(failed)}")
    return 1 if failed else 0


def _runs(chosen: list[str]) -> Iterator[tuple[str, Callable[[], Iterator[Row]]]]:
    yield from ((name, ALONE[name]) for name in _matching(ALONE, chosen))
    both = _matching(ON_A_STACK, chosen)
    one = _matching(ON_ONE_STACK, chosen) + (_matching(WHEN_NAMED, chosen) if chosen else [])
    if both or one:
        with stacks() as found:
            pairs = [*((name, stack) for name in both for stack in found), *((name, found[0]) for name in one)]
            for name, stack in pairs:
                run = {**ON_A_STACK, **ON_ONE_STACK, **WHEN_NAMED}[name]
                yield f"{name}, woken by {stack.name}", partial(run, stack)


def _measured(name: str, run: Callable[[], Iterator[Row]], rows: list[Row]) -> bool:
    console = Console(stderr=True)
    console.print(f"{name} ...")
    try:
        rows.extend(run())
    except Exception:  # noqa: BLE001  # whatever it is, the others go on
        console.print_exception()
        return False
    return True


def _matching(known: dict[str, Callable[..., Iterator[Row]]], chosen: list[str]) -> list[str]:
    return [name for name in known if not chosen or any(name.startswith(each) for each in chosen)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
