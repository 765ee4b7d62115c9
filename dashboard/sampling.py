"""Fewer points, same picture: of every bucket of samples the first, the lowest, the highest and the last are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from fleetflow.trips.samples import FloatArray

BUCKETS = 700
"""More than a chart is wide in places that an eye can tell apart, times four points each."""


def keep(values: FloatArray, buckets: int = BUCKETS) -> npt.NDArray[np.intp]:
    """The indices, in order, of at most 4 x `buckets` samples that hold each bucket's lowest and highest value.

    Missing values (NaN) are neither; a series that is short enough is kept whole.
    """
    count = len(values)
    if count <= 4 * buckets:
        return np.arange(count)
    width = -(-count // buckets)
    padded = np.full(-(-count // width) * width, np.nan)
    padded[:count] = values
    table = padded.reshape(-1, width)
    starts = np.arange(len(table)) * width
    lowest = starts + np.argmin(np.where(np.isnan(table), np.inf, table), axis=1)
    highest = starts + np.argmax(np.where(np.isnan(table), -np.inf, table), axis=1)
    lasts = np.minimum(starts + width, count) - 1
    return np.unique(np.concatenate([starts, lowest, highest, lasts]))
