"""Many tracks in one flat array, zeros between them, so that a batch costs a fixed number of array operations.

The zeros are longer than any kernel, so that a track never feels its neighbours: a batch gives exactly what its trips
give alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fleetflow.trips.samples import FloatArray
    from fleetflow.trips.tracks import Track

IndexArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """`starts` and `ends` are where each track lies (`ends` exclusive); `inside` is True on tracks."""

    long_g: FloatArray
    lat_g: FloatArray
    speed_kmh: FloatArray
    inside: BoolArray
    starts: IndexArray
    ends: IndexArray

    def track_of(self, positions: IndexArray) -> IndexArray:
        """The number of the track that each position lies on."""
        return np.searchsorted(self.starts, positions, side="right") - 1


def flatten(tracks: Sequence[Track], padding: int) -> Flat:
    """Lay the tracks out with `padding` zeros before, between and after them."""
    lengths = np.array([len(track.long_g) for track in tracks], dtype=np.intp)
    starts = padding + np.concatenate([[0], np.cumsum(lengths + padding)[:-1]]).astype(np.intp)
    between = np.zeros(padding)

    def laid_out(columns: Iterable[FloatArray]) -> FloatArray:
        return np.concatenate([between, *(part for column in columns for part in (column, between))])

    return Flat(
        long_g=laid_out(track.long_g for track in tracks),
        lat_g=laid_out(track.lat_g for track in tracks),
        speed_kmh=laid_out(track.speed_kmh for track in tracks),
        inside=laid_out(np.ones(length) for length in lengths.tolist()) > 0,
        starts=starts,
        ends=starts + lengths,
    )
