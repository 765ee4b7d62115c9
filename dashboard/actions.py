"""All writes of the dashboard: one transaction each; what the pages keep of the old state is dropped afterwards.

Pages call them with the database's URL; see acting.action for what happens around each. access.ACTIONS says who may.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from dashboard.acting import Act, action
from fleetflow import people
from fleetflow.storage import accounts, keys, profiles, reviews, roster, runs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fleetflow.access import Role, Scope
    from fleetflow.people import Login
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


@action
def add_account(act: Act, name: str, roles: Sequence[Role]) -> Login:
    """A new account with a password to be changed. Raises AccountExistsError."""
    act.subject, act.after = name.strip(), {"roles": sorted(roles)}
    return people.add_account(act.conn, name, roles)


@action
def reset_account(act: Act, name: str) -> Login:
    """Another password; the person's sessions end. Raises AccountMissingError."""
    act.subject = name
    return people.reset_password(act.conn, name)


@action
def disable_account(act: Act, name: str) -> None:
    """Out at once. Raises AccountMissingError, LastAdminError."""
    act.subject = name
    people.disable(act.conn, name)


@action
def enable_account(act: Act, name: str) -> None:
    """In again. Raises AccountMissingError."""
    act.subject = name
    people.enable(act.conn, name)


@action
def set_roles(act: Act, name: str, roles: Sequence[Role]) -> None:
    """Other roles, from the next click on. Raises AccountMissingError, LastAdminError."""
    account = accounts.read_account(act.conn, name)
    act.subject, act.before, act.after = name, {"roles": sorted(account.roles)}, {"roles": sorted(roles)}
    accounts.update_roles(act.conn, account.id, roles)


@action
def add_key(act: Act, name: str, scopes: Sequence[Scope], days: int | None) -> str:
    """A new API key, good for so many days or until it is revoked; the only time that it is shown."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    prefix, key = keys.insert_key(act.conn, name, scopes, created_by=act.author, expires_at=expires_at)
    act.subject, act.after = prefix, {"name": name, "scopes": sorted(scopes), "expires_at": expires_at}
    return key


@action
def revoke_key(act: Act, prefix: str) -> None:
    """The key opens nothing after some seconds. Raises KeyMissingError."""
    act.subject = prefix
    act.before = {"name": keys.revoke_key(act.conn, prefix)}


@action
def edit_drivers(act: Act, rows: Sequence[Mapping[str, str | None]]) -> None:
    """Names and groups of drivers: id, name, group_name."""
    act.subject, act.after = f"{len(rows)} drivers", {"rows": list(rows)}
    for row in rows:
        roster.upsert_driver(act.conn, UUID(row["id"]), name=row["name"], group_name=row["group_name"])


@action
def edit_vehicles(act: Act, rows: Sequence[Mapping[str, str | None]]) -> None:
    """Names, groups and classes of vehicles: id, name, group_name, vehicle_class."""
    act.subject, act.after = f"{len(rows)} vehicles", {"rows": list(rows)}
    for row in rows:
        values = {name: row[name] for name in ("name", "group_name", "vehicle_class")}
        roster.upsert_vehicle(act.conn, UUID(row["id"]), **values)
