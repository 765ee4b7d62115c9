"""The leaderboard as a table: ranked drivers with their interval drawn, and those without a rank apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from dashboard import changes, components, drawing, look, tables, words
from dashboard.standings import ESTIMATED

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas.io.formats.style import Styler

ROW_PX = 38
MOST_ROWS = 20
"""So many rows are seen at once; the others by scrolling."""
GREEN, GREY = "#1F8A5B", "#7F8896"
"""Of words in the table, which cannot know the theme: readable on light and on dark."""
CHANGE_HELP = (
    "Against himself in the period before, beyond the fleet's own change. “worse” and “improved” are beyond chance;"
    " ↗ (more points) and ↘ (fewer) are the likelier direction with its probability."
)
RATE_HELP = "events per 100 km, estimated from all drivers together as the points are. As counted: in the download."
TREND_HELP = "Points per 100 km by week over eight weeks; a week with little driving leans on the driver's mean."


def ranked(frame: pd.DataFrame, *, middle: float, key: str, ticked: list[int], on_tick: Callable[[], None]) -> None:
    """Ranked drivers, the worst first: a name opens the driver, ticks choose whom to compare."""
    end = axis_end(frame)
    button = f"open_from_{key}"
    st.dataframe(
        _styled(ranked_frame(frame, middle=middle, end=end)),
        key=key,
        placeholder=words.NOTHING,
        hide_index=True,
        row_height=ROW_PX,
        height="content" if len(frame) <= MOST_ROWS else ROW_PX * (MOST_ROWS + 1) + 3,
        on_select=on_tick,
        selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked}},
        alt=_alt(frame),
        column_config=_ranked_columns(end, button, list(frame["driver_id"])),
    )


def axis_end(frame: pd.DataFrame) -> float:
    """Where the drawn axis ends: a round number beyond the highest interval."""
    highest = float(frame["high"].max())
    step = 10.0 ** math.floor(math.log10(max(highest, 1.0))) / 2
    return float(max(math.ceil(highest / step) * step, 1.0))


def ranked_frame(frame: pd.DataFrame, *, middle: float, end: float) -> pd.DataFrame:
    """What the table shows, a row per driver of Standings.ranked."""
    columns = (frame[name] for name in ("points_per_100_km", "low", "high", "verdict"))
    return pd.DataFrame(
        {
            "name": tables.driver_names(frame),
            "rank": frame["rank"].to_numpy(),
            "likely": words.likely_ranks(frame),
            "points": frame["points_per_100_km"].round(1).to_numpy(),
            "interval": [
                drawing.interval_address(at, low, high, end=end, middle=middle, verdict=verdict)
                for at, low, high, verdict in zip(*columns, strict=True)
            ],
            "verdict": frame["verdict"].where(frame["verdict"] != "cannot tell", "").to_numpy(),
            "before": frame["rank_before"].where(frame["rank_before"] > 0).to_numpy(),
            "change": changes.since_before(frame),
            "trend": frame["trend"].to_numpy(),
            "mean_score": frame["mean_score"].round(1).to_numpy(),
            "distance_km": frame["distance_km"].round().to_numpy(),
            "trips": frame["trips"].to_numpy(),
            **{name: frame[name].round(1).to_numpy() for name in ESTIMATED},
            "tied": frame["tied"].to_numpy(dtype=bool),
        }
    )


def _styled(shown: pd.DataFrame) -> Styler:
    """Ranks are numbers that sort, and are read as =4 where they are shared; words get their colour."""
    tied = dict(zip(shown["rank"], shown["tied"], strict=True))

    def rank(number: Any) -> str:
        return words.rank(number, tied=tied[number])

    plain = shown.drop(columns="tied").style
    return plain.format({"rank": rank}).map(_color, subset=["verdict", "change"])


def _color(text: Any) -> str:
    if text.startswith(("clearly below", "improved")):
        return f"color: {GREEN}; font-weight: 600"
    if text.startswith(("clearly above", "worse")):
        return "font-weight: 600"
    return f"color: {GREY}"


def _ranked_columns(end: float, button: str, driver_ids: list[str]) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "name": name_column(button, driver_ids),
        "rank": number("Rank", width=52, help="1 has the most points per 100 km; equals share a rank."),
        "likely": text("Likely", width=56, help="Every rank between these fits the data (90 %)."),
        "points": number("Points", width=58, format="%.1f", help="Penalty points per 100 km, with the whole fleet."),
        "interval": st.column_config.ImageColumn(
            f"0 — points per 100 km — {end:.0f}", width=drawing.WIDTH + 16,
            help="Bar: 90 % interval; dashed: the middle of the fleet; a ring cannot be told apart from it.",
        ),
        "verdict": text("vs the middle", width=102, help="Clearly: in that half of the fleet with 95 %."),
        "before": number("Before", width=56, format="%d", help="Rank in the period before; empty for who had none."),
        "change": text("Change", width=114, help=CHANGE_HELP),
        "trend": st.column_config.AreaChartColumn("8 weeks", width=76, y_min=0, color="gray", help=TREND_HELP),
        "mean_score": number("Score", width=54, format="%.1f", help="Mean over the driver's trips."),
        "distance_km": number("km", width=56, format="localized", help="Kilometres driven in the period."),
        "trips": number("Trips", width=50, format="localized"),
        **rate_columns(),
    }  # fmt: skip


def name_column(button: str, driver_ids: list[str]) -> Any:
    """The driver's name, which opens him."""
    return st.column_config.ButtonColumn(
        "Driver", key=button, type="tertiary", pinned=True, alignment="left", width=140,
        on_click=components.on_row(button, driver_ids, components.open_driver),
    )  # fmt: skip


def rate_columns() -> dict[str, Any]:
    """Harsh events per 100 km as estimated, a column a kind."""
    return {
        name: st.column_config.NumberColumn(
            f"{each.sign} {each.brief}", format="%.1f", width=84, help=f"{each.label}: {RATE_HELP}"
        )
        for name, each in zip(ESTIMATED, look.KINDS.values(), strict=True)
    }


def _alt(frame: pd.DataFrame) -> str:
    worst = frame.iloc[0]
    return (
        f"{words.plural(len(frame), 'driver')} by penalty points per 100 km, with likely ranks and intervals. First"
        f" {words.driver(worst['name'], worst['driver_id'])} with {words.decimal(worst['points_per_100_km'])}."
    )


def unranked(frame: pd.DataFrame) -> None:
    """Drivers without a rank, the nearest to one first: what is missing, and an early sign where there is one."""
    button, shown = "open_unranked_row", unranked_frame(frame)
    st.dataframe(
        shown if shown["sign"].ne("").any() else shown.drop(columns="sign"),
        key="unranked",
        placeholder=words.NOTHING,
        hide_index=True,
        row_height=ROW_PX,
        height="content" if len(frame) <= MOST_ROWS // 2 else ROW_PX * (MOST_ROWS // 2 + 1) + 3,
        alt=f"{words.plural(len(frame), 'driver')} without a rank, with the distance that is still needed",
        column_config={
            "name": name_column(button, list(frame["driver_id"])),
            "sign": st.column_config.TextColumn(
                "Note", width=100, help="An early sign: few km, and yet in the worse half of all drivers with 95 %."
            ),
            "distance_km": st.column_config.NumberColumn("Distance, km", width=92, format="localized"),
            "needed": st.column_config.TextColumn("Still needed", width=150, alignment="right"),
            "share": st.column_config.ProgressColumn(
                "Of the way", min_value=0, max_value=100, format="%d %%", width=130, color="gray"
            ),
            "trips": st.column_config.NumberColumn("Trips", width=54, format="localized"),
            "events": st.column_config.NumberColumn("Harsh events", width=96, format="localized"),
            "group_name": st.column_config.TextColumn("Group", width=170),
        },
    )


def unranked_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """What the table shows, a row per driver without a rank."""
    needed, driven = frame["km_needed"].to_numpy(), frame["distance_km"].fillna(0.0)
    return pd.DataFrame(
        {
            "name": tables.driver_names(frame),
            "sign": ["early sign" if status == "early sign" else "" for status in frame["status"]],
            "distance_km": driven.round().to_numpy(),
            "needed": [_needed(*row) for row in zip(frame["status"], needed, strict=True)],
            "share": (100 * driven / (driven + needed)).to_numpy(),
            "trips": frame["trips"].fillna(0).to_numpy(),
            "events": frame[list(look.KIND_COLUMNS)].sum(axis=1).to_numpy(),
            "group_name": frame["group_name"].fillna("").to_numpy(),
        }
    )


def _needed(status: str, km_needed: float) -> str:
    """What is missing for a rank, in words where it is not distance."""
    if status == "unusable":
        return "signals unusable"
    if km_needed > 0:
        return f"about {words.kilometres(math.ceil(km_needed))}"
    return "more days" if math.isfinite(km_needed) else "a larger fleet"
