"""Finding harsh events: even tracks, smoothed by rate, peaks per kind; a whole batch in one pass per rate."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.flat import flatten
from fleetflow.safety.peaks import find
from fleetflow.safety.smoothing import smooth
from fleetflow.safety.tracks import make_even
from fleetflow.safety.tuning import WITHOUT_CLOCK, Tuning, tuning_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleetflow.safety.flat import Flat
    from fleetflow.safety.tracks import EvenTrip, Track
    from fleetflow.trips.samples import FloatArray, Samples


def find_events(batch: Sequence[Samples]) -> list[list[HarshEvent]]:
    """The events of each trip of a batch, in order of their peak; one batch costs far less than its trips alone.

    The method is scipy's `find_peaks` on smoothed signals: a height, a prominence and a distance, and extents at
    half the peak. A trip without a clock, or with under 30 s of it, is not smoothed.
    """
    trips = [make_even(samples) for samples in batch]
    found: list[list[HarshEvent]] = [[] for _ in batch]
    groups: dict[Tuning, list[tuple[int, Track]]] = defaultdict(list)
    for number, trip in enumerate(trips):
        if trip.tracks:
            groups[_tuning_of(trip)].extend((number, track) for track in trip.tracks)
    for tuning, members in groups.items():
        for number, event in _events_of_group(tuning, members):
            found[number].append(_located(event, batch[number]))
    return [sorted(events, key=lambda event: (event.peak_s, event.kind)) for events in found]


def _tuning_of(trip: EvenTrip) -> Tuning:
    return tuning_at(1.0 / trip.step_s, smoothed=trip.smoothable) if trip.has_clock else WITHOUT_CLOCK


def _events_of_group(tuning: Tuning, members: Sequence[tuple[int, Track]]) -> Iterator[tuple[int, HarshEvent]]:
    """The events of tracks with one tuning, each with its trip's number in the batch."""
    flat = flatten([track for _, track in members], tuning.padding)
    for kind, signal in _signals(flat, tuning).items():
        peaks = find(signal, tuning.rule(kind))
        places = flat.track_of(peaks.at)
        start = flat.starts[places]
        # Rounded, because the last bits of a position between samples depend on where in the batch it lies.
        left, right = (np.round(edge - start, 6) for edge in (peaks.left, peaks.right))
        columns = (places, peaks.at - start, signal[peaks.at], left, right)
        for place, at, peak, begin, end in zip(*(column.tolist() for column in columns), strict=True):
            number, track = members[place]
            yield number, _event(kind, peak, track, at=at, left=begin, right=end)


def _signals(flat: Flat, tuning: Tuning) -> dict[EventKind, FloatArray]:
    """Per kind what its peaks are peaks of: never negative, zero between tracks."""
    long_g = smooth(flat.long_g, flat.inside, tuning.kernel, median=tuning.median)
    lat_g = smooth(flat.lat_g, flat.inside, tuning.kernel, median=tuning.median)
    return {
        EventKind.BRAKING: np.maximum(-long_g, 0.0),
        EventKind.ACCELERATION: np.maximum(long_g, 0.0),
        EventKind.CORNERING: np.abs(lat_g),
        EventKind.SPEEDING: flat.speed_kmh,
    }


def _event(kind: EventKind, peak: float, track: Track, *, at: int, left: float, right: float) -> HarshEvent:
    """All positions are samples from the track's start; an event never leaves its track."""
    start, end = max(left, 0.0), min(right, len(track.long_g) - 1.0)
    return HarshEvent(
        kind=kind,
        start_s=track.start_s + start * track.step_s,
        peak_s=track.start_s + at * track.step_s,
        end_s=track.start_s + end * track.step_s,
        peak_g=None if kind is EventKind.SPEEDING else peak,
        speed_kmh=float(track.speed_kmh[at]),
    )


def _located(event: HarshEvent, samples: Samples) -> HarshEvent:
    """The event with the position that was known nearest in time to its peak."""
    latitude, longitude = samples.latitude, samples.longitude
    if latitude is None or longitude is None:
        return event
    known = np.flatnonzero(np.isfinite(latitude) & np.isfinite(longitude))
    if known.size == 0:
        return event
    times = known.astype(np.float64) if samples.t_s is None else samples.t_s[known]
    nearest = known[np.argmin(np.abs(times - event.peak_s))]
    return replace(event, latitude=float(latitude[nearest]), longitude=float(longitude[nearest]))
