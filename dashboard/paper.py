"""Writing and drawing on a printed page: fonts that hold the world's letters, colours of paper, lines that fit."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left
from pathlib import Path
from typing import NamedTuple

from fpdf import FPDF

FONTS = Path(__file__).with_name("fonts")
FAMILY = "Inter tnum"
Color = tuple[int, int, int]
INK, MUTED, HAIRLINE = (21, 24, 30), (92, 101, 117), (227, 230, 235)
ACCENT, PALE, GOOD = (15, 110, 132), (159, 197, 205), (31, 138, 91)
MM_PER_POINT = 0.42  # of a line's height to its letters' size


def blank_page(title: str) -> FPDF:
    """An empty A4 page that never becomes two; the fonts are in it."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(auto=False)
    for style, weight in (("", "regular"), ("B", "semibold")):
        pdf.add_font(FAMILY, style, FONTS / f"inter-tnum-{weight}.ttf")
    pdf.set_title(clean(title))
    pdf.set_creator("FleetFlow")
    pdf.set_lang("en")
    pdf.add_page()
    pdf.c_margin = 0
    return pdf


class Plot(NamedTuple):
    """Where a plot lies on the page, in mm, and the value at its top; 0 is at the bottom."""

    x: float
    y: float
    width: float
    height: float
    top: float

    def at(self, value: float) -> float:
        """The height on the page of a value."""
        return self.y + self.height * (1 - value / self.top)


def draw_grid(pdf: FPDF, box: Plot, highest: float) -> None:
    """Lines at round values, each with its number at the left."""
    pen(pdf, HAIRLINE)
    for value in ticks(highest):
        pdf.line(box.x, box.at(value), box.x + box.width, box.at(value))
        write(pdf, box.x - 10, box.at(value) - 1.6, f"{value:g}", size=7, color=MUTED, width=8.5, align="R")


def ticks(highest: float) -> list[float]:
    """Round values from 0 up to the highest, at most six."""
    rough = max(highest, 1e-9) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough * (1 - 1e-9))
    return [round(step * number, 10) for number in range(int(highest / step + 1e-9) + 1)]


def heading(pdf: FPDF, x: float, y: float, text: str, beside: str = "") -> None:
    """A section's title and what it shows."""
    write(pdf, x, y, text, size=11, bold=True)
    pdf.set_font(FAMILY, "B", 11)
    indent = pdf.get_string_width(text) + 3
    write(pdf, x + indent, y + 0.9, beside, size=8, color=MUTED)


def write(
    pdf: FPDF, x: float, y: float, text: str, *, size: float, color: Color = INK, bold: bool = False,
    width: float = 0.0, align: str = "L",
) -> None:  # fmt: skip
    """One line of text whose top left corner is at x, y (mm); one that is too wide for its place is cut short."""
    pdf.set_font(FAMILY, "B" if bold else "", size)
    pdf.set_text_color(*color)
    shown = _fitted(pdf, clean(text), width) if width else clean(text)
    if not shown:
        return
    pdf.set_xy(x, y)
    pdf.cell(width or None, size * MM_PER_POINT, shown, align=align)


def pen(pdf: FPDF, color: Color, width_mm: float = 0.2) -> None:
    """Draw lines in this colour from now on."""
    pdf.set_draw_color(*color)
    pdf.set_line_width(width_mm)


def clean(text: str) -> str:
    """The text on one line, without signs that are no letters of it: line ends, controls, marks of direction."""
    return "".join(" " if unicodedata.category(each).startswith("C") else each for each in text)


def _fitted(pdf: FPDF, text: str, width: float) -> str:
    """As much of the beginning as fits."""
    if pdf.get_string_width(text) <= width:
        return text
    reach = range(len(text))
    fits = bisect_left(reach, True, key=lambda count: pdf.get_string_width(f"{text[:count]}…") > width)
    return f"{text[: max(fits - 1, 0)]}…"
