"""A first mapping for a table: by names, by values, and by what the signals say of each other; always with a reason."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fleetflow.importers import names
from fleetflow.importers.cells import Cells
from fleetflow.importers.clocks import ClockGuess, guess_clock
from fleetflow.importers.evidence import SPEED_RATIOS, Evidence
from fleetflow.importers.mapping import Mapping, Use
from fleetflow.importers.questions import Choice, Guess, Question
from fleetflow.importers.roles import UNITS, Role
from fleetflow.trips.quality import MIN_UNIT_R, REVERSED_R, WEAK_R
from fleetflow.trips.quality import UNITS as RATIOS

if TYPE_CHECKING:
    from fleetflow.importers.table import Table
    from fleetflow.trips.agreement import Agreement
    from fleetflow.trips.samples import FloatArray

MEASURED = (Role.SPEED, Role.LATITUDE, Role.LONGITUDE, Role.HEADING, Role.ODOMETER)
LARGE = 3.0
"""No vehicle sustains 3 g: a hundredth of the values beyond it are in m/s2."""


def guess(table: Table, *, zone: str = "UTC") -> Guess:
    """The mapping that fits best. `zone` is taken for times that carry none."""
    maker = _Maker(table, Mapping(zone=zone))
    maker.name_roles()
    maker.find_clock()
    maker.weigh_speed()
    maker.weigh_accelerations()
    uses = {name: maker.mapping.uses.get(name, Use(Role.UNUSED)) for name in table.columns}
    mapping = replace(maker.mapping, uses=uses)
    return Guess(mapping, maker.reasons, tuple(maker.asked(mapping)))


class _Maker:
    """The mapping as it grows."""

    def __init__(self, table: Table, mapping: Mapping) -> None:
        self.table = table
        self.mapping = mapping
        self.reasons: dict[str, str] = {}
        self._cells = Cells(table)
        self._clock = ClockGuess()
        self._unsure: list[tuple[str, str, str, tuple[str, ...]]] = []
        self._said: dict[str, str] = {}
        self._filled = {name for name, column in table.columns.items() if column.null_count < len(column)}

    def name_roles(self) -> None:
        """Columns whose names say what they are, if their values agree."""
        fitting = {
            **dict.fromkeys(MEASURED, self._cells.is_number),
            Role.VALID: self._cells.is_yes_no,
            **dict.fromkeys((Role.DRIVER, Role.VEHICLE, Role.TRIP), self._cells.is_label),
        }
        for role, fits in fitting.items():
            found = [name for name in self._free() if names.score(name, role) > 0 and fits(name)]
            if found:
                best = max(found, key=lambda name: (names.score(name, role), self._unit(name, role) == "km/h"))
                self._use(best, role, self._unit(best, role), "by its name")

    def find_clock(self) -> None:
        """The column, or the two, that tell the time."""
        self._clock = guess_clock(self.table, self._free())
        for name, use in self._clock.uses.items():
            self._use(name, use.role, use.unit, self._clock.reason)

    def weigh_speed(self) -> None:
        """The unit of the speed: as said, else as the distance between the positions says."""
        name = self.mapping.column(Role.SPEED)
        if name is None:
            return
        said, fits = self.mapping.unit(Role.SPEED), self._evidence.speed_unit(name)
        unit = fits or said or "km/h"
        self._set_unit(name, unit)
        top = f"{_top(self._cells.values(name)):.0f}"
        if fits and not said:
            self.reasons[name] = f"the distance between the positions fits {fits}"
        elif fits and fits != said:
            self._ask(name, unit, f"Its name says {said}, but the distance between the positions fits {fits}.", said)
        elif not unit_known(said, fits):
            text = f"The file does not say. The highest value is {top}: {_as_units(self._cells.values(name))}."
            self._ask(name, unit, text, "mph", "m/s")

    def weigh_accelerations(self) -> None:
        """Which axis is forward, in which unit and direction: by names, and by what the change of speed says."""
        axes = {name: names.axis_of(name) for name in self._free() if self._cells.is_number(name)}
        for role, axis in ((Role.LONG_G, "long"), (Role.LAT_G, "lat")):
            found = [name for name, each in axes.items() if each == axis]
            if found:
                best = max(found, key=lambda name: bool(names.PREFERRED & set(names.words(name).split("_"))))
                self._use(best, role, self._unit(best, role), "by its name")
        if self.mapping.column(Role.LONG_G) is None:
            self._choose_axis([name for name, each in axes.items() if each == "any"])
        self._weigh_unit()

    def asked(self, mapping: Mapping) -> list[Question]:
        """The questions, each with the mappings that its answers give."""
        asked = [self._question(mapping, *each) for each in self._unsure]
        column = mapping.column(Role.TIME) or mapping.column(Role.DATE)
        if self._clock.other_order and column:
            other = mapping.with_use(column, mapping.uses[column].role, self._clock.other_order)
            choices = (
                Choice(f"Yes, {mapping.uses[column].unit}", mapping),
                Choice(f"No, {self._clock.other_order}", other),
            )
            asked.append(Question(f"Are the dates {mapping.uses[column].unit}?", self._clock.evidence, choices))
        if mapping.reversed_long:
            choices = (Choice("Yes, turn it around", mapping), Choice("No", replace(mapping, reversed_long=False)))
            asked.append(Question("Is braking positive in this file?", self._said.get("sign", ""), choices))
        return asked

    @property
    def _evidence(self) -> Evidence:
        return Evidence(self.table, self._cells, self.mapping, self._clock.seconds)

    def _question(self, mapping: Mapping, name: str, unit: str, evidence: str, others: tuple[str, ...]) -> Question:
        role = mapping.uses[name].role
        choices = [Choice(f"Yes, {unit}", mapping)]
        choices += [Choice(f"No, {other}", mapping.with_use(name, role, other)) for other in others if other != unit]
        return Question(f"Is {name} in {unit}?", evidence, tuple(choices))

    def _free(self) -> list[str]:
        return [name for name in self.table.columns if name in self._filled and name not in self.mapping.uses]

    def _use(self, name: str, role: Role, unit: str, reason: str) -> None:
        self.mapping = replace(self.mapping, uses={**self.mapping.uses, name: Use(role, unit)})
        self.reasons[name] = reason

    def _set_unit(self, name: str, unit: str) -> None:
        use = self.mapping.uses[name]
        self.mapping = replace(self.mapping, uses={**self.mapping.uses, name: Use(use.role, unit)})

    def _ask(self, name: str, unit: str, evidence: str, *others: str) -> None:
        self.reasons[name] = evidence
        self._unsure.append((name, unit, evidence, others))

    def _unit(self, name: str, role: Role) -> str:
        fixed = self.table.units.get(name, "")
        unit = fixed if fixed in UNITS.get(role, ()) else names.unit_of(name, role)
        return unit or ("" if role in {Role.SPEED, Role.LONG_G, Role.LAT_G} else next(iter(UNITS.get(role, ("",)))))

    def _choose_axis(self, candidates: list[str]) -> None:
        found = {name: self._evidence.against_speed(name) for name in candidates}
        judged = {name: abs(each.r or 0.0) for name, each in found.items() if each.judged}
        best = max(judged, key=lambda name: judged[name], default=None)
        if best is not None and judged[best] >= WEAK_R:
            self._use(best, Role.LONG_G, self._unit(best, Role.LONG_G), f"follows the speed (r {found[best].r:.2f})")
            across = next((name for name in candidates if _is_across(best, name)), None)
            if across is not None and self.mapping.column(Role.LAT_G) is None:
                self._use(across, Role.LAT_G, self._unit(across, Role.LAT_G), f"lies across {best}")
        elif len(candidates) == 1:
            self._use(candidates[0], Role.LONG_G, self._unit(candidates[0], Role.LONG_G), "the only acceleration")

    def _weigh_unit(self) -> None:
        name = self.mapping.column(Role.LONG_G)
        if name is None:
            return
        said, found = self.mapping.unit(Role.LONG_G), self._evidence.against_speed(name)
        fits = _fitting_unit(found)
        unit = fits or said or ("m/s2" if _top(self._cells.values(name)) > LARGE else "g")
        self._set_unit(name, unit)
        if found.judged and found.r is not None and found.r <= REVERSED_R:
            self.mapping = replace(self.mapping, reversed_long=True)
            self._said["sign"] = f"{name} runs against the change of speed (correlation {found.r:.2f})."
        if fits and said and fits != said:
            times = f"{found.ratio:.1f} times what the change of speed is in g"
            text = f"Its name says {said}, but it is {times}: that is {fits}."
            self._ask(name, unit, text, said)
        elif not unit_known(said, fits):
            text = f"The file does not say. Values reach {_top(self._cells.values(name)):.1f}: are these {unit}?"
            self._ask(name, unit, text, "g", "m/s2")
        lateral = self.mapping.column(Role.LAT_G)
        if lateral is not None and not self.mapping.unit(Role.LAT_G):
            self._set_unit(lateral, unit)


def _is_across(name: str, other: str) -> bool:
    """Whether the names differ in X and Y only; Z points up or down."""
    letters = {"x": "y", "y": "x", "X": "Y", "Y": "X"}
    differing = [(mine, its) for mine, its in zip(name, other, strict=False) if mine != its]
    return len(name) == len(other) and len(differing) == 1 and letters.get(differing[0][0]) == differing[0][1]


def unit_known(said: str, fits: str) -> bool:
    """Whether anything tells the unit."""
    return bool(said or fits)


def _fitting_unit(found: Agreement) -> str:
    if not found.judged or found.r is None or found.ratio is None or abs(found.r) < MIN_UNIT_R:
        return ""
    if 0.5 <= found.ratio <= 2:  # noqa: PLR2004  # what is trusted as g
        return "g"
    return next((unit for unit, (low, high) in RATIOS.items() if low <= found.ratio <= high), "")


def _top(values: FloatArray) -> float:
    known = np.abs(values[np.isfinite(values)])
    return float(np.percentile(known, 99)) if known.size else 0.0


def _as_units(values: FloatArray) -> str:
    top = _top(values)
    return ", ".join(f"{top * factor:.0f} km/h if {unit}" for unit, factor in list(SPEED_RATIOS.items())[:3])
