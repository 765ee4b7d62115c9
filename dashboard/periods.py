"""The period looked at and the equally long one before it, by days of the viewer's zone. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dashboard import words

if TYPE_CHECKING:
    import pandas as pd

TREND_DAYS = 56
"""Eight weeks: what a trend is drawn over, however short the period is."""
EPOCH_ORDINAL = datetime(1970, 1, 1, tzinfo=UTC).toordinal()


@dataclass(frozen=True, slots=True)
class Period:
    """Days are numbered from 1970. `days` is None for all time, which has no period before it."""

    days: int | None
    last_day: int
    since: datetime | None
    """When the period began."""
    read_since: datetime | None
    """From when trips are needed: also those of the period before, and of the trend."""

    @property
    def first_day(self) -> int:
        """The first day of the period; of all time, day 0."""
        return 0 if self.days is None else self.last_day - self.days + 1

    def now(self, driven: pd.DataFrame) -> pd.DataFrame:
        """The rows of the period."""
        return driven[driven["day"] >= self.first_day]

    def before(self, driven: pd.DataFrame) -> pd.DataFrame:
        """The rows of the period before."""
        from_day = self.first_day - (self.days or 0)
        return driven[(driven["day"] >= from_day) & (driven["day"] < self.first_day)]


def period_of(days: int | None, zone: str, now: datetime) -> Period:
    """The last so many days of the zone, today included; None for all time."""
    today = now.astimezone(ZoneInfo(zone)).toordinal() - EPOCH_ORDINAL
    read = None if days is None else max(2 * days, TREND_DAYS)
    return Period(days, today, words.period_start(days, zone, now), words.period_start(read, zone, now))
