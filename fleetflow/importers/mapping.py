"""A mapping: what each column becomes, in which unit, and what the file does not say itself. It is plain JSON."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from fleetflow.importers.roles import UNITS, Role
from fleetflow.importers.table import FileRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

GAP_S = 300.0
"""A silence as long ends a trip; the travel survey's own trips come out within 2 % of their distances."""
ONE_OF = frozenset(Role) - {Role.UNUSED}


@dataclass(frozen=True, slots=True)
class Use:
    """What a column becomes; the unit is empty where the role has none, or where an Arrow time needs none."""

    role: Role
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """`uses` by the column's name. Driver and vehicle are ids or names for rows that have no column for them.

    `zone` is that of times without one; `gap_s` of silence ends a trip; `start` is the ISO time of the first row where
    the file counts seconds; `sample_hz` is the rate where it has no times at all.
    """

    uses: dict[str, Use] = field(default_factory=dict)
    zone: str = "UTC"
    gap_s: float = GAP_S
    reversed_long: bool = False
    driver: str = ""
    vehicle: str = ""
    start: str = ""
    sample_hz: float | None = None

    def column(self, role: Role) -> str | None:
        """The column that has the role."""
        return next((name for name, use in self.uses.items() if use.role is role), None)

    def unit(self, role: Role) -> str:
        """The unit of the column that has the role."""
        return next((use.unit for use in self.uses.values() if use.role is role), "")

    def with_use(self, name: str, role: Role, unit: str = "") -> Self:
        """The column put to another use; whatever had the role before has none."""
        kept = {each: Use(Role.UNUSED) if use.role is role else use for each, use in self.uses.items()}
        return replace(self, uses={**kept, name: Use(role, unit or next(iter(UNITS.get(role, ("",)))))})

    def as_json(self) -> bytes:
        """The mapping as JSON, its keys in a fixed order; columns without a use are left out."""
        used = {name: use for name, use in self.uses.items() if use.role is not Role.UNUSED}
        return msgspec.json.encode(asdict(replace(self, uses=used)), order="sorted")

    def as_plain(self) -> dict[str, Any]:
        """The mapping as what JSON can hold."""
        plain: dict[str, Any] = msgspec.json.decode(self.as_json())
        return plain

    def check(self, columns: Iterable[str]) -> None:
        """Raises FileRefusedError for a column that the file has not, a role given twice, a unit that is none."""
        known = set(columns)
        for name, use in self.uses.items():
            if use.role is not Role.UNUSED and name not in known:
                raise FileRefusedError(f"The mapping names the column “{name}”, which the file has not.")
            if use.unit and use.unit not in UNITS.get(use.role, ()):
                raise FileRefusedError(f"“{use.unit}” is no unit of {use.role.value}.")
        taken = [use.role for use in self.uses.values() if use.role in ONE_OF]
        twice = next((role for role in taken if taken.count(role) > 1), None)
        if twice is not None:
            raise FileRefusedError(f"Two columns are {twice.value}; choose one.")
        check_zone(self.zone)


def read_mapping(text: bytes | str) -> Mapping:
    """What `as_json` wrote. Raises FileRefusedError."""
    try:
        return msgspec.json.decode(text, type=Mapping)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FileRefusedError(f"This is not a mapping: {error}.") from None


def mapping_of_plain(plain: dict[str, Any]) -> Mapping:
    """What `as_plain` gave."""
    return msgspec.convert(plain, Mapping)


def check_zone(name: str) -> None:
    """Raises FileRefusedError for what is no time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FileRefusedError(f"“{name}” is no time zone such as Europe/Berlin.") from None


def signature(form: str, columns: Iterable[str]) -> str:
    """By which a file of the same make is known again: its format and the names of its columns."""
    return hashlib.sha256("\n".join([form, *sorted(columns)]).encode()).hexdigest()
