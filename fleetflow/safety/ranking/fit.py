"""What is known of each driver's points per 100 km: one Gamma-Poisson fit of the whole fleet, never of a part of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv

from fleetflow.safety.ranking.hyperprior import Priors, integrate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fleetflow.trips.samples import FloatArray

LOW, HIGH = 0.05, 0.95  # a 90 % interval
LEAST_EVENTS = 3.0 - 1e-9  # three events, also where points over psi are rounded
LEAST_DRIVERS = 3
JEFFREYS = 0.5  # events added where there is no fleet to learn from
HALF = 0.5


class Method(StrEnum):
    """Whether the fleet told something of each driver, or was too small for it."""

    FLEET = "fleet"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Points per 100 km, a row per driver; a driver without exposure has NaN, and a `reliability` of 0.

    The posterior is a gamma with shape `alpha` and rate `beta`; `low` and `high` are its 5 % and 95 % quantiles.
    `reliability` is the share of a driver's own data in his mean, the rest being the fleet's; all 0 in a fallback.
    Of the fleet: `psi` points per independent event, `cv` the spread between drivers, `rate` the mean, and the
    distance at which the reliability is a half. In a fallback `cv` and the distance are NaN.
    """

    alpha: FloatArray
    beta: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    reliability: FloatArray
    psi: float
    cv: float
    rate: float
    distance_needed_100km: float
    method: Method


def fit(points: FloatArray, exposure: FloatArray, psi: float) -> Fit:
    """Fit a fleet: `points` and `exposure` (in 100 km) have a row per driver, `psi` is points per independent event.

    Empirical Bayes as in Clayton and Kaldor (1987), with the spread between drivers integrated over a grid and each
    driver's mixture of gammas matched by one. Fewer than 3 independent events or 3 drivers with exposure teach nothing
    of a fleet: then each driver stands alone, after Jeffreys. ValueError for what cannot be a fleet.
    """
    _check(points, exposure, psi)
    driven = exposure > 0
    events, distance = points[driven] / psi, exposure[driven]
    if events.sum() < LEAST_EVENTS or len(events) < LEAST_DRIVERS:
        return _alone(points, exposure, driven, psi)
    priors = integrate(events, distance)
    alpha, beta = _matched(priors, events, distance)
    return _spread_out(
        driven, alpha, beta / psi, _own_share(priors, distance), psi=psi,
        cv=float(np.sum(priors.weight * priors.cv)), rate=psi * float(np.sum(priors.weight * priors.rate)),
        distance_needed_100km=_half_known(priors), method=Method.FLEET,
    )  # fmt: skip


def _check(points: FloatArray, exposure: FloatArray, psi: float) -> None:
    if points.ndim != 1 or points.shape != exposure.shape:
        raise ValueError(f"Points and exposure need one row per driver, not {points.shape} and {exposure.shape}.")
    if not (np.isfinite(psi) and psi > 0):
        raise ValueError(f"Points per independent event must be above 0, not {psi}.")
    for name, column in (("Points", points), ("Exposure", exposure)):
        if not (np.isfinite(column).all() and (column >= 0).all()):
            raise ValueError(f"{name} must be numbers of at least 0.")


def _alone(points: FloatArray, exposure: FloatArray, driven: NDArray[np.bool_], psi: float) -> Fit:
    nothing = np.zeros(np.count_nonzero(driven))
    total = exposure.sum()
    return _spread_out(
        driven, JEFFREYS + points[driven] / psi, exposure[driven] / psi, nothing, psi=psi, cv=np.nan,
        rate=float(points[driven].sum() / total) if total else np.nan, distance_needed_100km=np.nan,
        method=Method.FALLBACK,
    )  # fmt: skip


def _matched(priors: Priors, events: FloatArray, exposure: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shape and rate of the one gamma with the mean and variance of the mixture that a driver's posterior is."""
    shape = priors.shape[:, None] + events
    part = shape / (priors.exposure[:, None] + exposure)
    weighted = priors.weight[:, None] * part
    mean = weighted.sum(axis=0)
    # E[x^2] of a gamma is A (A + 1) / B^2; less the square of the mean only at the end.
    variance = np.sum(weighted * part * (1 + 1 / shape), axis=0) - mean**2
    return mean**2 / variance, mean / variance


def _own_share(priors: Priors, exposure: FloatArray) -> FloatArray:
    share: FloatArray = priors.weight @ (exposure / (priors.exposure[:, None] + exposure))
    return share


def _half_known(priors: Priors) -> float:
    """The exposure at which own data and the fleet's weigh the same; it lies among the priors' own exposures."""
    known = priors.exposure

    def excess(exposure: float) -> float:
        return float(_own_share(priors, np.array([exposure]))[0]) - HALF

    return float(brentq(excess, known.min(), known.max()))


def _spread_out(
    driven: NDArray[np.bool_], alpha: FloatArray, beta: FloatArray, reliability: FloatArray, *,
    psi: float, cv: float, rate: float, distance_needed_100km: float, method: Method,
) -> Fit:  # fmt: skip
    """Back to a row per driver."""

    def rows(column: FloatArray, absent: float = np.nan) -> FloatArray:
        filled = np.full(len(driven), absent)
        filled[driven] = column
        return filled

    return Fit(
        alpha=rows(alpha), beta=rows(beta), mean=rows(alpha / beta), low=rows(gammaincinv(alpha, LOW) / beta),
        high=rows(gammaincinv(alpha, HIGH) / beta), reliability=rows(reliability, 0.0), psi=psi, cv=cv, rate=rate,
        distance_needed_100km=distance_needed_100km, method=method,
    )  # fmt: skip
