"""What is looked up of every trip, found for a batch in one pass: a short trip costs little more than its numpy calls.

The pass is for trips whose times rise and whose values are all there, as nearly all are; of others it says nothing,
and whoever asks looks for himself. What it says of a trip does not depend on the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from fleetflow.trips.samples import FloatArray, Samples

    BoolArray = npt.NDArray[np.bool_]
    IndexArray = npt.NDArray[np.intp]

MIN_POINTS = 8
LONGEST_BRIDGE_S = 60.0
"""Over a longer silence the speed before and after says nothing about the way between."""
BAND_EDGES_KMH = (35.0, 70.0)
"""Town, country, motorway."""
SECONDS_PER_HOUR = 3600.0
MOVING_KMH = 5.0
RISE_S = 1.0


@dataclass(frozen=True, slots=True)
class Survey:
    """Of one trip: its ordinary and its longest step, and how far its samples are from even ones `own_s` apart, in s.

    `speed_sd_kmh` is the spread of the speed, `rise_kmh_s` its steepest rise over a second, `fresh_speed` whether most
    of its changes come from one sample to the next. `largest_g` is the largest size of `g_force_long`,
    `held_at_largest` how often it stays there over two samples or more, `shaking_g` what smoothing takes off, as rms.
    `band_km` is the way below, between and above BAND_EDGES_KMH.
    """

    step_s: float
    longest_s: float
    own_s: float
    uneven_s: float
    speed_sd_kmh: float
    rise_kmh_s: float
    fresh_speed: bool
    largest_g: float
    held_at_largest: int
    shaking_g: float
    band_km: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Flat:
    """The trips' columns one after the other; `firsts` and `lasts` are where each begins and ends (inclusive)."""

    t_s: FloatArray
    speed_kmh: FloatArray
    long_g: FloatArray
    sizes: IndexArray
    firsts: IndexArray
    lasts: IndexArray

    def before(self, values: FloatArray, at_first: FloatArray) -> FloatArray:
        """Each sample's neighbour."""
        moved = np.empty_like(values)
        moved[1:] = values[:-1]
        moved[self.firsts] = at_first
        return moved

    def after(self, values: FloatArray, at_last: FloatArray) -> FloatArray:
        moved = np.empty_like(values)
        moved[:-1] = values[1:]
        moved[self.lasts] = at_last
        return moved

    def each(self, of_trips: FloatArray) -> FloatArray:
        """A value per trip as one per sample."""
        return np.repeat(of_trips, self.sizes)

    def mean(self, values: FloatArray) -> FloatArray:
        """By trip."""
        mean: FloatArray = np.add.reduceat(values, self.firsts) / self.sizes
        return mean

    def largest(self, values: FloatArray) -> FloatArray:
        """By trip."""
        largest: FloatArray = np.maximum.reduceat(values, self.firsts)
        return largest


def survey(batch: Sequence[Samples]) -> list[Survey | None]:
    """What there is to see of each trip; None for one that is too short, out of order or incomplete."""
    found: list[Survey | None] = [None] * len(batch)
    plain = [number for number, samples in enumerate(batch) if samples.t_s is not None and len(samples) >= MIN_POINTS]
    for number, seen in zip(plain, _surveyed([batch[number] for number in plain]), strict=True):
        found[number] = seen
    return found


def _surveyed(trips: Sequence[Samples]) -> list[Survey | None]:
    if not trips:
        return []
    flat = _laid_out(trips)
    whole = _are_whole(flat, trips)
    if all(whole):
        return list(_seen(flat))
    seen = iter(_surveyed([trip for trip, is_whole in zip(trips, whole, strict=True) if is_whole]))
    return [next(seen) if is_whole else None for is_whole in whole]


def _are_whole(flat: _Flat, trips: Sequence[Samples]) -> list[bool]:
    """Whether times rise and no value is missing."""
    lat_g = np.concatenate([each.g_force_long if each.g_force_lat is None else each.g_force_lat for each in trips])
    known = np.isfinite(flat.t_s) & np.isfinite(flat.speed_kmh) & np.isfinite(flat.long_g) & np.isfinite(lat_g)
    known &= flat.after(flat.t_s, np.full(len(trips), np.inf)) > flat.t_s
    whole: list[bool] = np.logical_and.reduceat(known, flat.firsts).tolist()
    return whole


def _laid_out(trips: Sequence[Samples]) -> _Flat:
    sizes = np.array([len(each) for each in trips], dtype=np.intp)
    ends = np.cumsum(sizes)
    t_s = np.concatenate([each.t_s for each in trips if each.t_s is not None])
    speed_kmh, long_g = (
        np.concatenate(column) for column in ([t.speed_kmh for t in trips], [t.g_force_long for t in trips])
    )
    return _Flat(t_s, speed_kmh, long_g, sizes, ends - sizes, ends - 1)


def _seen(flat: _Flat) -> Iterator[Survey]:
    steps_s = flat.after(flat.t_s, flat.t_s[flat.lasts]) - flat.t_s  # 0 for each last sample
    own_s, uneven_s = _evenness(flat)
    columns = [
        _medians(flat, steps_s), flat.largest(steps_s).tolist(), own_s.tolist(), uneven_s.tolist(),
        _spread(flat, flat.speed_kmh).tolist(), _rises(flat, own_s).tolist(), _fresh(flat).tolist(),
        *_limits(flat), _shaking(flat).tolist(), _band_km(flat, steps_s),
    ]  # fmt: skip
    for row in zip(*columns, strict=True):
        yield Survey(*row)


def _evenness(flat: _Flat) -> tuple[FloatArray, FloatArray]:
    """Each trip's mean step, and how far a sample is from where that step would put it."""
    starts_s = flat.t_s[flat.firsts]
    own_s = (flat.t_s[flat.lasts] - starts_s) / (flat.sizes - 1)
    index = np.arange(len(flat.t_s)) - np.repeat(flat.firsts, flat.sizes)
    return own_s, flat.largest(np.abs(flat.t_s - (flat.each(starts_s) + flat.each(own_s) * index)))


def _medians(flat: _Flat, steps_s: FloatArray) -> list[float]:
    """The lower median of each trip's steps."""
    bounds = zip(flat.firsts.tolist(), flat.lasts.tolist(), strict=True)
    middles = (((last - first - 1) // 2, steps_s[first:last]) for first, last in bounds)
    return [float(np.partition(steps, middle)[middle]) for middle, steps in middles]


def _spread(flat: _Flat, values: FloatArray) -> FloatArray:
    spread: FloatArray = np.sqrt(flat.mean((values - flat.each(flat.mean(values))) ** 2))
    return spread


def _rises(flat: _Flat, own_s: FloatArray) -> FloatArray:
    """The largest gain of speed within a second, or one sample if that is longer, in km/h a second; not below 0."""
    steps = np.maximum(np.round(RISE_S / own_s), 1).astype(np.intp)
    later = np.minimum(np.arange(len(flat.t_s)) + np.repeat(steps, flat.sizes), np.repeat(flat.lasts, flat.sizes))
    late = later - np.arange(len(flat.t_s)) == np.repeat(steps, flat.sizes)
    gained_kmh = np.where(late, flat.speed_kmh[later] - flat.speed_kmh, 0.0)
    rises: FloatArray = flat.largest(gained_kmh) / (steps * own_s)
    return rises


def _fresh(flat: _Flat) -> BoolArray:
    """Whether more than half of the changes while driving are followed by another at once, or there are hardly any."""
    changed = flat.speed_kmh != flat.before(flat.speed_kmh, flat.speed_kmh[flat.firsts])
    again = flat.after(changed.astype(np.float64), np.zeros(len(flat.sizes)))
    moving = changed & (flat.speed_kmh > MOVING_KMH)
    at_once, all_of_them, few = (
        np.add.reduceat(each, flat.firsts) for each in (moving * again, moving.astype(float), changed.astype(float))
    )
    fresh: BoolArray = (2 * at_once > all_of_them) | (few <= 3)  # noqa: PLR2004 - less than MIN_EQUAL_CHANGES spans
    return fresh


def _limits(flat: _Flat) -> tuple[list[float], list[int]]:
    """Each trip's largest size of the acceleration, and how often it is held."""
    size_g, none = np.abs(flat.long_g), np.full(len(flat.sizes), -1.0)
    largest = flat.largest(size_g)
    limit, before, after = flat.each(largest), flat.before(size_g, none), flat.after(size_g, none)
    begins = (size_g == limit) & (before != limit) & (after == limit)
    return largest.tolist(), np.add.reduceat(begins.astype(np.intp), flat.firsts).tolist()


def _shaking(flat: _Flat) -> FloatArray:
    """What `measures.shaking_g` says of each trip."""
    g, first, last = flat.long_g, flat.firsts, flat.lasts
    before, after = flat.before(g, g[last]), flat.after(g, g[first])
    steady = np.minimum(np.maximum(g, np.minimum(before, after)), np.maximum(before, after))
    total = steady + flat.before(steady, steady[first]) + flat.after(steady, steady[last])
    shaking: FloatArray = np.sqrt(flat.mean((g - total / 3) ** 2))
    return shaking


def _band_km(flat: _Flat, steps_s: FloatArray) -> list[tuple[float, ...]]:
    mean_kmh = (flat.after(flat.speed_kmh, np.zeros(len(flat.sizes))) + flat.speed_kmh) / 2
    km = np.where(steps_s <= LONGEST_BRIDGE_S, mean_kmh * steps_s, 0.0) / SECONDS_PER_HOUR
    beyond = [km, *(np.where(mean_kmh >= edge, km, 0.0) for edge in BAND_EDGES_KMH)]
    sums = [np.add.reduceat(each, flat.firsts) for each in beyond]
    bands = (np.maximum(slower - faster, 0.0) for slower, faster in pairwise([*sums, np.zeros(len(flat.sizes))]))
    return list(zip(*(band.tolist() for band in bands), strict=True))
