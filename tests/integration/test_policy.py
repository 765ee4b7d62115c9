"""What an admin changes while FleetFlow runs: it holds in every program, and the settings decide until then."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import sqlalchemy as sa

from dashboard import actions
from fleetflow.storage import registers, roster
from fleetflow.storage.database import connection
from fleetflow.storage.policy import Policy, delete_policy, read_policy, upsert_policy
from fleetflow.storage.trips import read_samples
from fleetflow.storage.uploads import NewUpload, UploadQuotaError
from tests.support.pages import BRAKE, drive, store, text
from tests.support.people import signed_in
from tests.support.programs import make_settings, running_worker
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.postgres
NAME = "Zoltan Qwark"
YEAR_OLD = "UPDATE telemetry.trip_logs SET received_at = now() - interval '1 year'"


def decide(engine: sa.Engine, **choices) -> None:
    with connection(engine) as conn:
        upsert_policy(conn, Policy(**choices), author="ann")


def field(app: AppTest, label: str):
    return next(each for kind in (app.number_input, app.toggle, app.button) for each in kind if each.label == label)


def test_the_settings_decide_until_an_admin_does_and_again_when_that_is_taken_back(engine: sa.Engine):
    configured = Policy.of(make_settings(keep_samples_days=90, pseudonyms=True, upload_files_per_hour=7))
    decided = Policy(keep_samples_days=0, pseudonyms=False, upload_files_per_hour=9)
    with connection(engine) as conn:
        assert read_policy(conn, configured) == configured == Policy(90, True, 7)
        upsert_policy(conn, decided, author="ann")
        assert read_policy(conn, configured) == decided
        delete_policy(conn)
        assert read_policy(conn, configured) == configured


@pytest.mark.parametrize(("configured", "decided", "stays"), [(90, 0, True), (None, 30, False)])
def test_workers_keep_samples_as_long_as_the_admin_says(engine, database_url: str, configured, decided, stays):
    old = store(engine, drive(BRAKE))
    with connection(engine) as conn:
        conn.exec_driver_sql(YEAR_OLD)
    decide(engine, keep_samples_days=decided)
    with running_worker(make_settings(keep_samples_days=configured), database_url) as worker:
        wait_until(lambda: worker._next_removal > time.monotonic() + 1, what="the first look for old samples")
    with connection(engine) as conn:
        assert (read_samples(conn, old) is not None) is stays


def test_names_are_hidden_on_the_pages_as_soon_as_an_admin_says_so(engine, opened: Callable[..., AppTest]):
    driver_id = uuid4()
    store(engine, drive(BRAKE), driver_id)
    with connection(engine) as conn:
        roster.upsert_driver(conn, driver_id, name=NAME)
    assert NAME in text(opened("driver", driver=str(driver_id)))
    app = opened("administration", part="policy")
    field(app, "Show drivers by a part of their id instead of by name").set_value(True)
    field(app, "Save").click().run()
    assert not app.exception
    shown = text(opened("driver", driver=str(driver_id)))
    assert NAME not in shown
    assert f"Driver {str(driver_id)[:8]}" in shown
    with connection(engine) as conn:
        entry = registers.list_audit_entries(conn).iloc[0]
    assert entry["action"] == "set_policy"
    assert (entry["before"]["pseudonyms"], entry["after"]["pseudonyms"]) == (False, True)


def test_what_was_saved_can_be_taken_back_to_the_settings(engine, opened: Callable[..., AppTest]):
    decide(engine, keep_samples_days=30)
    app = opened("administration", part="policy")
    assert field(app, "Days that a trip's samples are kept").value == 30
    field(app, "Back to the settings").click().run()
    assert field(app, "Days that a trip's samples are kept").value == 0
    assert "Back to the settings" not in [each.label for each in app.button]


def test_the_quota_of_uploads_is_the_admins(engine, database_url: str):
    decide(engine, upload_files_per_hour=1)
    file = NewUpload("march.csv", b"1" * 32, 10, "CSV", None, 1)
    with signed_in(database_url):
        actions.begin_upload(database_url, file, {}, {}, per_hour=100)
        with pytest.raises(UploadQuotaError, match="The limit is 1 an hour"):
            actions.begin_upload(database_url, file, {}, {}, per_hour=100)


@pytest.mark.parametrize("bad", [{"keep_samples_days": -1}, {"upload_files_per_hour": 0}])
def test_what_means_nothing_has_no_way_into_the_table(engine, bad):
    with pytest.raises(sa.exc.IntegrityError), connection(engine) as conn:
        upsert_policy(conn, Policy(**bad), author="ann")
