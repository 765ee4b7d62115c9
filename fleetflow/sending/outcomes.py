"""What is sent, and what became of it: an API's answer read into a fate and its reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

JUDGED = frozenset({400, 409, 410, 411, 413, 415, 422})
"""Answers about the trip itself. Any other that is not 202 is about the way there: address, access, a proxy."""
KEPT_FAILURES = 1000


class Fate(StrEnum):
    """What became of a trip. Refused: the API will never take it. Gave up: nobody who could judge it did."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    GAVE_UP = "gave up"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A trip's body and where it came from, such as `drives.ndjson:17`; the error, if it is none to send."""

    source: str
    body: bytes = b""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`trip_id` where the API told it; `reasons` where it was refused or given up."""

    source: str
    fate: Fate
    trip_id: str | None = None
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class SendReport:
    """Counts by fate, the first 1000 trips that were not taken, and the ids of those that were.

    `stopped` tells that nothing got through any more and that the rest was not tried.
    """

    counts: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(Fate, 0))
    failures: list[Outcome] = field(default_factory=list)
    trip_ids: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def all_taken(self) -> bool:
        """Whether the API has every trip."""
        return not (self.stopped or self.counts[Fate.REFUSED] or self.counts[Fate.GAVE_UP])

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self.counts[outcome.fate] += 1
        if outcome.fate in {Fate.ACCEPTED, Fate.DUPLICATE}:
            self.trip_ids.extend([outcome.trip_id] if outcome.trip_id else [])
        elif len(self.failures) < KEPT_FAILURES:
            self.failures.append(outcome)


def read_outcome(source: str, answer: httpx.Response) -> Outcome:
    """The fate that an answer means; its reasons are the API's, or the bare status where it says none."""
    content = read_object(answer)
    if answer.status_code == httpx.codes.ACCEPTED:
        fate = Fate.DUPLICATE if content.get("duplicate") else Fate.ACCEPTED
        return Outcome(source, fate, trip_id=content.get("trip_id"))
    if answer.status_code not in JUDGED:
        reason = f"{answer.url} answered {answer.status_code}: {content.get('detail') or answer.reason_phrase}"
        return Outcome(source, Fate.GAVE_UP, reasons=(reason,))
    detail = str(content.get("detail") or f"The API answered {answer.status_code}.")
    return Outcome(source, Fate.REFUSED, reasons=tuple(_faults(content.get("errors"))) or (detail,))


def read_object(answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON object; an empty one for anything else, such as a proxy's page."""
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _faults(errors: object) -> Iterator[str]:
    for fault in errors if isinstance(errors, list) else ():
        if isinstance(fault, dict):
            yield f"{fault.get('path') or 'body'} {fault.get('message', '')}".rstrip()
