"""Where uploaded trips came from, and mappings that are found again."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleetflow.storage import roster, uploads
from fleetflow.storage.database import connection
from fleetflow.storage.tables import upload_trips
from fleetflow.storage.tables import uploads as stored
from fleetflow.storage.trips import insert_trips
from fleetflow.storage.uploads import NewUpload, SavedMapping, UploadQuotaError, UploadState
from tests.support.trips import new_trip

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres
UPLOAD = NewUpload("van.csv", b"\1" * 32, 1234, "CSV, separated by commas", {"zone": "UTC"}, 3)


@pytest.fixture
def conn(engine: sa.Engine) -> Iterator[sa.Connection]:
    with connection(engine) as conn:
        yield conn


def test_an_upload_keeps_which_trips_came_with_it(conn: sa.Connection):
    trip = new_trip()
    insert_trips(conn, [trip])
    upload_id = uploads.insert_upload(conn, UPLOAD, author="Simulated Ann")
    for _ in range(2):
        uploads.insert_upload_trips(conn, upload_id, [trip.id, uuid.uuid4()])
    assert conn.execute(sa.select(upload_trips)).all() == [(upload_id, trip.id)]


def test_an_upload_is_being_sent_until_it_ends_whole_or_interrupted(conn: sa.Connection):
    def state() -> tuple[UploadState, int]:
        (upload,) = uploads.list_uploads(conn, 10)
        return upload.state, upload.stored_count

    upload_id = uploads.insert_upload(conn, UPLOAD, author="Simulated Ann")
    assert state() == (UploadState.SENDING, 0)
    uploads.update_upload(conn, upload_id, stored=1, refused=0, ended=False)
    assert state() == (UploadState.SENDING, 1)
    conn.execute(sa.update(stored).values(sending_until=sa.text("now() - interval '1 second'")))
    assert state() == (UploadState.INTERRUPTED, 1), "its process was killed: nobody says that it goes on"
    uploads.update_upload(conn, upload_id, stored=2, refused=0, ended=True)
    assert state() == (UploadState.INTERRUPTED, 2)
    uploads.update_upload(conn, upload_id, stored=2, refused=1, ended=True)
    assert state() == (UploadState.STORED, 2), "what the API refuses is not missing"
    conn.execute(sa.update(stored).values(trip_count=None, stored_count=0))
    assert state() == (UploadState.STORED, 0), "of older uploads nothing is known"


def test_of_a_file_that_was_sent_again_only_its_last_upload_is_told(conn: sa.Connection):
    other = replace(UPLOAD, file_hash=b"\2" * 32, file_name="bus.csv")
    first = uploads.insert_upload(conn, UPLOAD, author="Simulated Ann")
    for upload, author in ((other, "Simulated Ann"), (UPLOAD, "Simulated Bob")):
        uploads.insert_upload(conn, upload, author=author)
    uploads.update_upload(conn, first, stored=1, refused=0, ended=True)
    told = [(each.file_name, each.uploaded_by) for each in uploads.list_uploads(conn, 10)]
    assert told == [("van.csv", "Simulated Bob"), ("bus.csv", "Simulated Ann")]
    assert len(uploads.list_uploads(conn, 1)) == 1


def test_trips_that_are_there_already_are_known_by_their_content(conn: sa.Connection):
    trip = new_trip()
    insert_trips(conn, [trip])
    assert uploads.find_known(conn, [trip.content_hash, b"other"]) == {trip.content_hash: trip.id}


def test_a_trips_way_tells_its_state_until_there_is_a_score(conn: sa.Connection):
    first, second = new_trip(), new_trip()
    insert_trips(conn, [first, second])
    ways = uploads.list_ways(conn, 1, [second.id, uuid.uuid4(), first.id])
    assert [(way.trip_id, way.status, way.score) for way in ways] == [
        (second.id, "PENDING", None), (first.id, "PENDING", None),
    ]  # fmt: skip


def test_the_mapping_saved_last_for_a_make_of_file_is_found(conn: sa.Connection):
    assert uploads.find_mapping(conn, "a" * 64) is None
    uploads.upsert_mapping(conn, "Van logger", "a" * 64, {"zone": "UTC"}, "Simulated Ann")
    uploads.upsert_mapping(conn, "Van logger", "a" * 64, {"zone": "Europe/Berlin"}, "Simulated Ann")
    assert uploads.find_mapping(conn, "a" * 64) == SavedMapping("Van logger", {"zone": "Europe/Berlin"})


def test_more_files_than_the_quota_are_refused(conn: sa.Connection):
    for _ in range(3):
        uploads.check_quota(conn, "Simulated Ann", 3)
        uploads.insert_upload(conn, UPLOAD, author="Simulated Ann")
    with pytest.raises(
        UploadQuotaError, match="The limit is 3 an hour for one person; the next file may come in 60 minutes"
    ):
        uploads.check_quota(conn, "Simulated Ann", 3)
    uploads.check_quota(conn, "Simulated Bob", 3)
    conn.execute(sa.update(stored).values(uploaded_at=sa.text("now() - interval '61 minutes'")))
    uploads.check_quota(conn, "Simulated Ann", 3)


def test_a_trip_with_other_content_at_the_same_start_is_a_conflict(conn: sa.Connection):
    trip = new_trip()
    insert_trips(conn, [trip])
    assert trip.started_at is not None
    other = b"other"
    cases = [(trip.vehicle_id, trip.started_at, other), (uuid.uuid4(), trip.started_at, b"elsewhere")]
    assert uploads.find_conflicts(conn, cases) == {other: trip.id}
    assert uploads.find_conflicts(conn, [(trip.vehicle_id, trip.started_at, trip.content_hash)]) == {}
    assert uploads.find_conflicts(conn, []) == {}


def test_names_from_a_file_never_replace_those_that_somebody_gave(conn: sa.Connection):
    named, nameless = uuid.uuid4(), uuid.uuid4()
    roster.upsert_driver(conn, named, name="Simulated Ann")
    uploads.name_unknown(conn, {named: "A", nameless: "B"}, {})
    assert uploads.list_names(conn) == ({named: "Simulated Ann", nameless: "B"}, {})
