"""Who got worse and who improved most since the period before, each against himself and beyond the fleet. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from dashboard import words
from fleetflow.safety.ranking.movement import Badge

if TYPE_CHECKING:
    from dashboard.standings import Standings

MOST = 5
EVEN = 0.5


def most_changed(ranked: pd.DataFrame) -> pd.DataFrame:
    """At most MOST drivers who rose, the surest first, then as many who fell, of Standings.ranked.

    Adds `change` (points per 100 km), `chance` (that his rate did so beyond the fleet's change), and both in words:
    `label` and `chance_text`.
    """
    both = ranked[ranked["rank_before"] > 0]
    change = both["points_per_100_km"] - both["points_per_100_km_before"]
    up, down = both[(change > 0) & (both["rose"] > EVEN)], both[(change < 0) & (both["fell"] > EVEN)]
    parts = [_surest(up, "rose"), _surest(down, "fell").iloc[::-1]]
    found = pd.concat(parts) if len(up) or len(down) else both.iloc[:0].assign(chance=0.0)
    found = found.assign(change=found["points_per_100_km"] - found["points_per_100_km_before"])
    return found.assign(
        label=[f"{words.signed(change)}  {words.chance(chance)}" for change, chance in _pairs(found)],
        chance_text=[_say(change, chance) for change, chance in _pairs(found)],
    ).reset_index(drop=True)


def _surest(some: pd.DataFrame, column: str) -> pd.DataFrame:
    """Those told apart from chance first, then by how sure it is."""
    chosen = some.assign(chance=some[column], proven=some["badge"] != Badge.UNPROVEN)
    return chosen.sort_values(["proven", "chance", "rank"], ascending=[False, False, True]).head(MOST)


def _pairs(found: pd.DataFrame) -> list[tuple[float, float]]:
    return list(zip(found["change"], found["chance"], strict=True))


def _say(change: float, chance: float) -> str:
    return f"{words.chance(chance)} certain that he collects {'more' if change > 0 else 'fewer'} than before"


def fleet_sentence(found: Standings) -> str:
    """How the fleet as a whole changed; nothing where that is not known."""
    if not math.isfinite(found.fleet_ratio):
        return ""
    percent = 100 * (found.fleet_ratio - 1)
    if abs(percent) < 1:
        return "The fleet as a whole is where it was."
    return f"The fleet as a whole has {abs(percent):.0f} % {'more' if percent > 0 else 'fewer'} points per 100 km."


def since_before(drivers: pd.DataFrame) -> list[str]:
    """Each driver's change in a few characters: what is proven in words, what is not as an arrow with its chance."""
    columns = (drivers["badge"], drivers["rose"], drivers["fell"])
    return [_in_short(*row) for row in zip(*columns, strict=True)]


def _in_short(badge: object, rose: float, fell: float) -> str:
    if not (isinstance(badge, str) and rose >= 0):
        return ""
    if badge != Badge.UNPROVEN:
        return f"{badge} {words.chance(rose if badge == Badge.WORSE else fell)}"
    return f"↗ {words.chance(rose)}" if rose > fell else f"↘ {words.chance(fell)}"
