"""Where the names of events go above a chart, so that none covers another. Pure arithmetic in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LANES = 5
LETTER_PX, SIGN_PX, APART_PX = 6.4, 20.0, 6.0
PLOT_PX = 440
"""Names are laid out for a plot as narrow as on a tablet, because the server does not know the real width."""
OVERHANG_PX = 60
"""How far a name may reach over the plot's right edge, where the thresholds' labels leave room above."""


@dataclass(frozen=True, slots=True)
class Place:
    """A lane (0 is the highest, LANES the one for bare numbers), the side of its mark on which the name stands.

    `named` with its name, else with its number, if it is `told` at all.
    """

    lane: int
    to_left: bool
    named: bool
    told: bool = True


def places(spots: Sequence[tuple[float, int]]) -> list[Place]:
    """A place per event, given where it is (0 to 1 of the plot's width) and how many letters its name has.

    The first place that is free is taken: free of other names and of the lines that run down from names above,
    and with a line of its own that crosses no name below. Without one, only the event's number is shown, in a
    lane of its own.
    """
    taken: list[list[tuple[float, float]]] = [[] for _ in range(LANES)]
    marks: list[list[float]] = [[] for _ in range(LANES)]
    found = []
    for at, letters in spots:
        x = at * PLOT_PX
        place = next(_free(x, SIGN_PX + LETTER_PX * letters, taken, marks), None)
        if place is not None:
            taken[place[0]].append(place[2])
            marks[place[0]].append(x)
        found.append(Place(place[0], place[1], named=True) if place else Place(LANES, to_left=False, named=False))
    return found


def _free(
    x: float, width: float, taken: list[list[tuple[float, float]]], marks: list[list[float]]
) -> Iterator[tuple[int, bool, tuple[float, float]]]:
    for lane in range(LANES):
        above = [mark for higher in marks[:lane] for mark in higher]
        for to_left, extent in ((False, (x - APART_PX, x + width)), (True, (x - width, x + APART_PX))):
            fits = extent[0] >= -APART_PX and extent[1] <= PLOT_PX + OVERHANG_PX
            clear = all(extent[1] + APART_PX < start or extent[0] - APART_PX > end for start, end in taken[lane])
            crossed = any(start <= x <= end for lower in taken[lane + 1 :] for start, end in lower)
            crosses = any(extent[0] <= mark <= extent[1] for mark in above)
            if fits and clear and not crossed and not crosses:
                yield lane, to_left, extent
