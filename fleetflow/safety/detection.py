"""Finding harsh events: even tracks, offset, smoothing by rate, peaks, context; a batch in one pass per rate."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.safety.context import Scene, SpeedWorth, find_doubts
from fleetflow.safety.derived import derive, doubt_frozen
from fleetflow.safety.events import EventKind, HarshEvent
from fleetflow.safety.flat import flatten
from fleetflow.safety.peaks import find
from fleetflow.safety.smoothing import smooth
from fleetflow.safety.tuning import WITHOUT_CLOCK, Tuning, derived_tuning_at, tuning_at
from fleetflow.trips.signals import examine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleetflow.safety.flat import Flat, IndexArray
    from fleetflow.safety.peaks import Peaks
    from fleetflow.trips.samples import FloatArray, Samples
    from fleetflow.trips.signals import Signals
    from fleetflow.trips.tracks import EvenTrip, Track


@dataclass(frozen=True, slots=True, eq=False)
class _Member:
    """A track of a batch, with its trip's number there and what its speed can prove."""

    trip: int
    track: Track
    worth: SpeedWorth


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """An even trip, how to look at it, and what its speed can prove; `frozen_s` is set where its g is the speed's."""

    trip: EvenTrip
    tuning: Tuning
    worth: SpeedWorth
    frozen_s: FloatArray | None = None


def find_events(batch: Sequence[Samples]) -> list[list[HarshEvent]]:
    """The events of each trip of a batch, for callers that ask nothing else of its signals."""
    return detect(examine(batch))


def detect(batch: Sequence[Signals]) -> list[list[HarshEvent]]:
    """The events of each trip of a batch, in order of their peak; one batch costs far less than its trips alone.

    The method is that of scipy's `find_peaks` on smoothed signals: a height, a prominence, a distance, extents at
    half the peak. Where the speed can be trusted, mounting and road grade are off already; what speaks against an
    event is kept as its doubts. A trip without a clock, or with under 30 s of it, has its peaks only. A trip without
    any acceleration has that of its speed.
    """
    found: list[list[HarshEvent]] = [[] for _ in batch]
    groups: dict[Tuning, list[_Member]] = defaultdict(list)
    prepared = [_prepared(signals) for signals in batch]
    for number, each in enumerate(prepared):
        if each.trip.tracks:
            groups[each.tuning].extend(_Member(number, track, each.worth) for track in each.trip.tracks)
    for tuning, members in groups.items():
        for number, event in _events_of_group(tuning, members):
            found[number].append(event)
    return [
        _finished(events, each, signals.samples) for events, each, signals in zip(found, prepared, batch, strict=True)
    ]


def _finished(events: list[HarshEvent], prepared: _Prepared, samples: Samples) -> list[HarshEvent]:
    events = sorted(events, key=lambda event: (event.peak_s, event.kind))
    if prepared.frozen_s is not None:
        events = [replace(event, derived=event.peak_g is not None) for event in events]
        events = doubt_frozen(events, prepared.frozen_s)
    return _located(events, samples)


def _prepared(signals: Signals) -> _Prepared:
    if not signals.measured:
        return _prepared_by_speed(signals)
    trip = signals.even
    tuning = tuning_at(1.0 / trip.step_s, smoothed=trip.smoothable) if trip.has_clock else WITHOUT_CLOCK
    return _Prepared(trip, tuning, _worth(signals) if trip.smoothable else SpeedWorth.NOTHING)


def _prepared_by_speed(signals: Signals) -> _Prepared:
    derived = derive(signals.even, signals.refresh_s)
    if derived is None:
        return _Prepared(replace(signals.even, tracks=[]), WITHOUT_CLOCK, SpeedWorth.NOTHING)
    tuning = derived_tuning_at(1.0 / derived.trip.step_s, in_context=derived.trip.smoothable)
    return _Prepared(derived.trip, tuning, _worth(signals), derived.frozen_s)


def _worth(signals: Signals) -> SpeedWorth:
    if signals.agreement.trusted:
        return SpeedWorth.TRUSTED
    return SpeedWorth.MEASURED if signals.is_evidence else SpeedWorth.NOTHING


def _events_of_group(tuning: Tuning, members: Sequence[_Member]) -> Iterator[tuple[int, HarshEvent]]:
    """The events of tracks with one tuning, each with its trip's number in the batch."""
    flat = _smoothed(flatten([member.track for member in members], tuning.padding), tuning)
    scene = _scene(flat, members)
    found = {kind: find(signal, flat, tuning.rule(kind)) for kind, signal in _signals(flat).items()}
    doubts = find_doubts(scene, found, tuning.context) if tuning.context else {}
    for kind, peaks in found.items():
        yield from _events_of_kind(kind, peaks, doubts.get(kind, [()] * peaks.at.size), scene)


def _events_of_kind(
    kind: EventKind, peaks: Peaks, doubts: Sequence[tuple[str, ...]], scene: Scene
) -> Iterator[tuple[int, HarshEvent]]:
    """An event never leaves its track."""
    tracks = scene.flat.track_of(peaks.at)
    first, began_s, step_s = scene.flat.starts[tracks], scene.start_s[tracks], scene.step_s[tracks]
    start, end = np.maximum(peaks.left, first), np.minimum(peaks.right, scene.flat.ends[tracks] - 1)
    times_s = (began_s + (place - first) * step_s for place in (start, peaks.at, end))
    changes_kmh = _speed_at(scene.flat, end) - _speed_at(scene.flat, start)
    columns = (scene.trips[tracks], *times_s, peaks.height, scene.flat.speed_kmh[peaks.at], changes_kmh)
    rows = zip(*(column.tolist() for column in columns), doubts, strict=True)
    for trip, start_s, peak_s, end_s, peak, speed_kmh, change_kmh, reasons in rows:
        peak_g = None if kind is EventKind.SPEEDING else peak
        event = HarshEvent(kind, start_s, peak_s, end_s, peak_g, speed_kmh, doubts=reasons, speed_change_kmh=change_kmh)
        yield trip, event


def _speed_at(flat: Flat, places: FloatArray) -> FloatArray:
    """The speed between two samples of a track, in km/h."""
    before = places.astype(np.intp)
    after = np.minimum(before + 1, flat.ends[flat.track_of(before)] - 1)
    first, second = flat.speed_kmh[before], flat.speed_kmh[after]
    speed_kmh: FloatArray = first + (places - before) * (second - first)
    return speed_kmh


def _scene(flat: Flat, members: Sequence[_Member]) -> Scene:
    return Scene(
        flat,
        trips=np.array([member.trip for member in members], dtype=np.intp),
        start_s=np.array([member.track.start_s for member in members]),
        step_s=np.array([member.track.step_s for member in members]),
        worth=np.array([member.worth for member in members], dtype=np.intp),
    )


def _smoothed(flat: Flat, tuning: Tuning) -> Flat:
    def smoothed(values: FloatArray) -> FloatArray:
        return smooth(values, flat.inside, tuning.kernel, median=tuning.median)

    return replace(flat, long_g=smoothed(flat.long_g), lat_g=smoothed(flat.lat_g))


def _signals(flat: Flat) -> dict[EventKind, FloatArray]:
    """Per kind what its peaks are peaks of: never negative, zero between tracks."""
    return {
        EventKind.BRAKING: np.maximum(-flat.long_g, 0.0),
        EventKind.ACCELERATION: np.maximum(flat.long_g, 0.0),
        EventKind.CORNERING: np.abs(flat.lat_g),
        EventKind.SPEEDING: flat.speed_kmh,
    }


def _located(events: list[HarshEvent], samples: Samples) -> list[HarshEvent]:
    """A trip's events, each with the position that was known nearest in time to its peak."""
    latitude, longitude = samples.latitude, samples.longitude
    if latitude is None or longitude is None or not events:
        return events
    known = np.flatnonzero(np.isfinite(latitude) & np.isfinite(longitude))
    if known.size == 0:
        return events
    times = known.astype(np.float64) if samples.t_s is None else samples.t_s[known]
    nearest = known[_nearest(times, np.array([event.peak_s for event in events]))]
    places = zip(events, latitude[nearest].tolist(), longitude[nearest].tolist(), strict=True)
    return [replace(event, latitude=lat, longitude=lon) for event, lat, lon in places]


def _nearest(times: FloatArray, wanted: FloatArray) -> IndexArray:
    """Which of the times, which never fall, is nearest to each of those wanted; of equally near ones the earlier."""
    after = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(wanted - times[before] <= times[after] - wanted, before, after)
