"""Samples that go in time, names that are not shown, and a driver's own data as a file."""

from __future__ import annotations

import argparse
import csv
import io
import json
import zipfile
from datetime import date
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from pydantic import SecretStr

from dashboard import actions
from dashboard.server import secrets_of
from fleetflow.commands import driver as driver_command
from fleetflow.commands import reanalyse
from fleetflow.safety.events import DETECTION_VERSION, Review
from fleetflow.settings import Settings
from fleetflow.storage import coaching, reanalyses, registers, retention, reviews, roster
from fleetflow.storage.backlog import retry_failed
from fleetflow.storage.database import connection, without_names
from fleetflow.storage.erasures import DriverMissingError
from fleetflow.storage.events import read_events
from fleetflow.storage.moments import read_moments
from fleetflow.storage.policy import Policy
from fleetflow.storage.reanalyses import NothingOlderError
from fleetflow.storage.scores import read_score
from fleetflow.storage.trips import read_samples
from tests.support.pages import BRAKE, PAGES, SURGE, drive, metrics, store, text
from tests.support.people import signed_in
from tests.support.programs import make_settings, running_worker
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.postgres
RECEIVED = "UPDATE telemetry.trip_logs SET received_at = now() - make_interval(days => %(days)s) WHERE id = %(id)s"
NAME = "Zoltan Qwark"


def receive(engine, trip_id, *, days: float) -> None:
    with connection(engine) as conn:
        conn.exec_driver_sql(RECEIVED, {"id": trip_id, "days": days})


def remove(engine, days: int = 90, limit: int = 100) -> int:
    with connection(engine) as conn:
        return retention.remove_samples(conn, days=days, limit=limit)


def has_samples(engine, trip_id) -> bool:
    with connection(engine) as conn:
        return read_samples(conn, trip_id) is not None


def test_a_worker_removes_the_samples_of_old_trips_and_nothing_else(engine, database_url: str):
    old, new = store(engine, drive(BRAKE)), store(engine, drive(BRAKE))
    receive(engine, old, days=91)
    receive(engine, new, days=89)
    with running_worker(make_settings(keep_samples_days=90), database_url):
        wait_until(lambda: not has_samples(engine, old), what="the removal")
    assert has_samples(engine, new)
    with connection(engine) as conn:
        assert len(read_events(conn, old)) == 1
        scores = [read_score(conn, each, 1) for each in (old, new)]
    assert [each.safety_score for each in scores if each] == [95, 95]


def test_samples_go_in_small_portions_the_oldest_first(engine):
    trips = [store(engine, drive(BRAKE)) for _ in range(3)]
    for days, trip_id in zip((100, 200, 150), trips, strict=True):
        receive(engine, trip_id, days=days)
    assert [remove(engine, limit=2), remove(engine, limit=2), remove(engine, limit=2)] == [2, 1, 0]


def test_without_the_setting_and_for_trips_that_wait_samples_stay(engine, database_url: str):
    trip_id = store(engine, drive(BRAKE), status="PENDING")
    receive(engine, trip_id, days=4000)
    assert remove(engine) == 0
    with running_worker(make_settings(), database_url):
        wait_until(lambda: completed(engine, trip_id), what="the analysis")
    assert has_samples(engine, trip_id)


def completed(engine, trip_id) -> bool:
    with connection(engine) as conn:
        state = conn.exec_driver_sql("SELECT status FROM telemetry.trip_logs WHERE id = %(id)s", {"id": trip_id})
        return bool(state.scalar_one() == "COMPLETED")


def test_what_needs_samples_leaves_trips_without_them_out_and_says_so(engine, database_url: str, capsys):
    old, new = store(engine, drive(BRAKE)), store(engine, drive(BRAKE))
    failed = store(engine, drive(BRAKE), status="FAILED", error="too odd")
    for trip_id in (old, failed):
        receive(engine, trip_id, days=91)
    assert remove(engine) == 2
    with connection(engine) as conn:
        assert retry_failed(conn) == []
        events = [read_events(conn, each)[0].id for each in (old, new)]
        assert list(read_moments(conn, events)) == [events[1]]
        assert reanalyses.insert_reanalysis(conn, 1, asked_by="test").total_trips == 1
        conn.exec_driver_sql("DELETE FROM telemetry.reanalyses")
    asked = argparse.Namespace(older_than_version=DETECTION_VERSION, cancel=False, watch=False, by="test")
    assert reanalyse.run(asked, Settings(_env_file=None, database_url=SecretStr(database_url))) == 0
    assert "workers analyse 1 trip again" in (said := capsys.readouterr().out)
    assert "1 trip without samples are left out" in said
    with connection(engine) as conn:
        conn.exec_driver_sql("DELETE FROM telemetry.reanalyses")
        conn.exec_driver_sql("UPDATE telemetry.trip_logs SET detection_version = 1 WHERE id = %(id)s", {"id": new})
        with pytest.raises(NothingOlderError, match="still has its samples"):
            reanalyses.insert_reanalysis(conn, 1, asked_by="test")


def test_the_page_of_a_trip_without_samples_says_so_and_shows_the_rest(engine, opened):
    trip_id = store(engine, drive(BRAKE, SURGE))
    receive(engine, trip_id, days=91)
    remove(engine)
    app = opened("trip", trip=str(trip_id), event="1")
    assert not app.exception
    assert "The samples of this trip were removed" in text(app)
    assert metrics(app)["Score"] == "90"
    assert list(app.dataframe[0].value["peak"]) == ["0.55 g", "0.45 g"]
    assert "From 100 to 90" in text(app)


def test_no_page_shows_a_name_where_drivers_are_pseudonyms(engine, database_url: str, opened):
    driver_id = uuid4()
    trip_id = store(engine, drive(BRAKE), driver_id)
    store(engine, drive(BRAKE), driver_id, status="FAILED", error="too odd", name="failed")
    with connection(engine) as conn:
        roster.upsert_driver(conn, driver_id, name=NAME)
    hidden = without_names(database_url)
    pages = [each for each in PAGES if each not in {"administration", "audit"}]
    app = opened(url=hidden)
    shown = {}
    for page in pages:
        app.switch_page(f"app_pages/{page}.py")
        app.query_params["driver"], app.query_params["trip"] = str(driver_id), str(trip_id)
        shown[page] = everything(app.run())
    assert [page for page, said in shown.items() if "Qwark" in said] == []
    pseudonym = f"Driver {str(driver_id)[:8]}"
    seen_on = {page for page, said in shown.items() if pseudonym in said}
    assert seen_on >= {"leaderboard", "driver", "trip", "operations"}
    assert NAME in everything(opened("trip", url=database_url, trip=str(trip_id)))
    assert NAME in everything(opened("administration", url=hidden, part="drivers"))


def everything(app) -> str:
    """What a page says, in words, tables and choices."""
    assert not app.exception
    tables = [frame.value.to_csv() for frame in app.dataframe]
    return "\n".join([text(app), *tables, *(str(box.options) for box in app.selectbox), str(app.main)])


def test_the_settings_are_handed_to_the_dashboard(database_url: str):
    for pseudonyms in (False, True):
        settings = Settings(_env_file=None, pseudonyms=pseudonyms)
        assert secrets_of(settings, database_url)["policy"] == Policy(pseudonyms=pseudonyms).as_plain()


@pytest.fixture
def known(engine) -> dict[str, object]:
    """A driver with a trip that was reviewed and one whose samples are gone, and a note that begins as a formula."""
    driver_id = uuid4()
    trips = [store(engine, drive(BRAKE, SURGE), driver_id, name=str(each)) for each in range(2)]
    store(engine, drive(BRAKE), uuid4())
    receive(engine, trips[1], days=91)
    remove(engine)
    with connection(engine) as conn:
        roster.upsert_driver(conn, driver_id, name=NAME, group_name="North")
        event = read_events(conn, trips[0])[0]
        reviews.insert_review(conn, event.id, Review.FALSE, expected=None, author="ann", reason="a pothole")
        coaching.insert_note(conn, driver_id, date(2026, 1, 5), "=1+1", author="ann")
    return {"driver_id": driver_id, "trips": trips}


def tables_of(archive: zipfile.ZipFile) -> dict[str, list[dict[str, str]]]:
    return {
        name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
        for name in archive.namelist()
        if name.endswith(".csv")
    }


def test_a_drivers_own_data_are_one_file_with_everything_in_it(engine, database_url: str, known, tmp_path: Path):
    file = tmp_path / "driver.zip"
    asked = argparse.Namespace(verb="export", driver_id=known["driver_id"], file=file, without_samples=False)
    assert driver_command.run(asked, Settings(_env_file=None, database_url=SecretStr(database_url))) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(file) as archive:
        assert "what was agreed in coaching" in archive.read("README.txt").decode()
        tables = tables_of(archive)
        as_json = {name: json.loads(archive.read(f"{name}.json")) for name in tables}
        samples = json.loads(archive.read(f"samples/{known['trips'][0]}.json"))
        assert f"samples/{known['trips'][1]}.json" not in archive.namelist()
    assert {name: len(rows) for name, rows in tables.items()} == {name: len(rows) for name, rows in as_json.items()}
    counts = {"driver": 1, "trips": 2, "events": 4, "scores": 2, "reviews": 1, "notes": 1, "uploads": 0}
    assert {name: len(rows) for name, rows in tables.items()} == counts
    assert tables["driver"][0]["name"] == NAME
    assert {row["id"] for row in tables["trips"]} == set(map(str, known["trips"]))
    assert (tables["notes"][0]["note"], as_json["notes"][0]["note"]) == ("'=1+1", "=1+1")
    assert len(samples["speed_kmh"]) == 201
    with connection(engine) as conn:
        entry = registers.list_audit_entries(conn).iloc[0]
    assert (entry["action"], entry["subject"]) == ("export_driver", f"driver {known['driver_id']}")
    asked.driver_id = uuid4()
    with pytest.raises(DriverMissingError):
        driver_command.run(asked, Settings(_env_file=None, database_url=SecretStr(database_url)))


def test_the_page_leaves_samples_out_where_they_are_many(database_url: str, known, monkeypatch):
    with signed_in(database_url):
        whole = zipfile.ZipFile(io.BytesIO(actions.export_driver(database_url, known["driver_id"])))
        monkeypatch.setattr(actions, "MOST_EXPORTED_POINTS", 200)
        small = zipfile.ZipFile(io.BytesIO(actions.export_driver(database_url, known["driver_id"])))
    assert set(whole.namelist()) - set(small.namelist()) == {f"samples/{known['trips'][0]}.json"}
    assert "is not in this file" in small.read("README.txt").decode()


def test_an_admin_erases_a_driver_who_has_to_be_typed(engine, known, opened):
    app = opened("administration", part="drivers")
    driver_id = str(known["driver_id"])

    def button():
        return next(each for each in app.button if each.label == "Erase for good")

    assert button().disabled
    app.selectbox(key="erase").set_value(driver_id).run()
    app.text_input(key=f"typed_{driver_id}").input("Zoltan").run()
    assert button().disabled
    app.text_input(key=f"typed_{driver_id}").input(NAME).run()
    assert not button().disabled
    button().click().run()
    assert not app.exception
    assert "Erased: 2 trips, 4 events, 1 note." in "\n".join(each.value for each in app.success)
    assert "So far 1 driver with 2 trips went." in text(app)
    assert driver_id not in everything(app)
    with connection(engine) as conn:
        actions_done = list(registers.list_audit_entries(conn)["action"][:2])
        assert conn.exec_driver_sql("SELECT count(*) FROM telemetry.trip_logs").scalar_one() == 1
    assert actions_done == ["erase_driver", "begin_erasure"]
