"""Forgetting a driver: no trace in a dump, sums that add up, nobody who comes back, an audit log that still holds."""

from __future__ import annotations

import argparse
import subprocess
import threading
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import orjson
import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from fleetflow import backup
from fleetflow.commands import audit as audit_command
from fleetflow.commands import driver as driver_command
from fleetflow.commands import restore
from fleetflow.embedded.programs import find_programs
from fleetflow.errors import ConfigurationError
from fleetflow.quarantine import Quarantine
from fleetflow.safety.events import Review
from fleetflow.settings import Settings
from fleetflow.storage import audit, coaching, erasures, registers, reports, reviews, roster, tables, uploads
from fleetflow.storage.audit import Who
from fleetflow.storage.database import connection
from fleetflow.storage.erasures import DriverMissingError
from fleetflow.storage.events import read_events
from fleetflow.storage.trips import Outcome, insert_trips
from tests.support.pages import BRAKE, GENTLE, drive, store
from tests.support.trips import new_trip, trip_body

if TYPE_CHECKING:
    import pandas as pd

pytestmark = pytest.mark.postgres
NAME, OTHER = "Zoltan Qwark", "Simulated Bea"
JSON = {"Content-Type": "application/json"}
WHO = Who("simulated ann", "192.0.2.9")


class People:
    """A driver about whom everything is known, and another whose data stay."""

    def __init__(self, engine: sa.Engine) -> None:
        self.driver, self.other = uuid4(), uuid4()
        mine = [store(engine, drive(BRAKE, GENTLE), self.driver, name=str(each)) for each in range(3)]
        theirs = [store(engine, drive(GENTLE), self.other, name=str(each)) for each in range(2)]
        self.trips, self.other_trips = mine, theirs
        with connection(engine) as conn:
            self._tell(conn)
            self._log(conn)

    def _tell(self, conn: sa.Connection) -> None:
        vehicle = conn.exec_driver_sql("SELECT vehicle_id FROM telemetry.trip_logs LIMIT 1").scalar_one()
        roster.upsert_driver(conn, self.driver, name=NAME, group_name="North")
        roster.upsert_driver(conn, self.other, name=OTHER, group_name="North")
        roster.upsert_vehicle(conn, vehicle, name=f"{NAME}'s van")
        self.event = read_events(conn, self.trips[0])[0]
        reviews.insert_review(
            conn, self.event.id, Review.CONFIRMED, expected=None, author="ann", reason=f"{NAME} said so"
        )
        self.note = coaching.insert_note(conn, self.driver, date(2026, 1, 5), "keep your distance", author="ann")
        coaching.insert_note(conn, self.other, date(2026, 1, 5), f"was with {NAME.lower()} that day", author="ann")
        file = uploads.NewUpload(f"{NAME}.csv", b"1" * 32, 10, "CSV", {"driver": NAME, "uses": {}}, 1)
        self.own = uploads.insert_upload(conn, file, author="ann")
        self.shared = uploads.insert_upload(conn, replace(file, mapping=None), author="ann")
        uploads.insert_upload_trips(conn, self.own, self.trips[:1])
        uploads.insert_upload_trips(conn, self.shared, [self.trips[1], self.other_trips[0]])
        uploads.upsert_mapping(conn, f"logger of {NAME}", "a" * 64, {"driver": NAME, "uses": {}}, "ann")

    def _log(self, conn: sa.Connection) -> None:
        rows = [{"id": str(self.driver), "name": NAME, "group_name": "North"}]
        log = audit.insert_entry
        log(conn, WHO, "edit_drivers", "1 drivers", after={"rows": rows})
        log(conn, WHO, "review_event", f"event {self.event.id}", after={"review": "confirmed", "reason": "he"})
        log(conn, WHO, "review_events", "1 events", before={"reviews": {str(self.event.id): None}})
        log(conn, WHO, "begin_upload", f"upload {self.own}", after={"file_name": "march.csv"})
        log(conn, WHO, "retry_failed", "1 failed trips", after={"trips": [str(self.trips[2])]})
        log(conn, WHO, "add_note", f"driver {self.driver}", after={"note": self.note})
        log(conn, WHO, "edit_drivers", "1 drivers", after={"rows": [{"id": str(self.other), "name": OTHER}]})
        log(conn, WHO, "add_key", "ff_1", after={"name": "a gateway"})


@pytest.fixture
def people(engine: sa.Engine) -> People:
    return People(engine)


def settings(url: str) -> Settings:
    return Settings(database_url=SecretStr(url))


def erase(url: str, driver_id: UUID) -> None:
    asked = argparse.Namespace(verb="erase", driver_id=driver_id, yes=True)
    assert driver_command.run(asked, settings(url)) == 0


def dump(url: str) -> str:
    command = [str(find_programs().folder / "pg_dump"), f"--dbname={url}", "--schema=telemetry"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def traces(people: People, text: str) -> list[str]:
    wanted = [str(people.driver), people.driver.hex, NAME, *map(str, people.trips)]
    return [each for each in wanted if each.lower() in text.lower()]


def verify(url: str) -> int:
    return audit_command.run(argparse.Namespace(verb="verify", head=None), settings(url))


def test_a_dump_after_an_erasure_holds_no_trace_of_the_driver(people: People, database_url: str):
    assert len(traces(people, dump(database_url))) == 2 + len(people.trips)
    erase(database_url, people.driver)
    after = dump(database_url)
    assert traces(people, after) == []
    assert all(str(each) in after for each in (people.other, OTHER, *people.other_trips))
    assert "was with (erased) that day" in after


def test_the_leaderboard_adds_up_and_what_is_gone_is_in_the_sum_of_all_erased(
    people: People, engine: sa.Engine, database_url: str
):
    def board() -> tuple[pd.DataFrame, pd.DataFrame]:
        with connection(engine) as conn:
            return reports.read_leaderboard(conn, 1, None), reports.read_days(conn, 1, None, "UTC")

    before, _ = board()
    erase(database_url, people.driver)
    after, days = board()
    assert list(after["driver_id"]) == [str(people.other)]
    for column in ("trips", "distance_km", "braking"):
        assert after[column].sum() == pytest.approx(days[column].sum())
    with connection(engine) as conn:
        gone = erasures.read_totals(conn)
    assert (gone.drivers, gone.trips, gone.events) == (1, 3, 6)
    assert after["trips"].sum() + gone.trips == before["trips"].sum()
    assert after["distance_km"].sum() + gone.distance_km == pytest.approx(before["distance_km"].sum())


def test_late_posts_and_uploads_do_not_bring_the_driver_back(people: People, engine: sa.Engine, database_url: str, api):
    erase(database_url, people.driver)
    answer = api.post("/api/v1/telemetry", content=trip_body(driver_id=str(people.driver)), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (410, "driver_erased")
    lines = b"\n".join([trip_body(driver_id=str(people.driver)), trip_body(driver_id=str(people.other))])
    batch = api.post("/api/v1/telemetry/batch", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert [("code" in line, "trip_id" in line) for line in map(orjson.loads, batch.text.splitlines())] == [
        (True, False),
        (False, True),
    ]
    with connection(engine) as conn:
        roster.insert_unknown(conn, [people.driver], [])
        uploads.name_unknown(conn, {people.driver: NAME}, {})
        roster.upsert_driver(conn, people.driver, name=NAME)
    assert traces(people, dump(database_url)) == []


def test_the_audit_log_holds_after_an_erasure_and_keeps_what_was_about_others(
    people: People, engine: sa.Engine, database_url: str, capsys
):
    erase(database_url, people.driver)
    assert verify(database_url) == 0
    assert "10 entries, none changed (the details of 6 went with erased drivers)" in capsys.readouterr().out
    with connection(engine) as conn:
        entries = registers.list_audit_entries(conn).set_index("id")
    assert entries["after"][7]["rows"][0]["name"] == OTHER
    assert entries["subject"][8] == "ff_1"
    assert entries["after"][10]["entries"] == [1, 2, 3, 4, 5, 6]
    assert set(entries["actor"].loc[[1, 2, 3, 4, 5, 6]]) == {WHO.name}


@pytest.mark.parametrize(
    "forgery",
    [
        "subject = '', before = NULL, after = NULL, salt = NULL, erased = true WHERE id = 8",
        "subject = 'ff_2' WHERE id = 8",
        "actor = 'x' WHERE id = 2",
        "erased = false WHERE id = 2",
        "after = '{\"entries\": []}' WHERE action = 'erase_driver'",
    ],
)
def test_details_that_no_erasure_names_were_forged_away(people: People, database_url: str, forgery: str):
    erase(database_url, people.driver)
    with psycopg.connect(database_url) as raw:
        raw.execute("ALTER TABLE telemetry.audit_log DISABLE TRIGGER ALL")
        raw.execute(f"UPDATE telemetry.audit_log SET {forgery}")  # noqa: S608
    assert verify(database_url) == 1


@pytest.mark.usefixtures("people")
def test_an_entry_can_be_emptied_and_changed_in_no_other_way(database_url: str):
    with psycopg.connect(database_url, autocommit=True) as raw:
        for change in ("actor = 'x'", "subject = 'x'", "after = NULL", "erased = true", "hash = ''"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                raw.execute(f"UPDATE telemetry.audit_log SET {change} WHERE id = 8")  # noqa: S608
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            raw.execute("DELETE FROM telemetry.audit_log WHERE id = 8")


def test_entries_from_before_details_could_be_erased_are_still_checked(people: People, database_url: str):
    with psycopg.connect(database_url) as raw:
        raw.execute("ALTER TABLE telemetry.audit_log DISABLE TRIGGER ALL")
        raw.execute("UPDATE telemetry.audit_log SET salt = NULL, details_hash = NULL")
        for number in range(1, 9):
            raw.execute(
                "UPDATE telemetry.audit_log AS entry SET previous = coalesce((SELECT hash FROM telemetry.audit_log"
                " WHERE id = %(id)s - 1), ''::bytea) WHERE id = %(id)s",
                {"id": number},
            )
            raw.execute(
                "UPDATE telemetry.audit_log AS entry SET hash = telemetry.audit_hash(entry) WHERE id = %s", [number]
            )
        raw.execute("ALTER TABLE telemetry.audit_log ENABLE TRIGGER ALL")
    assert verify(database_url) == 0
    erase(database_url, people.driver)
    assert verify(database_url) == 0
    assert traces(people, dump(database_url)) == []
    with psycopg.connect(database_url) as raw:
        raw.execute("ALTER TABLE telemetry.audit_log DISABLE TRIGGER ALL")
        raw.execute("UPDATE telemetry.audit_log SET subject = 'ff_2' WHERE id = 8")
    assert verify(database_url) == 1


def test_a_trip_that_is_being_stored_meanwhile_does_not_stay(engine: sa.Engine, database_url: str):
    driver_id = uuid4()
    erased = threading.Event()
    outcomes: list[Outcome] = []

    def write() -> None:
        late = 0
        while late < 3:
            late += erased.is_set()
            trips = [new_trip(driver_id=driver_id, content_hash=uuid4().bytes) for _ in range(5)]
            with connection(engine) as conn:
                outcomes.extend(each.outcome for each in insert_trips(conn, trips))

    with connection(engine) as conn:
        insert_trips(conn, [new_trip(driver_id=driver_id)])
    writers = [threading.Thread(target=write) for _ in range(2)]
    for each in writers:
        each.start()
    erase(database_url, driver_id)
    erased.set()
    for each in writers:
        each.join(timeout=20)
    assert set(outcomes) == {Outcome.STORED, Outcome.ERASED}
    with connection(engine) as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM telemetry.trip_logs").scalar_one() == 0


def test_a_backup_from_before_does_not_bring_the_driver_back(people: People, engine, database_url: str, tmp_path):
    backup.dump(database_url, tmp_path / "old.dump")
    erase(database_url, people.driver)
    engine.dispose()
    asked = argparse.Namespace(file=tmp_path / "old.dump", replace=True)
    assert restore.run(asked, settings(database_url)) == 0
    after = dump(database_url)
    assert traces(people, after) == []
    assert OTHER in after
    assert verify(database_url) == 0
    with connection(engine) as conn:
        again = insert_trips(conn, [new_trip(driver_id=people.driver)])
    assert [each.outcome for each in again] == [Outcome.ERASED]


def test_the_uploaded_files_that_held_trips_of_the_driver_go_with_him(
    people: People, engine: sa.Engine, database_url: str, tmp_path
):
    quarantine = Quarantine(tmp_path / "quarantine", 30)
    mine, theirs = (quarantine.keep(content) for content in (b"his trips", b"trips of others"))
    assert mine is not None
    assert theirs is not None
    with connection(engine) as conn:
        conn.execute(
            sa.update(tables.uploads)
            .where(tables.uploads.c.id == people.own)
            .values(file_hash=bytes.fromhex(mine.name))
        )
    asked = argparse.Namespace(verb="erase", driver_id=people.driver, yes=True)
    kept_here = Settings(database_url=SecretStr(database_url), data_dir=tmp_path, quarantine_days=30)
    assert driver_command.run(asked, kept_here) == 0
    assert (mine.exists(), theirs.exists()) == (False, True)
    with connection(engine) as conn:
        assert mine.name not in str(registers.list_audit_entries(conn).to_dict())


def test_an_erasure_needs_a_known_driver_and_a_word(people: People, database_url: str, monkeypatch):
    with pytest.raises(DriverMissingError, match="no driver with this id"):
        erase(database_url, uuid4())
    monkeypatch.setattr("builtins.input", lambda _: "yes")
    asked = argparse.Namespace(verb="erase", driver_id=people.driver, yes=False)
    with pytest.raises(ConfigurationError, match="Nothing was erased"):
        driver_command.run(asked, settings(database_url))
    monkeypatch.setattr("builtins.input", lambda _: " erase ")
    assert driver_command.run(asked, settings(database_url)) == 0
    with pytest.raises(DriverMissingError, match="erased before"):
        erase(database_url, people.driver)


@pytest.mark.parametrize(
    ("name", "note", "left"),
    [
        ("Ann", "Ann's annual leave, with Joann and ann", "(erased)'s annual leave, with Joann and ann"),
        ("C. (Kit) O'Neil+", "c. (kit) o'neil+ or C (Kit) O'Neil", "(erased) or C (Kit) O'Neil"),
        (r"100% \d [x]", r"100% \d [x], 100 5 x", "(erased), 100 5 x"),
    ],
)
def test_a_name_is_found_as_a_word_of_its_own_and_as_nothing_else(engine, database_url: str, name, note, left):
    driver_id, other = uuid4(), uuid4()
    with connection(engine) as conn:
        roster.upsert_driver(conn, driver_id, name=name)
        roster.upsert_driver(conn, other, name=OTHER)
        coaching.insert_note(conn, other, date(2026, 1, 5), note, author="ann")
    erase(database_url, driver_id)
    with connection(engine) as conn:
        assert [each.note for each in coaching.list_notes(conn, other)] == [left]
