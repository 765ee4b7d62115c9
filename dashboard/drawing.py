"""Small pictures inside tables, drawn by the server from their address, which says the numbers for who cannot see them.

A picture in a table cannot know the theme, so its colours lie between light and dark, and the form tells the rest: a
full dot is clear of the middle, a ring is not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

INTERVAL = "/draw/interval.svg"
NUMBERS = re.compile(
    r"(?P<at>\d{1,6}(?:\.\d)?) from (?P<low>\d{1,6}(?:\.\d)?) to (?P<high>\d{1,6}(?:\.\d)?)"
    r" of (?P<end>[1-9]\d{0,5}), middle (?P<middle>\d{1,6}(?:\.\d)?),"
    r" (?P<verdict>clearly above|clearly below|cannot tell)"
)
WIDTH, HEIGHT, PAD, RADIUS = 184, 30, 6, 4.0
GREY, STRONG, GOOD, ACCENT = "#7F8896", "#6B7585", "#2B9A66", "#2A93AD"
LASTING = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}


def interval_address(at: float, low: float, high: float, *, end: float, middle: float, verdict: str) -> str:
    """Where the picture of a value with its interval on an axis from 0 to `end` is found."""
    return f"{INTERVAL}?{at:.1f} from {low:.1f} to {high:.1f} of {end:.0f}, middle {middle:.1f}, {verdict}"


def interval_svg(numbers: str) -> str | None:
    """The picture that an address asks for; None for an address that says nothing."""
    found = NUMBERS.fullmatch(numbers)
    if found is None:
        return None
    end = float(found["end"])
    at, low, high, middle = (_place(float(found[name]), end) for name in ("at", "low", "high", "middle"))
    y = HEIGHT / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f'<path d="M{PAD} {y}H{WIDTH - PAD}" stroke="{GREY}" stroke-opacity=".25"/>'
        f'<path d="M{middle} 0V{HEIGHT}" stroke="{GREY}" stroke-dasharray="2 2"/>'
        f"{_dot_on_bar(at, low, high, y, found['verdict'])}</svg>"
    )


def _place(value: float, end: float) -> float:
    return round(PAD + min(value / end, 1.0) * (WIDTH - 2 * PAD), 1)


def _dot_on_bar(at: float, low: float, high: float, y: float, verdict: str) -> str:
    color = {"clearly above": STRONG, "clearly below": GOOD}.get(verdict, GREY)
    is_clear = verdict != "cannot tell"
    inner = 0.0 if is_clear else RADIUS
    bar = f"M{low} {y}H{max(at - inner, low):.1f}M{min(at + inner, high):.1f} {y}H{high}"
    return (
        f'<path d="{bar}" stroke="{color}" stroke-width="5" stroke-opacity=".45"/>'
        f'<circle cx="{at}" cy="{y}" r="{RADIUS}" fill="{color if is_clear else "none"}" stroke="{color}"'
        ' stroke-width="2"/>'
    )


async def interval(request: Request) -> Response:
    """The picture for an address, the same for everybody and for ever."""
    picture = interval_svg(unquote(request.url.query))
    if picture is None:
        return Response("This address says no interval.", status_code=404, media_type="text/plain")
    return Response(picture, media_type="image/svg+xml", headers=LASTING)


ROUTES = [Route(INTERVAL, interval)]
