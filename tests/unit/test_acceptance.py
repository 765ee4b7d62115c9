"""The command that judges the promised figures: it measures what it is asked for, and a figure can be broken."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults import acceptance, limit, overload
from tests.faults.figures import Figure
from tests.faults.load import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_word_that_chooses_nothing_is_refused_and_told_the_names(capsys):
    with pytest.raises(SystemExit) as ended:
        acceptance.main(["nonsense"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert all(name in told for name in ("sick dependencies", acceptance.MUTANTS))


def test_a_measure_that_comes_to_no_end_is_a_figure_that_is_not_kept(monkeypatch, capsys):
    def unhappy(_: float) -> Iterator[Figure]:
        yield Figure("the first half", "fine", kept=True)
        raise AssertionError("it never ended")

    monkeypatch.setitem(acceptance.MEASURED, "load", unhappy)
    assert acceptance.main(["load"]) == 1
    told = capsys.readouterr().out
    assert "kept    the first half: fine" in told
    assert "BROKEN  load" in told
    assert told.endswith("1 not kept.\n")


@pytest.mark.parametrize(
    ("statuses", "rude", "kept"),
    [
        ({202: 70, 429: 130}, 0, True),
        ({202: 70, 429: 130}, 1, False),
        ({202: 80, 429: 120}, 0, False),
        ({202: 60, 429: 140}, 0, False),
        ({202: 70, 429: 129, 503: 1}, 0, False),
    ],
)
def test_a_key_above_its_limit_has_its_share_and_no_more(statuses, rude, kept):
    outcome = Outcome(offered=200, seconds=10, statuses=Counter(statuses), rude=rude)
    assert limit.of_the_hasty(outcome, seconds=10).kept is kept


@pytest.mark.parametrize(
    ("statuses", "slowest_s", "kept"),
    [({202: 200}, 0.2, True), ({202: 199, 429: 1}, 0.2, False), ({202: 200}, 1.5, False)],
)
def test_those_beside_it_do_not_notice(statuses, slowest_s, kept):
    outcome = Outcome(offered=200, seconds=10, statuses=Counter(statuses))
    outcome.taken_s.extend([0.1] * 190 + [slowest_s] * 10)
    assert limit.of_the_others([outcome]).kept is kept


class CalmRun:
    """A site that takes and scores whatever it is offered."""

    def offer(self, per_s: float, seconds: float) -> Outcome:
        count = int(per_s * seconds)
        return Outcome(offered=count, seconds=seconds, statuses=Counter({202: count}))

    def waiting(self) -> int:
        return 0

    def drained_after_s(self) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("alive_s", "held", "overloaded"), [(0.01, True, True), (0.1, False, True), (0.6, False, False)]
)
def test_an_api_that_is_slow_to_say_that_it_lives_keeps_no_promise(monkeypatch, alive_s, held, overloaded):
    monkeypatch.setattr(overload, "sampled", lambda _: nullcontext([0]))
    monkeypatch.setattr(overload, "alive", lambda _: nullcontext([alive_s] * 200))
    run: Any = CalmRun()
    assert overload.held(run, 100, 10).kept is held
    assert next(overload.overload(run, 100, 10, bound=1_000)).kept is overloaded


@pytest.mark.parametrize(("late_s", "kept"), [(5, True), (30, False)])
def test_a_backlog_that_stays_long_after_the_load_is_no_recovery(monkeypatch, late_s, kept):
    run: Any = CalmRun()
    monkeypatch.setattr(run, "drained_after_s", lambda: late_s)
    assert next(overload.afterwards(run, 100, 10)).kept is kept
