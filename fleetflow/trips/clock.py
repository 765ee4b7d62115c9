"""A trip's clock: seconds from its start for every sample, where it has one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray, Samples

GAP_S = 1.0
GAP_STEPS = 3.0
"""A step longer than both a second and three ordinary steps is a gap: nothing is known about what happened in it."""


def with_clock(samples: Samples, sample_hz: float | None) -> Samples:
    """The samples with `t_s` filled from the rate; as they are when they have times already or no rate is known."""
    if samples.t_s is not None or sample_hz is None:
        return samples
    return replace(samples, t_s=np.arange(len(samples)) / sample_hz)


def rising(t_s: FloatArray) -> FloatArray:
    """The times in order; as they are, uncopied, where they never fall."""
    return t_s if np.all(t_s[1:] >= t_s[:-1]) else np.sort(t_s)


def median_step_s(t_s: FloatArray) -> float | None:
    """The ordinary time from one sample to the next; None when time never moves on. `t_s` must not fall.

    The lower median: a step that was really taken, where half of the steps are gaps.
    """
    steps = t_s[1:] - t_s[:-1]
    steps = steps[steps > 0]
    middle = (steps.size - 1) // 2
    return float(np.partition(steps, middle)[middle]) if steps.size else None


def gap_limit_s(step_s: float) -> float:
    """The longest step that is not a gap."""
    return max(GAP_S, GAP_STEPS * step_s)
