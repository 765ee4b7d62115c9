"""What is said of a ranking's fit as a whole."""

from __future__ import annotations

import numpy as np
import pytest

from fleetflow.safety.ranking.days import DriverDays
from fleetflow.safety.ranking.figures import fit_figures
from fleetflow.safety.ranking.leaderboard import rank_drivers


def driven(drivers: int, days: int) -> DriverDays:
    rng = np.random.default_rng(3)
    driver = np.repeat(np.arange(drivers), days)
    points = 5.0 * rng.poisson(rng.gamma(2, 1, drivers)[driver])
    return DriverDays(drivers, driver, np.tile(np.arange(days), drivers), points, np.full(len(driver), 80.0),
                      np.full(len(driver), 2.0))  # fmt: skip


def test_the_figures_are_those_of_the_fit():
    board = rank_drivers(driven(40, 20), psi0=5.0)
    figures = fit_figures(board)
    assert (figures.drivers, figures.ranked, figures.distance_km) == (40, 40, 64_000)
    assert figures.points_per_event == 5
    assert figures.bunching == pytest.approx(board.fit.psi / 5)
    assert figures.points_per_100_km == board.fit.rate
    assert figures.spread == board.fit.cv
    assert figures.km_needed == pytest.approx(100 * board.fit.distance_needed_100km)


def test_a_fleet_too_small_to_tell_has_neither_spread_nor_a_distance():
    figures = fit_figures(rank_drivers(driven(2, 3), psi0=5.0))
    assert (figures.drivers, figures.ranked) == (2, 0)
    assert (figures.spread, figures.km_needed) == (None, None)
