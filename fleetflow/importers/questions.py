"""A guess and what is open about it: questions that only a person can answer, each with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

from fleetflow.importers.mapping import Mapping  # noqa: TC001  # msgspec reads the annotations


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer to a question, and the mapping that follows from it."""

    label: str
    mapping: Mapping


@dataclass(frozen=True, slots=True)
class Question:
    """What only a person knows, with the evidence; the first choice is what was guessed."""

    title: str
    evidence: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Guess:
    """`reasons` say by column why it was put to its use."""

    mapping: Mapping
    reasons: dict[str, str] = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
