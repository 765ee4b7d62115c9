"""The cards of the driver page: how the weeks went, why the figure changed, which events there were, and when."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from dashboard import (
    changing,
    components,
    data,
    driver_charts,
    fleet_view,
    habit_charts,
    hours,
    look,
    movements,
    tables,
    weeks,
    words,
)
from dashboard.changing import Report
from dashboard.movements import Window
from fleetflow.safety.change import TENTHS
from fleetflow.safety.events import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dashboard.changing import Explanation
    from dashboard.driver_view import Subject
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.coaching import CoachingNote
    from fleetflow.storage.profiles import Activation
    from fleetflow.trips.samples import FloatArray

    Floors = tuple[tuple[EventKind, float], ...]
    Rates = Mapping[EventKind, tuple[float, float]]

HABIT_DAYS = 7 * weeks.WEEKS
SHOWN_FROM = 0.6
"""Events from this share of their threshold on are drawn: near misses show how somebody drives, gentle ones do not."""
SERIES = {"Points per 100 km": driver_charts.POINTS, "Score": driver_charts.SCORE}
TOO_LITTLE = "Too little driving in one of the two periods: nothing to compare."
CHANGE_HELP = (
    "Driving: what the driver did differently on the same roads. Roads driven: another mix of town, country and"
    " motorway. Profile: other thresholds or penalties. Reviews: events judged since the report before. Pull to fleet:"
    " the less is driven, the more the estimate leans on the fleet. The parts add up to the change. The badge says how"
    " sure a change of the driver's own rate is, beyond the fleet's change."
)


def load_weeks(subject: Subject, now: datetime) -> pd.DataFrame:
    """All drivers by week, the last twelve; see weeks.by_week."""
    today = now.astimezone(ZoneInfo(subject.zone)).date()
    first = date.fromordinal(today.toordinal() - today.weekday() - 7 * (weeks.WEEKS - 1))
    start = movements.midnight(first, subject.zone)
    return data.driver_weeks(subject.database, subject.stored.version, start, subject.zone)


def show_weeks(subject: Subject, everybody: pd.DataFrame, notes: list[CoachingNote]) -> None:
    """Points or score by week, with intervals and the fleet."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header("By week", anchor=False, width="content")
        st.space("stretch")
        chosen = st.segmented_control(
            "What to show", list(SERIES), default=next(iter(SERIES)), key="weekly_of", label_visibility="collapsed",
            required=True, format_func=words.segment,
        )  # fmt: skip
    st.markdown(":small[:gray[Bars: 90 % interval · grey: the middle half of the fleet · dashed: its median]]")
    mine = everybody[everybody["driver_id"] == subject.driver_id]
    if mine.empty:
        st.caption(f"No driving in the last {weeks.WEEKS} weeks.")
        return
    column = SERIES[str(chosen)]
    coached = [note.coached_on for note in notes if note.withdrawn_at is None]
    shown = [day for day in coached if pd.Timestamp(day) >= everybody["week"].min()]
    components.chart(
        driver_charts.by_week(mine, weeks.of_fleet(everybody, column), column, shown),
        key=f"weeks_{column}",
        alt=f"{chosen} by week; {words.decimal(mine[column].iloc[-1])} in the last one",
    )


def explain_change(subject: Subject) -> Explanation | None:
    """The way from the period before to this one; None where one of them has too little driving for a figure."""
    since, window, row, was = subject.window.since, subject.before, subject.row, subject.row_before
    if since is None or window is None or not row or not was or not (row["rank"] > 0 and was["rank"] > 0):
        return None
    version = version_at(data.profile_history(subject.database)[1], since)
    if version != subject.stored.version:
        standing = data.standing(subject.database, version, window, subject.zone).set_index("driver_id")
        was = movements.row_of(standing, subject.driver_id)
        if was is None:
            return None
    then, now = data.profile_of(subject.database, version).profile, subject.stored.profile
    before = Report(then, float(was["distance_km"]), float(was["points_per_100_km"]))
    after = Report(now, float(row["distance_km"]), float(row["points_per_100_km"]))
    both = Window(window.since, subject.window.until)
    events = data.driver_events(subject.database, subject.driver_id, both, _floors(then, now), since)
    trips = data.driver_trips(subject.database, subject.driver_id, both)
    return changing.explain(events, trips, since, before, after, own_share=float(was["reliability"]))


def version_at(activations: list[Activation], moment: datetime) -> int:
    """The profile that was active then, of activations from the newest on; before there was any, the first."""
    earlier = [each for each in activations if each.activated_at <= moment]
    return (earlier[0] if earlier else activations[-1]).profile_version


def _floors(*of: ScoringProfile, share: float = 1.0) -> Floors:
    """A share of the lowest threshold of each kind, over the rules of all profiles and vehicle classes."""
    rules = [each for profile in of for each in (profile.rules, *profile.class_rules.values())]
    return tuple((kind, share * min(each[kind].threshold for each in rules)) for kind in EventKind)


def movement_words(subject: Subject) -> str:
    """How sure the change of the driver's own rate is."""
    return movements.change_words(subject.row) if subject.before else ""


def show_change(subject: Subject, explained: Explanation | None) -> None:
    """The waterfall, or why there is none."""
    caption = f"Points per 100 km, the {subject.days} days before and now" if subject.days else None
    components.card_head("Why it changed", caption, help=CHANGE_HELP)
    if subject.before is None:
        st.caption("Choose 7, 28 or 56 days to compare with as many days before.")
    elif explained is None:
        st.caption(f"{TOO_LITTLE} A rank in both is needed.")
    else:
        components.chart(driver_charts.waterfall(explained), key="why", alt=change_alt(explained))
        st.badge(movement_words(subject), color="gray")


def change_alt(explained: Explanation) -> str:
    """The waterfall in a sentence."""
    parts = ", ".join(f"{word} {words.signed(value)}" for word, value in explained.rows)
    return f"From {explained.before / TENTHS:.1f} to {explained.after / TENTHS:.1f} points per 100 km: {parts}."


def rates(subject: Subject) -> dict[EventKind, tuple[float, float]]:
    """Harsh events per 100 km by kind, the driver's and the fleet's."""
    mine = subject.ranking[subject.ranking["driver_id"] == subject.driver_id]
    return {
        kind: (fleet_view.rate(mine, kind.value), fleet_view.rate(subject.ranking, kind.value)) for kind in look.KINDS
    }


def show_severity(subject: Subject) -> None:
    """Which events, how hard, and how often against the fleet."""
    caption = "A mark is an event · tick: the fleet's median · right: harsh per 100 km"
    components.card_head("Events and their severity", caption)
    fleet = data.fleet_severity(subject.database, subject.stored.version, subject.window.since)
    medians = {EventKind(kind): float(median) for kind, median in zip(fleet["kind"], fleet["median"], strict=True)}
    found = rates(subject)
    components.chart(
        habit_charts.severity(shown_events(subject), found, medians), key="severity", alt=severity_alt(found)
    )


def shown_events(subject: Subject) -> pd.DataFrame:
    """The driver's events near and above their thresholds with multiple, harsh and said; see habit_charts.severity."""
    profile = subject.stored.profile
    floors = _floors(profile, share=SHOWN_FROM)
    events = data.driver_events(subject.database, subject.driver_id, subject.window, floors)
    harsh = changing.is_harsh(events, profile)
    shown = events.assign(multiple=events["peak"] / changing.thresholds(events, profile), harsh=harsh)
    # What is above its threshold and does not count was dismissed or is in doubt: it tells nothing of the driver.
    shown = shown[(shown["multiple"] >= SHOWN_FROM) & (shown["harsh"] | (shown["multiple"] <= 1))]
    hardest = habit_charts.hardest(shown)
    moments = {each: words.day_and_time(each, subject.zone) for each in hardest["began_at"].unique()}
    rows = zip(hardest["kind"], hardest["peak"], hardest["multiple"], hardest["began_at"], strict=True)
    return hardest.assign(said=[_event_words(*row[:3], moments[row[3]]) for row in rows])


def _event_words(kind: str, peak: float, multiple: float, began: str) -> str:
    kind_look = look.KINDS[EventKind(kind)]
    said = words.decimal(peak, kind_look.digits, kind_look.unit)
    times = f"{words.decimal(multiple, 2)}{habit_charts.TIMES} the threshold"
    return f"<b>{kind_look.sign} {said}</b>, {times}<br>trip of {began}"


def severity_alt(of: Rates) -> str:
    """What the strips say: harsh events per 100 km by kind."""
    each = [f"{look.KINDS[kind].noun} {words.decimal(a, 2)} and {words.decimal(b, 2)}" for kind, (a, b) in of.items()]
    return f"Harsh events per 100 km, driver and fleet: {'; '.join(each)}."


def show_hours(subject: Subject, now: datetime) -> None:
    """When it happens, by weekday and hour."""
    caption = f"Harsh events per 100 km, last {weeks.WEEKS} weeks · dot: under {habit_charts.LEAST_KM:.0f} km driven"
    components.card_head("When it happens", caption)
    profile, window = subject.stored.profile, Window(words.period_start(HABIT_DAYS, subject.zone, now))
    trips = data.driver_trips(subject.database, subject.driver_id, window)
    events = data.driver_events(subject.database, subject.driver_id, window, _floors(profile))
    driven = hours.distance_km(trips, subject.zone)
    counts = hours.event_counts(events.loc[changing.is_harsh(events, profile), "peak_at"], subject.zone)
    components.chart(habit_charts.hours(driven, counts), key="hours", alt=hours_alt(driven, counts))


def hours_alt(driven: FloatArray, counts: FloatArray) -> str:
    """The day of the week with the most harsh events, in a sentence."""
    by_day = counts.sum(axis=1)
    if not by_day.any():
        return f"By weekday and hour: no harsh event in {words.kilometres(float(driven.sum()))}."
    worst = int(by_day.argmax())
    many = words.plural(int(by_day[worst]), "harsh event")
    return f"Harsh events by weekday and hour; the most on {habit_charts.WEEKDAYS[worst]}: {many}."


def show_trips(trips: pd.DataFrame, subject: Subject, most: int) -> None:
    """All trips of the period, newest first, and their downloads."""
    with st.container(border=True):
        components.card_head("Trips")
        tables.trips(trips, subject.zone)
        many = f"The newest {most} trips of the period" if len(trips) == most else words.plural(len(trips), "trip")
        note = f"{many}, newest first. The time or the arrow opens a trip."
        components.csv_footer(trips, note, f"fleetflow-trips-{words.file_name(subject.name)}.csv")
