"""Ranking a large fleet with all its uncertainty, against adding up and sorting, and against the usual draws."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.fleets import Family, simulate_fleet
from benchmarks.report import Row
from fleetflow.safety.ranking.leaderboard import Leaderboard, rank_drivers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fleetflow.safety.ranking.days import DriverDays

DRIVERS = 10_000
DRAWS = 1000
ROUNDS = 5
POINTS_PER_EVENT = 5.0


def ranking() -> Iterator[Row]:
    """Milliseconds for 10,000 drivers, from their trips to the table."""
    days = simulate_fleet(Family("drivers differ"), DRIVERS, np.random.default_rng(1)).days
    board = rank_drivers(days, psi0=POINTS_PER_EVENT)
    ours = _best_ms(lambda: rank_drivers(days, psi0=POINTS_PER_EVENT), ROUNDS)
    name = f"rank {DRIVERS:,} drivers by {len(days.driver):,} trips"
    yield Row(name, "-", "numpy: add up, divide, sort", _best_ms(lambda: _plain(days), ROUNDS), ours, "ms")
    yield Row(name, "-", f"numpy: {DRAWS:,} draws of ranks", _best_ms(lambda: _drawn(board), 1), ours, "ms")


def _plain(days: DriverDays) -> None:
    points, km = (np.bincount(days.driver, weights=column) for column in (days.points, days.distance_km))
    np.argsort(points / km)


def _drawn(board: Leaderboard) -> None:
    """Rank limits only, of the ranked, given the fit."""
    alpha, beta = board.fit.alpha[board.order], board.fit.beta[board.order]
    drawn = np.random.default_rng(1).gamma(alpha, 1 / beta, (DRAWS, len(alpha)))
    np.percentile(drawn.argsort(axis=1).argsort(axis=1), (5, 95), axis=0)


def _best_ms(work: Callable[[], object], rounds: int) -> float:
    return 1000 * min(_seconds(work) for _ in range(rounds))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
