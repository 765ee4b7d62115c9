"""What was driven by driver and day: read once for all the pages and periods that are made of it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import streamlit as st

from dashboard.data.connecting import forgettable, reading
from dashboard.data.of_size import LONGEST_S, moment
from dashboard.periods import EPOCH_ORDINAL
from fleetflow.storage import driving

if TYPE_CHECKING:
    import pandas as pd

    from dashboard.movements import Window

SHARED_DAYS = 16 * 7
"""So far back one reading serves every page: the longest period that is not all time, with the one before it."""


def days(database: str, version: int, window: Window, zone: str, *, with_unusable: bool = False) -> pd.DataFrame:
    """The rows of driving.read_driver_days whose trips began in a period; never changed, for they may be shared."""
    start = _shared_start(window, zone)
    if start is None:
        read = _read(database, version, window.since, window.until, zone, at=moment(database))
    else:
        read = _read(database, version, start, None, zone, at=moment(database))
        read = read[read["day"].between(_day(window.since, zone, 0), _day(window.until, zone, 1 << 31) - 1)]
    return (read if with_unusable else read[read["usable"]]).reset_index(drop=True)


@forgettable
@st.cache_resource(ttl=LONGEST_S, max_entries=8, show_spinner=False)
def _read(
    database: str, version: int, since: datetime | None, until: datetime | None, zone: str, *, at: int
) -> pd.DataFrame:
    del at  # a part of the key
    with reading(database) as conn:
        return driving.read_driver_days(conn, version, since=since, until=until, zone=zone, with_unusable=True)


def _shared_start(window: Window, zone: str) -> datetime | None:
    """The first midnight of the shared reading; None for a period that is not whole days out of it."""
    today = datetime.now(UTC).astimezone(ZoneInfo(zone)).date()
    start = datetime.combine(today - timedelta(days=SHARED_DAYS), time(), ZoneInfo(zone))
    if window.since is None or window.since < start:
        return None
    return start if all(_is_whole(end, zone) for end in (window.since, window.until)) else None


def _is_whole(moment: datetime | None, zone: str) -> bool:
    return moment is None or moment.astimezone(ZoneInfo(zone)).time() == time()


def _day(moment: datetime | None, zone: str, otherwise: int) -> int:
    return otherwise if moment is None else moment.astimezone(ZoneInfo(zone)).toordinal() - EPOCH_ORDINAL
