"""Where the lines of a slope chart begin and end: who is shown, in which row on either side. Pure; no drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dashboard import words
from fleetflow.safety.whatif.judged import competition_ranks

if TYPE_CHECKING:
    from fleetflow.safety.whatif.compare import Comparison

MOST_SHOWN = 40
"""More lines than that cannot be followed: then those who move stand for all, the surest and farthest first."""


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """A row per driver who is shown: driver, before, after (ranks), move, flagged, row_before, row_after (from 0).

    `all_drivers` are ranked under both profiles, `movers` of them move.
    """

    shown: pd.DataFrame
    all_drivers: int
    movers: int


def moves_frame(driver_ids: list[str], found: Comparison, names: dict[str, str]) -> pd.DataFrame:
    """The drivers who are ranked under both profiles, the worst under the new one first.

    Columns: driver_id, driver, before and after (ranks among them), move (below 0 towards the worst), flagged (more
    than noise), points_before and points_after (per 100 km).
    """
    both = found.in_both
    before, after = found.before.order.fit.mean[both], found.after.order.fit.mean[both]
    ids = [each for each, kept in zip(driver_ids, both.tolist(), strict=True) if kept]
    frame = pd.DataFrame(
        {
            "driver_id": ids,
            "driver": [words.driver(names.get(each), each) for each in ids],
            "before": competition_ranks(before),
            "after": competition_ranks(after),
            "move": found.move[both],
            "flagged": found.flagged[both] & (found.move[both] != 0),
            "points_before": before,
            "points_after": after,
        }
    )
    return frame.sort_values(["after", "driver"]).reset_index(drop=True)


def lay_out(moves: pd.DataFrame, most: int = MOST_SHOWN) -> Slopes:
    """Choose who is shown and number the rows; equals stand in the order of their names."""
    movers = moves[moves["move"] != 0]
    shown = moves
    if len(moves) > most:
        by_weight = movers.assign(far=movers["move"].abs()).sort_values(["flagged", "far"], ascending=False)
        shown = movers.loc[by_weight.index[:most].sort_values()]
    shown = shown.reset_index(drop=True)
    return Slopes(
        shown.assign(row_before=_rows(shown, "before"), row_after=_rows(shown, "after")), len(moves), len(movers)
    )


def _rows(shown: pd.DataFrame, rank: str) -> np.ndarray:
    order = shown.sort_values([rank, "driver"]).index
    rows = np.empty(len(shown), dtype=np.int64)
    rows[order] = np.arange(len(shown))
    return rows
