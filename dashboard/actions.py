"""All writes of the dashboard: one transaction each; what the pages keep of the old state is dropped afterwards.

Pages call them with the database's URL; see acting.action for what happens around each. access.ACTIONS says who may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.acting import Act, action
from fleetflow.storage import profiles, reviews, runs

if TYPE_CHECKING:
    from fleetflow.safety.events import HarshEvent, Review
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.runs import Run


@action
def review_event(act: Act, event: HarshEvent, review: Review | None, reason: str) -> None:
    """Judge an event; the trip's scores and the ranks follow. Raises ReviewConflictError, EventMissingError."""
    assert event.id is not None  # noqa: S101 - it was read from the database
    act.subject = f"event {event.id}"
    act.before, act.after = {"review": event.review}, {"review": review, "reason": reason}
    reviews.insert_review(act.conn, event.id, review, expected=event.review, author=act.author, reason=reason)


@action
def apply_profile(act: Act, profile: ScoringProfile, note: str) -> Run | None:
    """Store a profile and make it active: at once where every trip has a score under it (None), else after a run.

    Raises ProfileError, RunInProgressError; then nothing is stored.
    """
    active = profiles.read_active(act.conn)
    version = profiles.insert_profile(act.conn, profile, author=act.author, note=note)
    act.subject = f"profile {version}"
    act.before = {"version": active.version, "content": active.profile.content()}
    act.after = {"version": version, "name": profile.name, "content": profile.content(), "note": note}
    return runs.activate(act.conn, version, activated_by=act.author, note=note)


@action
def activate_profile(act: Act, version: int) -> Run | None:
    """Go to another version. Raises RunInProgressError."""
    act.subject = f"profile {version}"
    act.before, act.after = {"version": profiles.read_active(act.conn).version}, {"version": version}
    return runs.activate(act.conn, version, activated_by=act.author)


@action
def cancel_run(act: Act, run_id: int) -> bool:
    """Stop a run; False when it had ended already."""
    act.subject = f"run {run_id}"
    return runs.cancel_run(act.conn, run_id)
