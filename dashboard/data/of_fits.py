"""The ranking of a period with the figures of its fit, which are logged whenever they change."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import streamlit as st
import structlog

from dashboard.data.connecting import reading
from dashboard.data.of_days import days
from dashboard.data.of_size import LONGEST_S, moment
from dashboard.movements import Window
from dashboard.ranking import rank_fleet
from fleetflow.safety.ranking.figures import FitFigures, fit_figures
from fleetflow.storage import profiles

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    Ranked = tuple[pd.DataFrame, FitFigures | None]

DIGITS = 2
"""A change below the second digit is no news: each new trip moves every figure a little."""

log = structlog.get_logger()


def ranked_now(database: str, version: int, since: datetime | None, zone: str) -> Ranked:
    """The frame of ranking.rank_fleet, and what its fit found; without a driver no row and None."""
    return ranked(database, version, since, zone, at=moment(database))


@st.cache_data(ttl=LONGEST_S, max_entries=64, show_spinner=False)
def ranked(database: str, version: int, since: datetime | None, zone: str, *, at: int) -> Ranked:
    """As ranked_now, at a moment of of_size.moment."""
    del at  # a part of the key
    with reading(database) as conn:
        profile = profiles.read_profile(conn, version).profile
    driven = days(database, version, Window(since), zone)
    if driven.empty:
        return driven, None
    frame, board = rank_fleet(driven, profile)
    figures = fit_figures(board)
    noted(database, version, since.date().isoformat() if since else None, **rounded(figures))
    return frame, figures


def fit_figures_of(database: str, version: int, since: datetime | None, zone: str) -> FitFigures | None:
    """How far points bunch, drivers differ and a rank needs driving, in a period; None where nobody drove."""
    return ranked_now(database, version, since, zone)[1]


def rounded(figures: FitFigures) -> dict[str, float | None]:
    """The figures to as many digits as are worth a line in the log."""
    return {name: value if value is None else float(f"{value:.{DIGITS}g}") for name, value in asdict(figures).items()}


@st.cache_data(ttl=86_400, max_entries=256, show_spinner=False)
def noted(database: str, profile_version: int, since: str | None, **figures: float | None) -> None:
    """Log figures, the same ones once a day."""
    del database
    log.info("ranking_fitted", profile=profile_version, since=since, **figures)
