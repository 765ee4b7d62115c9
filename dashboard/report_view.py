"""The button of the driver page that prints: what the page knows, as the content of a report."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dashboard import (
    coaching_view,
    downloads,
    driver_cards,
    driver_report,
    driver_view,
    look,
    movements,
    tables,
    weeks,
    words,
)
from dashboard.driver_charts import POINTS
from dashboard.driver_report import Content, Note, Rate

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from dashboard.changing import Explanation
    from dashboard.driver_view import Subject
    from fleetflow.storage.coaching import CoachingNote

TRIP_COLUMNS = ("Began", "Vehicle", "Score", "Harsh events", "Distance", "Duration")


def show_button(content: Content) -> None:
    """The download; the page is only printed once somebody asks for it."""
    downloads.button(
        "Report (PDF)", partial(driver_report.render, content), f"fleetflow-{words.file_name(content.name)}.pdf",
        "application/pdf", type="secondary", icon=":material/print:", key="report",
        help="One page for printing, with all figures, how sure they are, and the notes.",
    )  # fmt: skip


def content(
    subject: Subject, now: datetime, *, everybody: pd.DataFrame, explained: Explanation | None, trips: pd.DataFrame,
    notes: list[CoachingNote],
) -> Content:  # fmt: skip
    """What the report says: the same figures as the page."""
    return Content(
        name=subject.name,
        facts=_facts(subject, now),
        figures=[each[:3] for each in driver_view.key_figures(subject)],
        weeks=everybody[everybody["driver_id"] == subject.driver_id],
        fleet=weeks.of_fleet(everybody, POINTS),
        rates=_rates(subject),
        explained=explained,
        compared=f"{subject.days} days before and now" if subject.days else "",
        change=driver_cards.movement_words(subject) if explained else _why_not(subject),
        notes=[_note(subject, note) for note in notes if note.withdrawn_at is None][: driver_report.MOST_NOTES],
        trip_columns=TRIP_COLUMNS,
        trips=_worst_trips(trips, subject.zone),
        printed=f"Printed {words.day_and_time(now, subject.zone)}, {words.zone_note(subject.zone)}.",
    )


def _why_not(subject: Subject) -> str:
    return driver_cards.TOO_LITTLE if subject.before else "All time has no period before it."


def _facts(subject: Subject, now: datetime) -> list[str]:
    since = subject.window.since
    period = words.date_range(since, now, subject.zone) if since else "All trips"
    stored = subject.stored
    return [
        " · ".join([*driver_view.badges(subject), f"id {subject.driver_id}"]),
        f"{period} · {words.zone_note(subject.zone)}",
        f"Scored under profile {stored.version}, “{stored.profile.name}”",
    ]


def _rates(subject: Subject) -> list[Rate]:
    return [
        Rate(kind.value, look.KINDS[kind].sign, look.KINDS[kind].label, _count(subject, kind.value), mine, fleet)
        for kind, (mine, fleet) in driver_cards.rates(subject).items()
    ]


def _count(subject: Subject, kind: str) -> int:
    return int(subject.row[kind]) if subject.row else 0


def _note(subject: Subject, note: CoachingNote) -> Note:
    row = coaching_view.effect(subject, note.coached_on)
    said = coaching_view.effect_words(row) if row else movements.change_words(None)
    return Note(coaching_view.day_words(note.coached_on), note.note, said)


def _worst_trips(trips: pd.DataFrame, zone: str) -> list[list[str]]:
    worst = trips.dropna(subset=["safety_score"]).sort_values("safety_score", kind="stable")[: driver_report.MOST_TRIPS]
    began = worst["began_at"].dt.tz_convert(zone).dt.strftime("%-d %b %Y, %H:%M")
    counts = worst[list(look.KIND_COLUMNS)].sum(axis=1)
    rows = zip(
        began, tables.vehicle_names(worst), worst["safety_score"], counts, worst["distance_km"], worst["duration_s"],
        strict=True,
    )  # fmt: skip
    return [
        [at, vehicle, words.integer(score), words.integer(count), words.kilometres(km), words.duration(seconds)]
        for at, vehicle, score, count, km, seconds in rows
    ]
