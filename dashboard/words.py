"""Numbers, times and names as people read them: real minus signs, always a unit, the time zone said elsewhere."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    import pandas as pd

    from fleetflow.safety.events import HarshEvent

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"
NOTHING = DASH
SHORT_ID = 8
MARKDOWN = re.compile(r"[\\`*_\[\](){}<>#!|$~:]")


def integer(value: float) -> str:
    """1,234."""
    return f"{value:,.0f}".replace("-", MINUS)


def decimal(value: float | None, digits: int = 1, unit: str = "") -> str:
    """0.42 g; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.{digits}f}{' ' + unit if unit else ''}".replace("-", MINUS)


def signed(value: float, digits: int = 1) -> str:
    """With its sign; a plain 0 for what rounds to nothing."""
    text = f"{value:+,.{digits}f}".replace("-", MINUS)
    return text[1:] if float(f"{value:.{digits}f}") == 0 else text


def kilometres(value: float | None) -> str:
    """12.3 km, 1,234 km: as exact as the distance is worth."""
    return decimal(value, 0 if value is not None and value >= 100 else 1, "km")  # noqa: PLR2004


def duration(seconds: float | None) -> str:
    """45 s, 12 min, 3 h 05 min."""
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    minutes = round(seconds / 60)
    if seconds < 59.5:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"  # noqa: PLR2004


def literal(text: str) -> str:
    """A name or a note inside Markdown, where it shall mean nothing but itself."""
    return MARKDOWN.sub(r"\\\g<0>", text)


def plural(count: int, noun: str) -> str:
    """1 trip, 2 trips."""
    return f"{integer(count)} {noun}{'' if count == 1 else 's'}"


def chance(probability: float) -> str:
    """76 %; never 0 % or 100 %."""
    percent = round(100 * probability)
    if percent >= 100:  # noqa: PLR2004
        return ">99 %"
    return f"{percent} %" if percent >= 1 else "<1 %"


def rank(number: float, *, tied: bool) -> str:
    """4, or =4 for one of equals; nothing without a rank."""
    return f"{'=' if tied else ''}{number:.0f}" if number > 0 else ""


def ranks(frame: pd.DataFrame) -> list[str]:
    """The rank of each row."""
    return [rank(number, tied=bool(tied)) for number, tied in zip(frame["rank"], frame["tied"], strict=True)]


def likely_ranks(frame: pd.DataFrame) -> list[str]:
    """9-17: every rank between fits the data; nothing without a rank."""
    return [_between(low, high) for low, high in zip(frame["rank_low"], frame["rank_high"], strict=True)]


def _between(low: float, high: float) -> str:
    if not low > 0:
        return ""
    return f"{low:.0f}" if low == high else f"{low:.0f}{DASH}{high:.0f}"


def segment(label: str) -> str:
    """A choice of a segmented control, in grey: the accent on its own tint is too pale to read in the dark (3.8:1)."""
    return f":gray[{label}]"


def driver(name: object, driver_id: str) -> str:
    """The driver's name, else the beginning of his id."""
    return name if isinstance(name, str) and name else f"Driver {driver_id[:SHORT_ID]}"


def vehicle(name: object, vehicle_id: str) -> str:
    """The vehicle's name, else the beginning of its id."""
    return name if isinstance(name, str) and name else f"Vehicle {vehicle_id[:SHORT_ID]}"


def peak(event: HarshEvent, digits: int = 2) -> str:
    """0.46 g, or 112 km/h for speeding; ≈ 0.46 g where the speed stands in for an accelerometer."""
    if event.peak_g is None:
        return decimal(event.speed_kmh, 0, "km/h")
    return f"{'≈ ' if event.derived else ''}{decimal(event.peak_g, digits, 'g')}"


def known_zone(name: str | None) -> str:
    """The zone if this machine knows it, else UTC."""
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def zone_note(zone: str) -> str:
    """How the zone is said beside times."""
    return "times in UTC" if zone == "UTC" else f"times in {zone.replace('_', ' ')}"


def day_and_time(moment: datetime | None, zone: str) -> str:
    """Tue 17 Nov 2026, 07:42."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%a %-d %b %Y, %H:%M") if moment else NOTHING


def time_of_day(moment: datetime | None, zone: str) -> str:
    """07:42:10."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M:%S") if moment else NOTHING


def event_time(event: HarshEvent, started_at: datetime | None, zone: str, *, has_clock: bool) -> str:
    """When an event's peak was: by the wall clock, else from the trip's start, else the sample's number."""
    if not has_clock:
        return f"sample {event.peak_s:,.0f}"
    if started_at is None:
        return f"{int(event.peak_s // 60)}:{event.peak_s % 60:04.1f} min"
    return time_of_day(started_at + timedelta(seconds=event.peak_s), zone)


def period_start(days: int | None, zone: str, now: datetime) -> datetime | None:
    """Midnight in the zone, so many days back that today is the last of them; None for all time."""
    if days is None:
        return None
    today = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today - timedelta(days=days - 1)).astimezone(UTC)


def date_range(since: datetime, now: datetime, zone: str) -> str:
    """26 Oct to 22 Nov 2026, in short."""
    first, last = (moment.astimezone(ZoneInfo(zone)) for moment in (since, now))
    form = "%-d %b" if first.year == last.year else "%-d %b %Y"
    return f"{first.strftime(form)} {DASH} {last.strftime('%-d %b %Y')}"


def file_name(text: str) -> str:
    """The text as a part of a file's name: lower case, letters and digits, dashes for the rest."""
    plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in text.lower())
    return "-".join(part for part in plain.split("-") if part) or "unnamed"
