"""`python -m tests.support.crashing POINT`: a real program that dies, hangs or raises at a chosen point.

The points are made here, by wrapping a function of the program; the product has no switches for them.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from fleetflow.bootstrap import run_program

if TYPE_CHECKING:
    from collections.abc import Callable

POISON_POINTS = 13
"""A trip with this many points is the one that kills a worker, where only one trip shall."""


BATCH_TRIPS, BATCHES_OF_A_LIFE = 10, 4


def die(*_: Any, **__: Any) -> None:
    """As by `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def before(function: Callable[..., Any]) -> Callable[..., Any]:
    return functools.wraps(function)(die)


def after(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)
        die()

    return wrapper


def on_poison(act: Callable[[], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(batch: Any) -> Any:
            if any(len(samples) == POISON_POINTS for samples in batch):
                act()
            return function(batch)

        return wrapper

    return wrap


def in_small_batches(function: Callable[..., Any]) -> Callable[..., Any]:
    """A run that lasts long enough to be disturbed."""
    return functools.partial(function, batch_trips=BATCH_TRIPS)


def in_the_fourth_batch(function: Callable[..., Any]) -> Callable[..., Any]:
    """Die when it is written and not committed."""
    batches = 0

    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        nonlocal batches
        run = in_small_batches(function)(*args)
        batches += run is not None
        if batches == BATCHES_OF_A_LIFE:
            die()
        return run

    return wrapper


def fail() -> None:
    raise ValueError("no good")


def hang() -> None:
    while True:
        pass


def eat() -> None:
    """Take all memory that there is; 2 GB, where nothing bounds it, are enough."""
    eaten = [bytearray(b"x" * 16_000_000) for _ in range(128)]
    raise AssertionError(f"nobody minded {len(eaten)} pieces")


def freeze() -> None:
    """Stop as by SIGSTOP; goes on when somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


# Point -> program, where the function is looked up, and how it is wrapped.
POINTS: dict[str, tuple[str, str, str, Callable[[Callable[..., Any]], Callable[..., Any]]]] = {
    "worker-after-claim": ("worker", "worker.loop", "analyse", before),
    "worker-before-commit": ("worker", "worker.loop", "insert_results", after),
    "worker-after-commit": ("worker", "worker.loop.Worker", "_finish", after),
    "worker-dies-of-a-trip": ("worker", "worker.analysis", "examine", on_poison(die)),
    "worker-raises-on-a-trip": ("worker", "worker.analysis", "examine", on_poison(fail)),
    "worker-hangs-on-a-trip": ("worker", "worker.analysis", "examine", on_poison(hang)),
    "worker-eats-memory-on-a-trip": ("worker", "worker.analysis", "examine", on_poison(eat)),
    "worker-freezes-on-a-trip": ("worker", "worker.analysis", "examine", on_poison(freeze)),
    "worker-dies-in-a-run": ("worker", "fleetflow.storage.runs", "advance_run", in_the_fourth_batch),
    "worker-runs-in-small-steps": ("worker", "fleetflow.storage.runs", "advance_run", in_small_batches),
    "api-after-commit": ("ingest_api", "ingest_api.intake.Intake", "committed", before),
}


def main(point: str) -> int:
    program, place, name, wrap = POINTS[point]
    serve = import_module(f"{program}.__main__").serve
    owner = _find(place)
    setattr(owner, name, wrap(getattr(owner, name)))
    return run_program(program, serve, database_user="worker" if program == "worker" else "ingest")


def _find(place: str) -> Any:
    try:
        return import_module(place)
    except ModuleNotFoundError:
        module, _, name = place.rpartition(".")
        return getattr(import_module(module), name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
