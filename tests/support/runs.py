"""Re-score runs that no database made."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from fleetflow.storage.runs import Run, RunState

RUN = Run(
    id=1, profile_version=2, state=RunState.RUNNING, since=None, until=None, activates=True, total_trips=100,
    done_trips=0, last_trip_id=None, asked_by="Tester", note="", started_at=datetime(2026, 11, 20, 8, tzinfo=UTC),
    finished_at=None,
)  # fmt: skip


def make_run(**changes: Any) -> Run:
    """A run that goes on, with these changes."""
    return replace(RUN, **changes)
