"""Where numbers stand beside the marks of events."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from dashboard import numbers

SPOTS = st.lists(st.tuples(st.floats(0, 200), st.floats(0, 60)), min_size=1, max_size=25)


def box(spot: tuple[float, float], side: str, number: int) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a number, reckoned from the side in plotly's words."""
    width, height = numbers.DIGIT_PX * len(str(number)), numbers.TALL_PX
    reach = numbers.MARK_PX + numbers.APART_PX
    left = {"middle right": reach, "middle left": -reach - width}.get(side, -width / 2)
    low = {"top center": numbers.MARK_PX, "bottom center": -numbers.MARK_PX - height}.get(side, -height / 2)
    return spot[0] + left, spot[1] + low, spot[0] + left + width, spot[1] + low + height


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    slack = 1e-6
    wide = min(one[2], other[2]) - max(one[0], other[0])
    tall = min(one[3], other[3]) - max(one[1], other[1])
    return wide > slack and tall > slack


@given(SPOTS)
def test_no_number_covers_another_or_the_mark_of_another_event(spots: list[tuple[float, float]]):
    named = range(1, len(spots) + 1)
    told = {
        number: box(spots[number - 1], side, number)
        for number, side in zip(named, numbers.sides(spots, named), strict=True)
        if side is not None
    }
    assert told or len(spots) > 1
    assert not any(overlap(one, other) for one, other in combinations(told.values(), 2))
    half = numbers.MARK_PX
    for number, text in told.items():
        marks = [(x - half, y - half, x + half, y + half) for at, (x, y) in enumerate(spots, 1) if at != number]
        assert not any(overlap(text, mark) for mark in marks)


@given(SPOTS, st.data())
def test_the_number_of_the_event_that_is_looked_at_is_always_there(
    spots: list[tuple[float, float]], data: st.DataObject
):
    chosen = data.draw(st.integers(1, len(spots)))
    assert numbers.sides(spots, range(1, len(spots) + 1), chosen)[chosen - 1] is not None


def test_a_number_moves_to_the_free_side_and_goes_where_there_is_none():
    assert numbers.sides([(0, 0), (14, 0)], [1, 2]) == ["middle left", "middle right"]
    assert numbers.sides([(0, 0), (14, 0), (28, 0)], [1, 2, 3], None, numbers.BESIDE)[1] is None
    assert numbers.sides([(0, 0), (14, 0), (28, 0)], [1, 2, 3])[1] == "top center"
