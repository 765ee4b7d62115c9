"""The ranking held to fleets whose truth is known; `python -m benchmarks.coverage` does so for many more."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.coverage import FAMILIES, MEASURES, coverages
from benchmarks.fleets import Family, simulate_fleet

TRIPS_DIFFER = next(family for family in FAMILIES if family.trip_mood and len(family.penalties) == 1)


@pytest.mark.parametrize("family", [FAMILIES[0], TRIPS_DIFFER], ids=["Poisson", "trips differ"])
def test_nine_of_ten_intervals_hold_the_truth(family: Family):
    """2,000 drivers, and their standard error is about a point."""
    found = coverages(family, drivers=40, fleets=50)
    shares = np.sum([each.held for each in found], axis=0) / np.sum([each.of for each in found], axis=0)
    by_measure = dict(zip(MEASURES, shares.tolist(), strict=True))
    assert 0.86 < by_measure["all drivers"] < 0.93
    assert 0.86 < by_measure["ranked"] < 0.94
    assert 0.90 < by_measure["rank, of the ranked"] < 0.99


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_simulated_fleet_has_the_points_that_its_truth_promises(family: Family):
    fleet = simulate_fleet(family, 300, np.random.default_rng(5))
    expected = np.sum(fleet.truth * np.bincount(fleet.days.driver, weights=fleet.days.distance_km) / 100)
    assert fleet.days.points.sum() == pytest.approx(expected, rel=0.1)
