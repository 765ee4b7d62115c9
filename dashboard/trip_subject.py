"""The trip that is looked at: judged under a profile, with the event and the part that the address names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard import components, data, explain
from dashboard.trip_charts import Scene, TimeAxis
from fleetflow.trips.quality import Finding

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.explain import Judged
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.profiles import StoredProfile
    from fleetflow.storage.reports import TripReport
    from fleetflow.storage.reviews import ReviewRecord

WINDOWS = {"120": "2 min", "20": "20 s"}


@dataclass(frozen=True, slots=True)
class Subject:
    """A scored trip; `below` counts events under their thresholds, `profile` has the vehicle's rules."""

    trip: TripReport
    stored: StoredProfile
    profile: ScoringProfile
    samples: pd.DataFrame
    judged: list[Judged]
    below: int
    axis: TimeAxis
    has_clock: bool
    window: tuple[float, float] | None
    chosen: Judged | None
    reviews: dict[int, ReviewRecord]

    @property
    def scene(self) -> Scene:
        """What the charts over time draw."""
        chosen = self.chosen.number if self.chosen else None
        return Scene(self.samples, self.judged, self.profile, self.axis, self.window, chosen)

    @property
    def is_estimated(self) -> bool:
        """Whether the speed stands in for an accelerometer."""
        return any(reason.get("finding") == Finding.ESTIMATED for reason in self.trip.quality_reasons or [])

    def reason(self, judged: Judged) -> str:
        """What the last reviewer of an event said."""
        past = self.reviews.get(judged.event.id or 0)
        return past.reason if past is not None and past.review is not None else ""


def asked_profile(database: str) -> StoredProfile:
    """The profile of the address, if there is such a one, else the active one."""
    active = data.active_profile(database)
    asked = st.query_params.get("profile", "")
    if asked in {"", str(active.version)}:
        return active
    stored, _ = data.profile_history(database)
    return next((each for each in stored if str(each.version) == asked), active)


def load(trip: TripReport, stored: StoredProfile) -> Subject:
    """Everything the page draws of a scored trip."""
    database = components.database()
    samples = data.samples(database, trip.trip_id)
    events = data.events(database, trip.trip_id)
    profile = stored.profile.for_class(trip.vehicle_class)
    judged = explain.judge(events, profile)
    has_clock = trip.duration_s is not None or trip.sample_hz is not None
    chosen = next((each for each in judged if str(each.number) == st.query_params.get("event")), None)
    end = float(samples["t_s"].iloc[-1]) if len(samples) else 0.0
    said: dict[int, ReviewRecord] = {}
    for past in reversed(data.trip_reviews(database, trip.trip_id)):
        said[past.event_id or 0] = past
    return Subject(
        trip, stored, profile, samples, judged, len(events) - len(judged), _axis(trip, has_clock=has_clock), has_clock,
        _window(st.query_params.get("view", ""), chosen, end), chosen, said,
    )  # fmt: skip


def _axis(trip: TripReport, *, has_clock: bool) -> TimeAxis:
    if not has_clock:
        return TimeAxis(0.0, is_date=False)
    # Without a date, midnight of a day long ago: the axis then reads as time since the start.
    start = trip.started_at or datetime(1970, 1, 1, tzinfo=ZoneInfo(components.zone()))
    offset = start.astimezone(ZoneInfo(components.zone())).utcoffset() or timedelta()
    return TimeAxis(start.timestamp() * 1000, is_date=True, shift_ms=-offset.total_seconds() * 1000)


def _window(view: str, chosen: Judged | None, end: float) -> tuple[float, float] | None:
    """The part that the address asks for, in seconds from the start; None for the whole trip, also for nonsense."""
    if view in WINDOWS:
        middle = chosen.event.peak_s if chosen else 0.0
        half = float(view) / 2
        start = min(max(middle - half, 0.0), max(end - 2 * half, 0.0))
        return start, min(start + 2 * half, end)
    drawn = _drawn(view)
    if drawn is None:
        return None
    inside = max(drawn[0], 0.0), min(drawn[1], end)
    return inside if inside[0] < inside[1] else None


def _drawn(view: str) -> tuple[float, float] | None:
    try:
        first, last = (float(part) for part in view.split("-"))
    except ValueError:
        return None
    return first, last


def choose_event(subject: Subject, number: int | None) -> None:
    """Look at an event from now on; a part that was drawn moves to it."""
    if number is None:
        st.query_params.pop("event", None)
        return
    st.query_params["event"] = str(number)
    view = st.query_params.get("view", "")
    peak_s = next((each.event.peak_s for each in subject.judged if each.number == number), None)
    if subject.window is not None and view not in WINDOWS and peak_s is not None:
        first, last = subject.window
        if not first <= peak_s <= last:
            start = max(peak_s - (last - first) / 2, 0.0)
            st.query_params["view"] = f"{start:.2f}-{start + last - first:.2f}"


def choose_profile(version: int, active: int) -> None:
    """Judge the page by another profile from now on; nothing is stored."""
    st.query_params.pop("event", None)  # its number may be another event's under other thresholds
    if version == active:
        st.query_params.pop("profile", None)
    else:
        st.query_params["profile"] = str(version)
