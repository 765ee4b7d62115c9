"""All writes of the dashboard: one transaction each; what the pages keep of the old state is dropped afterwards.

Pages call them with the database's URL; see acting.action for what happens around each. access.ACTIONS says who may.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dashboard.acting import Act, action
from fleetflow import people
from fleetflow.dossier import write_dossier
from fleetflow.storage import (
    accounts,
    backlog,
    coaching,
    dossiers,
    erasures,
    keys,
    profiles,
    reviews,
    roster,
    runs,
    uploads,
)
from fleetflow.storage.policy import Policy, delete_policy, read_policy, upsert_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from fleetflow.access import Role, Scope
    from fleetflow.importers import Mapping as ColumnMapping
    from fleetflow.people import Login
    from fleetflow.safety.events import HarshEvent, Review
    from fleetflow.safety.profiles import ScoringProfile
    from fleetflow.storage.erasures import Erased
    from fleetflow.storage.runs import Run

MOST_EXPORTED_POINTS = 2_000_000
"""Some 20 MB in a ZIP; the command has no limit."""


@action
def review_event(act: Act, event: HarshEvent, review: Review | None, reason: str) -> tuple[int | None, int | None]:
    """Judge an event; the trip's score before and after, and the ranks follow.

    Raises ReviewConflictError, EventMissingError.
    """
    assert event.id is not None  # noqa: S101 - it was read from the database
    act.subject = f"event {event.id}"
    act.before, act.after = {"review": event.review}, {"review": review, "reason": reason}
    version = profiles.read_active(act.conn).version
    before = reviews.read_score_around(act.conn, event.id, version)
    reviews.insert_review(act.conn, event.id, review, expected=event.review, author=act.author, reason=reason)
    return before, reviews.read_score_around(act.conn, event.id, version)


@action
def review_events(act: Act, events: Sequence[HarshEvent], review: Review | None, reason: str) -> int:
    """Judge many events alike; how many changed. Those that somebody else judged meanwhile stay as they are."""
    expected = {event.id: event.review for event in events if event.id is not None}
    changed = reviews.insert_reviews(act.conn, expected, review, author=act.author, reason=reason)
    act.subject = f"{len(expected)} events"
    act.before = {"reviews": {str(event_id): before for event_id, before in expected.items()}}
    act.after = {"review": review, "reason": reason, "changed": changed}
    return changed


@action
def add_note(act: Act, driver_id: UUID, coached_on: date, note: str) -> None:
    """Keep what was agreed with a driver. Raises NoteRefusedError."""
    number = coaching.insert_note(act.conn, driver_id, coached_on, note, author=act.author)
    act.subject, act.after = f"driver {driver_id}", {"note": number, "coached_on": coached_on}


@action
def withdraw_note(act: Act, note_id: int) -> bool:
    """Take a note back; False when somebody did so before."""
    withdrawn = coaching.withdraw_note(act.conn, note_id)
    act.subject, act.after = f"note {note_id}", {"withdrawn": withdrawn}
    return withdrawn


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
def begin_upload(
    act: Act, upload: uploads.NewUpload, drivers: dict[UUID, str], vehicles: dict[UUID, str], per_hour: int
) -> int:
    """Keep where trips are about to come from, and the names that the file has for people and vehicles.

    Raises UploadQuotaError for more files of one person than the policy allows, which is `per_hour` as configured.
    """
    allowed = read_policy(act.conn, Policy(upload_files_per_hour=per_hour)).upload_files_per_hour
    uploads.check_quota(act.conn, act.author, allowed)
    uploads.name_unknown(act.conn, drivers, vehicles)
    number = uploads.insert_upload(act.conn, upload, author=act.author)
    act.subject = f"upload {number}"
    act.after = {"file_name": upload.file_name, "size_bytes": upload.size_bytes, "format": upload.format}
    return number


@action
def note_uploaded(act: Act, upload_id: int, trip_ids: Iterable[UUID], refused: int = 0) -> None:
    """Say which trips came with an upload that has ended, and how many of its trips the API refused."""
    found = list(trip_ids)
    act.subject, act.after = f"upload {upload_id}", {"trips": len(found)}
    uploads.insert_upload_trips(act.conn, upload_id, found)
    uploads.update_upload(act.conn, upload_id, stored=len(found), refused=refused, ended=True)


@action
def save_mapping(act: Act, name: str, signature: str, mapping: ColumnMapping) -> None:
    """Save a mapping for all files of one make."""
    act.subject, act.after = f"mapping {name}", mapping.as_plain()
    uploads.upsert_mapping(act.conn, name, signature, mapping.as_plain(), act.author)


@action
def retry_failed(act: Act, trip_ids: Sequence[UUID] | None = None) -> int:
    """Have failed trips analysed again, these or all; how many it reached."""
    reached = len(backlog.retry_failed(act.conn, trip_ids))
    chosen = "all" if trip_ids is None else [str(each) for each in trip_ids]
    act.subject, act.after = f"{reached} failed trips", {"trips": chosen}
    return reached


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
def add_key(
    act: Act,
    name: str,
    scopes: Sequence[Scope],
    days: int | None,
    *,
    vehicle_ids: Sequence[UUID] = (),
    per_minute: int | None = None,
) -> str:
    """A new API key, good for so many days or until it is revoked; the only time that it is shown."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    terms: dict[str, Any] = {"expires_at": expires_at, "vehicle_ids": vehicle_ids, "per_minute": per_minute}
    prefix, key = keys.insert_key(act.conn, name, scopes, created_by=act.author, **terms)
    act.subject, act.after = prefix, {"name": name, "scopes": sorted(scopes), **terms}
    return key


@action
def rotate_key(act: Act, prefix: str, overlap_hours: int) -> str:
    """Another key on the same terms, shown this once; the old one stays good that long. Raises KeyMissingError."""
    overlap = timedelta(hours=overlap_hours)
    new_prefix, key = keys.rotate_key(act.conn, prefix, created_by=act.author, overlap=overlap)
    act.subject, act.after = prefix, {"new_key": new_prefix, "overlap_hours": overlap_hours}
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


@action
def set_policy(act: Act, policy: Policy, before: Policy) -> None:
    """From now on this holds, whatever the settings of the programs say; `before` is what the admin saw."""
    act.before, act.after = before.as_plain(), policy.as_plain()
    upsert_policy(act.conn, policy, author=act.author)


@action
def forget_policy(act: Act, before: Policy) -> None:
    """The settings of the programs decide again."""
    act.before = before.as_plain()
    delete_policy(act.conn)


@action
def export_driver(act: Act, driver_id: UUID) -> bytes:
    """All that is stored about a driver as a ZIP, without samples where these are many. Raises DriverMissingError."""
    samples = dossiers.count_points(act.conn, driver_id) <= MOST_EXPORTED_POINTS
    file = BytesIO()
    trips = write_dossier(act.conn, driver_id, file, samples=samples)
    act.subject, act.after = f"driver {driver_id}", {"trips": trips, "samples": samples}
    return file.getvalue()


@action
def begin_erasure(act: Act, driver_id: UUID) -> None:
    """From now on no trip of this driver is stored; `erase_driver` has to follow. Raises DriverMissingError."""
    erasures.check_driver(act.conn, driver_id)
    erasures.insert_tombstone(act.conn, driver_id)


@action
def erase_driver(act: Act, driver_id: UUID) -> Erased:
    """Delete all that is known of a driver; neither id nor name is in the entry. Raises DriverMissingError."""
    erased = erasures.erase_driver(act.conn, driver_id)
    act.after = erased.as_plain()
    return erased
