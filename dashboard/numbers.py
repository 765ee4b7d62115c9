"""On which side of its mark an event's number stands, so that it covers no mark and no other number. Pure; pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Box = tuple[float, float, float, float]
    """Left, right, bottom and top."""

DIGIT_PX, TALL_PX, MARK_PX, APART_PX = 6.4, 11.0, 5.0, 3.0
"""A digit's width, a number's height, half a mark's width, and the gap between the two."""
SIDES = ("middle right", "middle left", "top center", "bottom center")
BESIDE = SIDES[:2]


def sides(
    spots: Sequence[tuple[float, float]],
    numbers: Sequence[int],
    chosen: int | None = None,
    allowed: Sequence[str] = SIDES,
) -> list[str | None]:
    """A side per mark in plotly's words; None where every side would cover something: the mark then tells by hovering.

    `spots` are x and y of the marks. The number in `chosen` is placed first and always, the others in order.
    """
    found: list[str | None] = [None] * len(spots)
    taken = [_around(*spot, MARK_PX, MARK_PX) for spot in spots]
    for at in sorted(range(len(spots)), key=lambda each: numbers[each] != chosen):
        others = [*taken[:at], *taken[at + 1 :]]
        free = (each for each in _boxes(spots[at], numbers[at], allowed) if not _covers(each[1], others))
        side, box = next(free, (None, None))
        if side is None and numbers[at] == chosen:
            side, box = next(_boxes(spots[at], numbers[at], allowed))
        found[at] = side
        if box is not None:
            taken.append(box)
    return found


def _boxes(spot: tuple[float, float], number: int, allowed: Sequence[str]) -> Iterator[tuple[str, Box]]:
    half_wide, half_tall = DIGIT_PX * len(str(number)) / 2, TALL_PX / 2
    across, up = MARK_PX + APART_PX + half_wide, MARK_PX + half_tall
    shifts = {
        "middle right": (across, 0),
        "middle left": (-across, 0),
        "top center": (0, up),
        "bottom center": (0, -up),
    }
    for side in allowed:
        right, above = shifts[side]
        yield side, _around(spot[0] + right, spot[1] + above, half_wide, half_tall)


def _around(x: float, y: float, half_wide: float, half_tall: float) -> Box:
    return x - half_wide, x + half_wide, y - half_tall, y + half_tall


def _covers(box: Box, others: Sequence[Box]) -> bool:
    left, right, bottom, top = box
    return any(left < each[1] and right > each[0] and bottom < each[3] and top > each[2] for each in others)
