"""The printed report of one driver: one page of A4, whatever is in it. Pure: content in, bytes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from fpdf.enums import MethodReturnValue

from dashboard import paper, words
from fleetflow.safety.change import TENTHS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from fpdf import FPDF

    from dashboard.changing import Explanation

LEFT, WIDTH = 15.0, 180.0  # mm, of an A4 page of 210 by 297
MIDDLE, HALF = 110.0, 85.0
COLORS: Mapping[str, paper.Color] = {
    "braking": (191, 51, 21),
    "acceleration": (15, 143, 192),
    "cornering": (100, 54, 190),
    "speeding": (207, 124, 0),
}
MOST_NOTES, NOTE_LINES = 3, 2
MOST_SIGNS = 400  # more than two lines hold
MOST_TRIPS = 5
PLOT_HEIGHT = 40.0
HOW_TO_READ = (
    "Points per 100 km are the penalty points of harsh events over the distance, estimated together with the whole"
    " fleet: the less somebody drives, the more the estimate leans on the fleet. The true figure lies in the 90 %"
    " interval with 90 % probability, and every likely rank fits the data. Rank 1 has the most points. A score is the"
    " mean over trips; a trip starts at 100. Dismissed events and trips whose signals cannot be believed do not count."
)


class Rate(NamedTuple):
    """Harsh events of one kind: how many, and per 100 km the driver's and the fleet's."""

    kind: str
    sign: str
    label: str
    events: int
    mine: float
    fleet: float


class Note(NamedTuple):
    """A coaching note with what followed."""

    day: str
    text: str
    effect: str


@dataclass(frozen=True, slots=True)
class Content:
    """All that the page says. `facts` are its lines under the name; `weeks` and `fleet` as weeks.by_week gives them.

    `trips` are rows of text under `trip_columns`; `figures` are label, value and note.
    """

    name: str
    facts: Sequence[str]
    figures: Sequence[tuple[str, str, str]]
    weeks: pd.DataFrame
    fleet: pd.DataFrame
    rates: Sequence[Rate]
    explained: Explanation | None
    compared: str
    change: str
    notes: Sequence[Note]
    trip_columns: Sequence[str]
    trips: Sequence[Sequence[str]]
    printed: str


def render(content: Content) -> bytes:
    """The report as a PDF of one page with its fonts in it."""
    pdf = paper.blank_page(f"{content.name}: driver report")
    _draw_head(pdf, content)
    _draw_figures(pdf, content.figures, top=45.0)
    _draw_weeks(pdf, content, top=72.0)
    _draw_rates(pdf, content.rates, top=132.0)
    _draw_change(pdf, content, top=132.0)
    _draw_notes(pdf, content.notes, top=188.0)
    _draw_trips(pdf, content, top=231.0)
    _draw_foot(pdf, content.printed)
    return bytes(pdf.output() or b"")


def _draw_head(pdf: FPDF, content: Content) -> None:
    paper.write(pdf, LEFT, 12, "FleetFlow · driver report", size=8.5, color=paper.ACCENT, bold=True)
    paper.write(pdf, LEFT, 18.5, content.name, size=19, bold=True, width=WIDTH)
    for row, line in enumerate(content.facts[:3]):
        paper.write(pdf, LEFT, 27.5 + 4.6 * row, line, size=8.5, color=paper.MUTED, width=WIDTH)


def _draw_figures(pdf: FPDF, figures: Sequence[tuple[str, str, str]], top: float) -> None:
    gap, count = 3.0, 5
    width = (WIDTH - gap * (count - 1)) / count
    for place, (label, value, note) in enumerate(figures[:count]):
        x = LEFT + place * (width + gap)
        paper.pen(pdf, paper.HAIRLINE)
        pdf.rect(x, top, width, 21, round_corners=True, corner_radius=1.5)
        paper.write(pdf, x + 2.5, top + 2.4, label, size=7.5, color=paper.MUTED, width=width - 4)
        paper.write(pdf, x + 2.5, top + 7.2, value, size=14, bold=True, width=width - 4)
        paper.write(pdf, x + 2.5, top + 15, note, size=7.5, color=paper.MUTED, width=width - 4)


def _draw_weeks(pdf: FPDF, content: Content, top: float) -> None:
    paper.heading(
        pdf, LEFT, top, "Points per 100 km by week", "bars: 90 % interval; grey: the middle half of the fleet"
    )
    mine, fleet = content.weeks.dropna(subset=["points"]), content.fleet
    if mine.empty:
        paper.write(pdf, LEFT, top + 8, "No driving in these weeks.", size=8.5, color=paper.MUTED)
        return
    highest = float(np.nanmax([mine["points_high"].max(), fleet["q3"].max(), 1.0]))
    box = paper.Plot(LEFT + 9, top + 8, WIDTH - 12, PLOT_HEIGHT, highest * 1.05)
    paper.draw_grid(pdf, box, highest)
    place = _week_places(fleet["week"], box)
    _draw_band(pdf, box, fleet, place)
    _draw_intervals(pdf, box, mine, place)
    for week in list(place)[::2]:
        x, label = place[week] - 8, week.strftime("%-d %b")
        paper.write(pdf, x, box.y + box.height + 1.5, label, size=7, color=paper.MUTED, width=16, align="C")


def _week_places(weeks: pd.Series[pd.Timestamp], box: paper.Plot) -> dict[pd.Timestamp, float]:
    days = max((weeks.max() - weeks.min()).days, 1)
    return {week: box.x + 4 + (box.width - 8) * (week - weeks.min()).days / days for week in weeks}


def _draw_band(pdf: FPDF, box: paper.Plot, fleet: pd.DataFrame, place: Mapping[pd.Timestamp, float]) -> None:
    edge = [(place[week], box.at(value)) for week, value in zip(fleet["week"], fleet["q1"], strict=True)]
    edge += [(place[week], box.at(value)) for week, value in zip(fleet["week"], fleet["q3"], strict=True)][::-1]
    pdf.set_fill_color(*paper.HAIRLINE)
    pdf.polyline(edge, polygon=True, style="F")


def _draw_intervals(pdf: FPDF, box: paper.Plot, mine: pd.DataFrame, place: Mapping[pd.Timestamp, float]) -> None:
    """A bar for each interval, and the estimates joined over them."""
    rows = list(zip(mine["week"], mine["points"], mine["points_low"], mine["points_high"], strict=True))
    pdf.set_fill_color(*paper.PALE)
    for week, _, low, high in rows:
        pdf.rect(place[week] - 1.2, box.at(high), 2.4, box.at(low) - box.at(high), style="F")
    paper.pen(pdf, paper.ACCENT, 0.35)
    if len(rows) > 1:
        pdf.polyline([(place[week], box.at(points)) for week, points, _, _ in rows])
    pdf.set_fill_color(*paper.ACCENT)
    for week, points, _, _ in rows:
        pdf.circle(place[week], box.at(points), 0.9, style="F")


def _draw_rates(pdf: FPDF, rates: Sequence[Rate], top: float) -> None:
    paper.heading(pdf, LEFT, top, "Harsh events", "per 100 km")
    at = (LEFT, LEFT + 42, LEFT + 55, LEFT + 70)
    for x, name in zip(at[1:], ("events", "driver", "fleet"), strict=True):
        paper.write(pdf, x, top + 7, name, size=7.5, color=paper.MUTED, width=13, align="R")
    for row, each in enumerate(rates):
        y = top + 12.5 + 6.4 * row
        paper.write(pdf, at[0], y, each.sign, size=9, color=COLORS.get(each.kind, paper.INK))
        paper.write(pdf, at[0] + 5, y, each.label, size=9, width=36)
        texts = (words.integer(each.events), words.decimal(each.mine, 2), words.decimal(each.fleet, 2))
        for x, text in zip(at[1:], texts, strict=True):
            paper.write(pdf, x, y, text, size=9, width=13, align="R", bold=x == at[2])


def _draw_change(pdf: FPDF, content: Content, top: float) -> None:
    paper.heading(pdf, MIDDLE, top, "Why it changed", content.compared)
    if content.explained is None:
        text = content.change
        paper.write(pdf, MIDDLE, top + 8, text, size=8.5, color=paper.MUTED, width=HALF)
        return
    explained, at = content.explained, 0.0
    rows = [("Before", explained.before / TENTHS), *explained.rows, ("Now", explained.after / TENTHS)]
    scale = (HALF - 42) / _reach(explained)
    for row, (word, value) in enumerate(rows):
        whole = row in {0, len(rows) - 1}
        start = 0.0 if whole else at
        _draw_step(pdf, top + 7.5 + 5.3 * row, word, value, (start * scale, value * scale), whole=whole)
        at = start + value
    text = content.change
    paper.write(pdf, MIDDLE, top + 8.3 + 5.3 * len(rows), text, size=8, color=paper.MUTED, width=HALF)


def _draw_step(
    pdf: FPDF, y: float, word: str, value: float, bar: tuple[float, float], *, whole: bool
) -> None:  # fmt: skip
    """One row: its name, a bar from a start on (mm; to the left for what goes down), and its value."""
    part = paper.GOOD if value < 0 else paper.INK
    pdf.set_fill_color(*({"Now": paper.ACCENT, "Before": paper.MUTED}.get(word, part)))
    left = MIDDLE + 27 + max(min(bar[0], bar[0] + bar[1]), 0.0)
    pdf.rect(left, y + 0.3, max(abs(bar[1]), 0.25), 3.1, style="F")
    paper.write(pdf, MIDDLE, y, word, size=8.5, width=26, bold=whole)
    said = words.decimal(value) if whole else words.signed(value)
    paper.write(pdf, MIDDLE + HALF - 13, y, said, size=8.5, width=13, align="R", bold=whole)


def _reach(explained: Explanation) -> float:
    """The highest point of the waterfall, in points per 100 km."""
    way = np.cumsum([explained.before / TENTHS, *(value for _, value in explained.rows)])
    return max(float(way.max()), 0.5)


def _draw_notes(pdf: FPDF, notes: Sequence[Note], top: float) -> None:
    paper.heading(pdf, LEFT, top, "Coaching", "points per 100 km in the four weeks before and after")
    if not notes:
        paper.write(pdf, LEFT, top + 7.5, "No note.", size=8.5, color=paper.MUTED)
    for row, note in enumerate(notes[:MOST_NOTES]):
        y = top + 7.5 + 12.0 * row
        paper.write(pdf, LEFT, y, note.day, size=8.5, bold=True, width=24)
        paper.write(pdf, LEFT + 26, y, note.effect, size=8, color=paper.MUTED, width=WIDTH - 26)
        for line, text in enumerate(_lines(pdf, note.text, WIDTH - 26)):
            paper.write(pdf, LEFT + 26, y + 3.7 * (line + 1), text, size=8, width=WIDTH - 26)


def _lines(pdf: FPDF, text: str, width: float) -> list[str]:
    """The first lines of a text; what does not fit is said by an ellipsis."""
    pdf.set_font(paper.FAMILY, "", 8)
    found = pdf.multi_cell(
        width, 3.7, paper.clean(text[:MOST_SIGNS]) or " ", dry_run=True, output=MethodReturnValue.LINES, align="L"
    )
    lines = [str(each) for each in found] if isinstance(found, list) else []
    return lines if len(lines) <= NOTE_LINES else [*lines[: NOTE_LINES - 1], f"{lines[NOTE_LINES - 1]} …"]


def _draw_trips(pdf: FPDF, content: Content, top: float) -> None:
    paper.heading(pdf, LEFT, top, "Trips with the lowest scores", "")
    if not content.trips:
        paper.write(pdf, LEFT, top + 7.5, "No scored trip in the period.", size=8.5, color=paper.MUTED)
        return
    widths = (38.0, 52.0, 16.0, 30.0, 22.0, 22.0)
    edges = LEFT + np.concatenate([[0.0], np.cumsum(widths)])
    for number, row in enumerate([content.trip_columns, *content.trips[:MOST_TRIPS]]):
        for x, width, text in zip(edges, widths, row, strict=False):
            right = x >= edges[2]
            paper.write(
                pdf, float(x), top + 7 + 5.0 * number, text, size=8.5 if number else 7.5,
                color=paper.INK if number else paper.MUTED, width=width - 2, align="R" if right else "L",
            )  # fmt: skip


def _draw_foot(pdf: FPDF, printed: str) -> None:
    paper.pen(pdf, paper.HAIRLINE)
    pdf.line(LEFT, 270, LEFT + WIDTH, 270)
    pdf.set_font(paper.FAMILY, "", 7)
    pdf.set_text_color(*paper.MUTED)
    pdf.set_xy(LEFT, 271.5)
    pdf.multi_cell(WIDTH, 3.3, HOW_TO_READ, align="L")
    paper.write(pdf, LEFT, 287, printed, size=7, color=paper.MUTED, width=WIDTH)
