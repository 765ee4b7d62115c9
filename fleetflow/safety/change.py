"""Why a driver's figure changed between two reports: parts that add up, whatever order one tells them in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray

IntArray = npt.NDArray[np.int64]

LEAST_BAND_KM = 20.0
"""On less than this in a speed band its rate is one event's luck: the band joins its neighbour."""
KM_PER_EXPOSURE = 100.0  # rates are points per 100 km
TENTHS = 10  # figures are shown with one decimal


class Part(IntEnum):
    """The lines of an explanation, in the order in which they are shown; the first four are the factors."""

    DRIVING = 0
    ROAD_MIX = 1
    PROFILE = 2
    REVIEWS = 3
    CERTAINTY_AND_FLEET = 4


FACTORS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One row per driver, in points per 100 km.

    `parts` (drivers, 5) are the exact lines, one column per `Part`; their sum is the change of the figure shown.
    `shown_tenths` (drivers, 5) are the same lines in whole tenths of a point, and add up to the difference of the two
    figures as these are shown, each rounded to a tenth.
    """

    parts: FloatArray
    shown_tenths: IntArray


def explain_change(points: FloatArray, distance_km: FloatArray, figures: FloatArray) -> Change:
    """Break each driver's change of `figures` (drivers, 2), points per 100 km as shown in the two reports.

    `points` (drivers, 2 periods, 2 profiles, 2 states of review, bands) are penalty points of the events in each speed
    band; `distance_km` (drivers, 2 periods, bands) is what was driven there. What the four factors leave over is how
    far the figures were pulled towards the fleet, the line "certainty and fleet".
    Raises ValueError for a driver without distance in either period.
    """
    factors = factor_effects(points, distance_km)
    pulled = figures[:, 1] - figures[:, 0] - factors.sum(axis=1)
    parts = np.column_stack([factors, pulled])
    shown = np.rint(figures * TENTHS).astype(np.int64)
    return Change(parts, round_to_sum(parts * TENTHS, shown[:, 1] - shown[:, 0]))


def factor_effects(points: FloatArray, distance_km: FloatArray) -> FloatArray:
    """The four factors' effects on raw points per 100 km (drivers, 4): what `Part` names, without its last line.

    Shapley values: the mean, over the 24 orders of switching the factors from report 1 to report 2, of what each
    switch does (Shorrocks 2013; with two factors, Kitagawa 1955). They sum to the raw change, and a factor that did not
    change has effect 0. Shapes and errors as in `explain_change`.
    """
    if not (distance_km.sum(axis=2) > 0).all():
        raise ValueError("a change is between two periods with driving in both")
    corners = _corners(*merge_thin_bands(points, distance_km))
    weights = _order_weights()
    effects = [((corners.take(1, axis) - corners.take(0, axis)) * weights).sum(axis=(1, 2, 3)) for axis in (1, 2, 3, 4)]
    return np.column_stack(effects)


def merge_thin_bands(points: FloatArray, distance_km: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Move what a thin band holds into its faster neighbour, and from the fastest downwards; copies, shapes kept.

    A band is thin for a driver when he drove under 20 km in it in a period, but did drive or have events there.
    """
    points, distance_km = points.copy(), distance_km.copy()
    last = points.shape[-1] - 1
    moves = [(band, band + 1) for band in range(last)] + [(band, band - 1) for band in range(last, 0, -1)]
    for source, target in moves:
        thin = _is_thin(points[..., source], distance_km[..., source])
        for held in (points, distance_km):
            held[thin, ..., target] += held[thin, ..., source]
            held[thin, ..., source] = 0.0
    return points, distance_km


def round_to_sum(parts: FloatArray, totals: IntArray) -> IntArray:
    """Whole numbers near `parts` (rows, n) whose rows sum to `totals`: the method of largest remainders.

    A total may differ by up to 1 from its row's sum. A part of exactly 0 stays 0 unless its whole row is 0.
    """
    nearest = np.rint(parts)
    missing = totals - nearest.sum(axis=1).astype(np.int64)
    step = np.sign(missing)[:, None]
    left_over = np.round((parts - nearest) * step, 9)  # as equal as figures can be; then the larger part gives way
    place = np.lexsort((-np.abs(parts), -left_over), axis=1).argsort(axis=1)
    whole: IntArray = nearest.astype(np.int64) + step * (place < np.abs(missing)[:, None])
    return whole


def _is_thin(points: FloatArray, distance_km: FloatArray) -> npt.NDArray[np.bool_]:
    """(drivers, 2, 2, 2) points and (drivers, 2) distances of one band -> drivers to merge it for."""
    met = (distance_km > 0) | (points != 0).any(axis=(2, 3))
    thin: npt.NDArray[np.bool_] = (met & (distance_km < LEAST_BAND_KM)).any(axis=1)
    return thin


def _corners(points: FloatArray, distance_km: FloatArray) -> FloatArray:
    """Raw points per 100 km (drivers, driving, road mix, profile, reviews), each index 0 or 1 for report 1 or 2."""
    shares = distance_km / distance_km.sum(axis=2, keepdims=True)
    products = _rates(points, distance_km)[:, :, None] * shares[:, None, :, None, None, :]
    corners: FloatArray = products.sum(axis=-1)
    return corners


def _rates(points: FloatArray, distance_km: FloatArray) -> FloatArray:
    """Points per 100 km in each band; where a band was not driven, the other period's, so that mix takes the effect."""
    driven = (distance_km > 0)[:, :, None, None, :]
    exposure = np.where(driven, distance_km[:, :, None, None, :], 1.0) / KM_PER_EXPOSURE
    rates = np.where(driven, points / exposure, 0.0)
    return np.where(driven, rates, rates[:, ::-1])


def _order_weights() -> FloatArray:
    """The share of the orders in which exactly a given set of the other three factors was switched before."""
    before = np.indices((2, 2, 2)).sum(axis=0)
    share = [factorial(size) * factorial(FACTORS - 1 - size) / factorial(FACTORS) for size in range(FACTORS)]
    weights: FloatArray = np.array(share)[before]
    return weights
