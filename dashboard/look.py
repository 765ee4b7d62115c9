"""One visual language: signals are ink, colour means an event, and every event kind has a sign besides its colour.

Colours in figures are Streamlit's place-holders for `theme.chartCategoricalColors` in .streamlit/config.toml: the
browser replaces them, so that a figure follows a switch between light and dark without a rerun.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from fleetflow.safety.events import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping

INK = "#000001"
ACCENT = "#000006"
MUTED = "#000007"
HAIRLINE = "#000008"
GOOD = "#000009"
SOFT = "#000010"
PAGE = "#000038"

FONT = "Inter tnum, sans-serif"


@dataclass(frozen=True, slots=True)
class KindLook:
    """How an event kind appears everywhere. `chip` is a colour with alpha that reads on both backgrounds."""

    noun: str
    brief: str
    label: str
    sign: str
    symbol: str
    color: str
    name: Literal["red", "blue", "violet", "orange"]
    chip: str
    unit: str

    @property
    def picture(self) -> str:
        """The colour in an image, which cannot follow the theme."""
        return self.chip[:7]

    @property
    def digits(self) -> int:
        """How exactly peaks of this kind are said."""
        return 2 if self.unit == "g" else 0

    @property
    def colored_sign(self) -> str:
        """The sign in its colour, for Streamlit's markdown."""
        return f":{self.name}[{self.sign}]"


KINDS: Mapping[EventKind, KindLook] = MappingProxyType(
    {
        EventKind.BRAKING: KindLook(
            "Braking", "Braking", "Harsh braking", "▼", "triangle-down", "#000002", "red", "#D9482B2E", "g"
        ),
        EventKind.ACCELERATION: KindLook(
            "Acceleration", "Accel.", "Rapid acceleration", "▲", "triangle-up", "#000003", "blue", "#2196CB2E", "g"
        ),
        EventKind.CORNERING: KindLook(
            "Cornering", "Cornering", "Harsh cornering", "◆", "diamond", "#000004", "violet", "#8460E02E", "g"
        ),
        EventKind.SPEEDING: KindLook(
            "Speeding", "Speeding", "Speeding", "■", "square", "#000005", "orange", "#D98A0B2E", "km/h"
        ),
    }
)
KIND_COLUMNS = tuple(kind.value for kind in KINDS)
"""The count columns of every report, in the order in which they are shown."""
