"""Who moves, drawn: a line for each driver from his rank now to that under the draft, the worst on top. Pure.

Not a figure of plotly's, which takes longest over words: who drags a slider would wait for sixty names at every step.
The names are the page's own text beside a picture of the lines, whose colours lie between light and dark as those of
all pictures do (docs/decisions/0010, 0021). Built as a tree: a driver's name is text in it, whatever is in the name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from dashboard import charts, words
from dashboard.drawing import GOOD, GREY, STRONG

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from dashboard.slopes import Slopes

    Row = Mapping[Hashable, Any]

LEAST_ROW_PX, MOST_ROW_PX, HEAD_PX, WANTED_PX = 17, 34, 24, 520
WIDTH = 100
"""Of the lines' picture, which is stretched to its place; strokes keep their width."""
FRAME = "display:grid;grid-template-columns:5fr 4fr 5fr;column-gap:8px;font-size:11px"
ROW = "white-space:nowrap;overflow:hidden;text-overflow:ellipsis;height:{0}px;line-height:{0}px"
QUIET, BOLD = ";opacity:.75", ";font-weight:600"


def draw(found: Slopes, names: tuple[str, str], alt: str) -> Element:
    """The picture as HTML, as wide as its place: `names` stand over the sides, `alt` says it in words.

    Bold lines are more than noise, green ones lead to fewer points.
    """
    row_px = min(max(WANTED_PX // len(found.shown), LEAST_ROW_PX), MOST_ROW_PX)
    picture = Element("div", {"role": "img", "aria-label": alt, "style": FRAME})
    by_rank = {side: found.shown.sort_values(f"row_{side}").to_dict("records") for side in ("before", "after")}
    before = _side(picture, names[0], ";text-align:right")
    for row in by_rank["before"]:
        _line_of_text(before, row, f"{charts.short(row['driver'])}\u2002{row['before']}", row_px, QUIET)
    _lines(picture, found.shown.sort_values("flagged", kind="stable").to_dict("records"), row_px)
    after = _side(picture, names[1], "")
    for row in by_rank["after"]:
        _line_of_text(after, row, name_after(row), row_px, BOLD if row["flagged"] else QUIET)
    return picture


def _side(picture: Element, name: str, how: str) -> Element:
    side = SubElement(picture, "div", {"style": f"min-width:0{how}"})
    SubElement(side, "div", {"style": ROW.format(HEAD_PX) + BOLD}).text = name
    return side


def _line_of_text(side: Element, row: Row, text: str, row_px: int, how: str) -> None:
    SubElement(side, "div", {"title": hover(row), "style": ROW.format(row_px) + how}).text = text


def _lines(picture: Element, rows: Sequence[Row], row_px: int) -> None:
    height = row_px * len(rows)
    svg = ET.tostring(lines_svg(rows, row_px, height), encoding="unicode")
    how = f"width:100%;height:{height}px;margin-top:{HEAD_PX}px"
    SubElement(picture, "img", {"alt": "", "src": f"data:image/svg+xml,{quote(svg)}", "style": how})


def lines_svg(rows: Iterable[Row], row_px: int, height: int) -> Element:
    """A curve from each row on the left to its row on the right, level at both ends; the last lies on top."""
    frame = {"viewBox": f"0 0 {WIDTH} {height}", "preserveAspectRatio": "none", "fill": "none"}
    svg = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **frame})
    for row in rows:
        begin, end = (row_px * (row[f"row_{side}"] + 0.5) for side in ("before", "after"))
        half = WIDTH // 2
        curve = f"M0 {begin:g}C{half} {begin:g} {half} {end:g} {WIDTH} {end:g}"
        SubElement(svg, "path", {"d": curve, "vector-effect": "non-scaling-stroke", **_stroke(row)})
    return svg


def _stroke(row: Row) -> dict[str, str]:
    if row["flagged"]:
        return {"stroke": GOOD if row["move"] > 0 else STRONG, "stroke-width": "2.4"}
    return {"stroke": GREY, "stroke-width": "1.2", "stroke-opacity": ".6" if row["move"] else ".25"}


def name_after(row: Row) -> str:
    """Rank and name under the draft, with the move of who moves."""
    text = f"{row['after']}\u2002{charts.short(row['driver'])}"
    return f"{text}\u2002{words.signed(row['move'], 0)}" if row["move"] else text


def hover(row: Row) -> str:
    """One driver's move in full."""
    certain = "more than noise" if row["flagged"] else "within noise" if row["move"] else "no move"
    rates = f"{words.decimal(row['points_before'])} to {words.decimal(row['points_after'])} points per 100 km"
    return f"{row['driver']}\nrank {row['before']} to {row['after']}, {certain}\n{rates}"
