"""The rate of one kind of event per driver: for display, since kinds go together and ranks come from points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleetflow.safety.ranking.bunching import Blocks, measure_bunching
from fleetflow.safety.ranking.fit import Fit, fit

if TYPE_CHECKING:
    from fleetflow.safety.flat import IndexArray
    from fleetflow.trips.samples import FloatArray


def fit_kind(driver: IndexArray, counts: FloatArray, exposure: FloatArray, drivers: int) -> Fit:
    """Events of one kind per 100 km: a row per block in, a row per driver out.

    The bunching of the kind's own events is measured, so that a driver with one wild hour does not seem a wild driver.
    """
    blocks = Blocks(driver, counts, exposure)
    phi = measure_bunching(blocks, drivers, psi0=1.0)
    return fit(blocks.per_driver(counts, drivers), blocks.per_driver(exposure, drivers), phi)
