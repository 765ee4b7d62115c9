"""Each program as its own user of the database: what it needs works, all else is refused by Postgres itself."""

from __future__ import annotations

import argparse
import uuid
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from dashboard import actions
from fleetflow import backup
from fleetflow.access import Role, Scope
from fleetflow.commands import migrate, restore
from fleetflow.errors import ConfigurationError
from fleetflow.logins import SHARED, prepare_users, with_random_users
from fleetflow.safety.events import Review
from fleetflow.settings import Settings
from fleetflow.storage import rights
from fleetflow.storage.database import connection, create_engine
from fleetflow.storage.events import read_events
from fleetflow.storage.migrate import upgrade
from fleetflow.storage.rights import RIGHTS, WITHHELD, Program
from fleetflow.storage.tables import metadata
from tests.support.pages import PAGES
from tests.support.people import signed_in
from tests.support.postgres import temporary_database, url_of
from tests.support.programs import make_settings, running_api, running_worker, wait_for_score
from tests.support.trips import trip_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    import sqlalchemy as sa

pytestmark = pytest.mark.postgres
INGEST, WORKER, DASHBOARD = Program
EVERYBODY = tuple(Program)


def users_of(owner_url: str) -> dict[Program, str]:
    """The URL of each program's user, made anew."""
    settings = with_random_users(owner_url, Settings(_env_file=None, database_url=SecretStr(owner_url)))
    assert prepare_users(owner_url, settings) is None
    return {each: url(settings.for_program(each.value)) for each in Program}


def url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()


@pytest.fixture
def users(database_url: str) -> dict[Program, str]:
    return users_of(database_url)


def test_every_table_says_who_may_do_what_with_it():
    known = {table.name for table in metadata.sorted_tables} | {"alembic_version"}
    assert set(RIGHTS) == known
    for table, program in WITHHELD:
        assert program in RIGHTS[table]
        assert WITHHELD[table, program] < {each.name for each in metadata.tables[f"telemetry.{table}"].columns}


def test_a_user_has_the_rights_of_the_table_and_no_others(users: Mapping[Program, str]):
    asked = """
        SELECT name, right_name FROM unnest(%s::text[]) AS name,
            unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS right_name
        WHERE has_table_privilege('telemetry.' || name, right_name)
    """
    for program in Program:
        expected = {
            (table, right)
            for table, of_programs in RIGHTS.items()
            for right in of_programs.get(program, ())
            if right != "SELECT" or (table, program) not in WITHHELD
        }
        with psycopg.connect(users[program]) as conn:
            assert set(conn.execute(asked, [list(RIGHTS)]).fetchall()) == expected, program


REFUSED = [
    ("UPDATE telemetry.audit_log SET actor = 'x'", EVERYBODY),
    ("UPDATE telemetry.audit_log SET subject = '', before = NULL, after = NULL, salt = NULL, erased = true", EVERYBODY),
    ("DELETE FROM telemetry.audit_log", EVERYBODY),
    ("TRUNCATE telemetry.audit_log", EVERYBODY),
    ("ALTER TABLE telemetry.audit_log DISABLE TRIGGER ALL", EVERYBODY),
    ("SET session_replication_role = replica", EVERYBODY),
    ("SELECT telemetry.erase_audit_details(ARRAY[1])", (INGEST, WORKER)),
    ("SELECT * FROM telemetry.audit_log", (INGEST, WORKER)),
    ("SELECT password_hash FROM telemetry.accounts", (INGEST, WORKER)),
    ("SELECT token_hash FROM telemetry.sessions", (INGEST, WORKER)),
    ("SELECT key_hash FROM telemetry.api_keys", (WORKER, DASHBOARD)),
    ("SELECT key FROM telemetry.erasure_keys", EVERYBODY),
    ("SELECT name FROM telemetry.drivers", (INGEST, WORKER)),
    ("SELECT * FROM telemetry.coaching_notes", (INGEST, WORKER)),
    ("INSERT INTO telemetry.trip_logs DEFAULT VALUES", (WORKER, DASHBOARD)),
    ("UPDATE telemetry.trip_logs SET status = 'FAILED'", (INGEST,)),
    ("DELETE FROM telemetry.trip_logs", (INGEST, WORKER)),
    ("COPY telemetry.alembic_version TO PROGRAM 'true'", EVERYBODY),
    ("COPY telemetry.alembic_version TO '/tmp/there'", EVERYBODY),
    ("SELECT pg_read_file('postgresql.conf')", EVERYBODY),
    ("DROP TABLE telemetry.trip_logs", EVERYBODY),
    ("CREATE TABLE telemetry.mine (id int)", EVERYBODY),
    ("CREATE ROLE somebody", EVERYBODY),
    ("SET ROLE fleetflow", EVERYBODY),
]


@pytest.mark.parametrize(("statement", "programs"), REFUSED, ids=[statement for statement, _ in REFUSED])
def test_postgres_refuses(users: Mapping[Program, str], statement: str, programs: tuple[Program, ...]):
    for program in programs:
        with psycopg.connect(users[program]) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(statement)


def test_every_user_has_deadlines_also_where_no_program_sets_them(users: Mapping[Program, str]):
    for each in users.values():
        with psycopg.connect(each) as conn:
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                assert conn.execute(f"SHOW {name}").fetchone() != ("0",), name


def test_a_trip_goes_its_way_and_every_page_opens_with_the_rights_of_its_program(
    users: Mapping[Program, str], opened, engine: sa.Engine
):
    settings = make_settings()
    body = trip_body()
    with running_api(settings, users[INGEST]) as api, running_worker(settings, users[WORKER]):
        answer = api.post("/api/v1/telemetry", content=body, headers={"Content-Type": "application/json"})
        trip_id = answer.json()["trip_id"]
        assert wait_for_score(api, trip_id)["safety_score"] == 95
        assert len(api.get(f"/api/v1/trip/{trip_id}/events").json()) == 1
        assert api.get("/readyz").status_code == 200
        assert api.get("/metrics").status_code == 200
    driver_id = act_as_the_dashboard(users[DASHBOARD], engine, uuid.UUID(trip_id))
    app = opened(url=users[DASHBOARD], driver=str(driver_id), trip=trip_id)
    for page in PAGES:
        app.switch_page(f"app_pages/{page}.py")
        app.query_params["driver"], app.query_params["trip"] = str(driver_id), trip_id
        app.run()
        assert not app.exception, page
        assert not any("database" in str(each.value) for each in app.error), page


def act_as_the_dashboard(dashboard_url: str, engine: sa.Engine, trip_id: UUID) -> UUID:
    """Write what the dashboard writes; the id of the trip's driver, who is still there."""
    with connection(engine) as conn:
        (event,) = read_events(conn, trip_id)
        found = conn.exec_driver_sql("SELECT driver_id FROM telemetry.trip_logs").scalar_one()
    driver_id = uuid.UUID(str(found))
    actions.review_event(dashboard_url, event, Review.FALSE, "a pothole")
    actions.edit_drivers(dashboard_url, [{"id": str(driver_id), "name": "Simulated Ann", "group_name": None}])
    actions.retry_failed(dashboard_url)
    actions.revoke_key(dashboard_url, actions.add_key(dashboard_url, "a gateway", [Scope.WRITE], None)[:11])
    actions.add_account(dashboard_url, "simulated bob", [Role.ADMIN])
    return driver_id


def test_an_erasure_works_with_the_rights_of_the_dashboard(users: Mapping[Program, str], database_url, engine):
    with running_api(make_settings(), users[INGEST]) as api:
        driver_id = uuid.uuid4()
        body = trip_body(driver_id=str(driver_id))
        api.post("/api/v1/telemetry", content=body, headers={"Content-Type": "application/json"})
        with signed_in(database_url):
            actions.edit_drivers(users[DASHBOARD], [{"id": str(driver_id), "name": "Ann", "group_name": None}])
            actions.begin_erasure(users[DASHBOARD], driver_id)
            erased = actions.erase_driver(users[DASHBOARD], driver_id)
        late = api.post("/api/v1/telemetry", content=trip_body(driver_id=str(driver_id)), headers=api_json())
    assert (erased.trips, len(erased.entries), late.status_code) == (1, 1, 410)
    with connection(engine) as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM telemetry.drivers").scalar_one() == 0


def api_json() -> dict[str, str]:
    return {"Content-Type": "application/json"}


def test_rights_are_there_again_after_a_restore(database_url: str, empty_database_url: str, tmp_path):
    backup.dump(database_url, tmp_path / "fleet.dump")
    asked = argparse.Namespace(file=tmp_path / "fleet.dump", replace=False)
    assert restore.run(asked, Settings(_env_file=None, database_url=SecretStr(empty_database_url))) == 0
    users = users_of(empty_database_url)
    with psycopg.connect(users[DASHBOARD]) as conn:
        assert conn.execute("SELECT count(*) FROM telemetry.scoring_profiles").fetchone() == (1,)
    for statement in ("DELETE FROM telemetry.audit_log", "SELECT key FROM telemetry.erasure_keys"):
        with psycopg.connect(users[DASHBOARD]) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(statement)
    with psycopg.connect(users[WORKER]) as conn, pytest.raises(InsufficientPrivilege):
        conn.execute("SELECT telemetry.erase_audit_details(ARRAY[1])")


@pytest.fixture
def modest_owner_url(postgres_url: str, postgres_admin) -> Iterator[str]:
    """A database whose owner may not make roles, as some managed servers have it."""
    user = f"modest_{uuid.uuid4().hex[:8]}"
    postgres_admin.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'simulated'")
    with temporary_database(postgres_admin) as name:
        postgres_admin.execute(f"ALTER DATABASE {name} OWNER TO {user}")
        yield make_url(url_of(postgres_url, name)).set(username=user, password="simulated").render_as_string(False)
    postgres_admin.execute(f"DROP ROLE {user}")


def test_an_owner_who_may_not_make_roles_still_migrates_and_is_told(modest_owner_url: str, monkeypatch, capsys):
    monkeypatch.setattr(Program, "group", property(lambda each: f"nowhere_{each.value}"))
    assert migrate.run(argparse.Namespace(), Settings(_env_file=None, database_url=SecretStr(modest_owner_url))) == 0
    said = capsys.readouterr().out
    assert SHARED in said.replace("\n", " ")
    assert upgrade(modest_owner_url) is not None


def test_where_an_administrator_made_the_roles_an_owner_gives_them_their_rights(
    modest_owner_url: str, migrated_template: str, postgres_admin
):
    assert migrated_template, "the group roles are there"
    upgrade(modest_owner_url)
    settings = with_random_users(modest_owner_url, Settings(_env_file=None, database_url=SecretStr(modest_owner_url)))
    user = f"manual_{uuid.uuid4().hex[:8]}"
    own = make_url(modest_owner_url).set(username=user).render_as_string(False)
    only_worker = settings.for_program("worker").with_databases({"worker_database_url": own})
    postgres_admin.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'simulated'")
    with pytest.raises(ConfigurationError, match=f"GRANT fleetflow_worker TO {user}"):
        prepare_users(modest_owner_url, only_worker)
    postgres_admin.execute(f"GRANT fleetflow_worker TO {user}")
    assert prepare_users(modest_owner_url, only_worker) is None
    with psycopg.connect(own) as conn:
        assert conn.execute("SELECT count(*) FROM telemetry.trip_logs").fetchone() == (0,)
        with pytest.raises(InsufficientPrivilege):
            conn.execute("SELECT * FROM telemetry.accounts")
    postgres_admin.execute(f"DROP ROLE {user}")


def test_the_owner_is_no_user_of_a_program(database_url: str):
    settings = Settings(_env_file=None, database_url=SecretStr(database_url)).with_databases(
        {"worker_database_url": database_url}
    )
    with pytest.raises(ConfigurationError, match="owns the database or is a superuser"):
        prepare_users(database_url, settings)


def test_a_password_with_any_letters_is_taken_and_changed(database_url: str, engine: sa.Engine):
    user = f"odd_{uuid.uuid4().hex[:8]}"
    for password in ("p%s'\"\\ q", "ünïcode 100%"):
        with connection(engine) as conn:
            rights.ensure_login(conn, WORKER, user, password)
        own = make_url(database_url).set(username=user, password=password)
        odd = create_engine(own.render_as_string(hide_password=False), application_name="test")
        with connection(odd) as conn:
            assert conn.exec_driver_sql("SELECT current_user").scalar_one() == user
        odd.dispose()
    with connection(engine) as conn:
        conn.exec_driver_sql(f"DROP ROLE {user}")
