"""Administration and audit log as pages, and who may do what: every role against every page and every action."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
import streamlit as st

from dashboard import access, actions, admin_view
from fleetflow import passwords
from fleetflow.access import AccessDeniedError, Permission, Role, Scope, permissions_of
from fleetflow.importers import Mapping
from fleetflow.safety.profiles import DEFAULT_PROFILE
from fleetflow.storage import accounts, audit, keys, profiles, registers, roster, sessions
from fleetflow.storage.audit import Who
from fleetflow.storage.database import connection
from fleetflow.storage.policy import Policy
from fleetflow.storage.uploads import NewUpload
from tests.support import pages
from tests.support.people import add_account, signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from streamlit.testing.v1 import AppTest

pytestmark = pytest.mark.postgres
MANAGER, OFFICER, ADMIN = Role.FLEET_MANAGER, Role.SAFETY_OFFICER, Role.ADMIN
MAY_OPEN = {
    "overview": {MANAGER, OFFICER, ADMIN},
    "leaderboard": {MANAGER, OFFICER, ADMIN},
    "driver": {MANAGER, OFFICER, ADMIN},
    "trip": {MANAGER, OFFICER, ADMIN},
    "events": {MANAGER, OFFICER, ADMIN},
    "tuning": {MANAGER, ADMIN},
    "upload": {MANAGER, ADMIN},
    "operations": {ADMIN},
    "administration": {ADMIN},
    "audit": {ADMIN},
}
MAY_DO = {
    "review_event": {OFFICER, ADMIN},
    "review_events": {OFFICER, ADMIN},
    "add_note": {MANAGER, OFFICER, ADMIN},
    "withdraw_note": {MANAGER, OFFICER, ADMIN},
    "apply_profile": {MANAGER, ADMIN},
    "activate_profile": {MANAGER, ADMIN},
    "cancel_run": {MANAGER, ADMIN},
    "begin_upload": {MANAGER, ADMIN},
    "note_uploaded": {MANAGER, ADMIN},
    "save_mapping": {MANAGER, ADMIN},
    "retry_failed": {ADMIN},
    "add_account": {ADMIN},
    "reset_account": {ADMIN},
    "disable_account": {ADMIN},
    "enable_account": {ADMIN},
    "set_roles": {ADMIN},
    "add_key": {ADMIN},
    "rotate_key": {ADMIN},
    "revoke_key": {ADMIN},
    "edit_drivers": {ADMIN},
    "edit_vehicles": {ADMIN},
    "set_policy": {ADMIN},
    "forget_policy": {ADMIN},
    "export_driver": {ADMIN},
    "begin_erasure": {ADMIN},
    "erase_driver": {ADMIN},
}


@pytest.fixture(autouse=True)
def clean_caches() -> Iterator[None]:
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def open_page(url: str, page: str, **address: str) -> AppTest:
    app = pages.open_page(url, page, **address)
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    kinds = (app.title, app.header, app.caption, app.markdown, app.error, app.info, app.code)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


def log(engine) -> pd.DataFrame:
    with connection(engine) as conn:
        return registers.list_audit_entries(conn)


def button(app: AppTest, label: str):
    return next(each for each in app.button if each.label == label)


def test_the_expected_tables_are_the_tables():
    assert set(MAY_OPEN) == set(access.PAGES)
    assert set(MAY_DO) == set(access.ACTIONS)


@pytest.mark.parametrize("role", Role)
def test_a_role_opens_its_pages_and_no_other(database_url: str, role: Role):
    with signed_in(database_url, role):
        shut = {page for page in MAY_OPEN if "Not for your role" in text(open_page(database_url, page))}
    assert shut == {page for page, roles in MAY_OPEN.items() if role not in roles}


def test_nobody_who_is_not_signed_in_sees_anything(database_url: str):
    with signed_in(database_url) as token:
        assert "You are signed out" not in text(open_page(database_url, "trip"))
        with psycopg.connect(database_url) as conn:
            conn.execute("DELETE FROM telemetry.sessions WHERE token_hash = %s", [sessions.hash_token(token)])
        app = open_page(database_url, "trip")
    assert "You are signed out" in text(app)
    assert not app.title
    assert not app.dataframe


DRIVER = uuid4()
ARGUMENTS: dict[str, tuple[object, ...]] = {
    "apply_profile": (DEFAULT_PROFILE, "a note"),
    "activate_profile": (1,),
    "cancel_run": (7,),
    "review_events": ([], None, ""),
    "add_note": (DRIVER, date(2026, 1, 5), "keep more distance"),
    "withdraw_note": (7,),
    "begin_upload": (NewUpload("van.csv", b"\1" * 32, 1234, "CSV", None, 1), {}, {}, 100),
    "note_uploaded": (7, []),
    "save_mapping": ("Van logger", "a" * 64, Mapping()),
    "retry_failed": (None,),
    "add_account": ("simulated bob", [OFFICER]),
    "reset_account": ("simulated carl",),
    "disable_account": ("simulated carl",),
    "enable_account": ("simulated carl",),
    "set_roles": ("simulated carl", [MANAGER]),
    "add_key": ("a gateway", [Scope.WRITE], 30),
    "edit_drivers": ([{"id": str(uuid4()), "name": "Simulated Ann", "group_name": None}],),
    "edit_vehicles": ([{"id": str(uuid4()), "name": "Van", "group_name": "Depot", "vehicle_class": "passenger"}],),
    "set_policy": (Policy(), Policy()),
    "forget_policy": (Policy(),),
    "export_driver": (DRIVER,),
    "begin_erasure": (DRIVER,),
    "erase_driver": (DRIVER,),
}


@pytest.mark.parametrize("action", [*ARGUMENTS, "revoke_key", "rotate_key"])
def test_a_role_does_its_actions_and_no_other_and_each_leaves_one_entry(engine, database_url: str, action: str):
    add_account(database_url, OFFICER, name="simulated carl")
    with connection(engine) as conn:
        roster.upsert_driver(conn, DRIVER, name="Simulated Ann", group_name=None)
    for role in Role:
        arguments = ARGUMENTS.get(action) or (make_key(engine), *([24] if action == "rotate_key" else []))
        if action == "add_account":
            arguments = (f"simulated bob {role}", [OFFICER])
        before = len(log(engine))
        with signed_in(database_url, role, name=f"simulated {role}"):
            if role in MAY_DO[action]:
                getattr(actions, action)(database_url, *arguments)
            else:
                with pytest.raises(AccessDeniedError, match="Your role does not allow that"):
                    getattr(actions, action)(database_url, *arguments)
        entries = log(engine)
        assert len(entries) == before + 1
        assert entries["actor"].iloc[0] == f"simulated {role}"
        assert entries["address"].iloc[0] == "192.0.2.7"
        assert entries["action"].iloc[0] == (action if role in MAY_DO[action] else "refused")


def make_key(engine) -> str:
    with connection(engine) as conn:
        return keys.insert_key(conn, "a gateway", [Scope.READ], created_by="test")[0]


def test_an_action_of_somebody_whose_session_ended_is_refused(engine, database_url: str):
    with signed_in(database_url) as token:
        with connection(engine) as conn:
            sessions.delete_session(conn, token)
        with pytest.raises(AccessDeniedError, match="signed out"):
            actions.add_key(database_url, "a gateway", [Scope.WRITE], None)
    with connection(engine) as conn:
        assert keys.list_keys(conn) == []


def test_a_role_that_was_given_or_taken_away_counts_at_the_next_action(engine, database_url: str):
    def become(*roles: Role) -> None:
        with connection(engine) as conn:
            accounts.update_roles(conn, accounts.read_account(conn, "simulated dora").id, roles)

    def add_key() -> None:
        actions.add_key(database_url, "a gateway", [Scope.WRITE], None)

    with signed_in(database_url, name="simulated ann"), signed_in(database_url, MANAGER, name="simulated dora"):
        with pytest.raises(AccessDeniedError):
            add_key()
        become(MANAGER, ADMIN)
        add_key()
        become(MANAGER)
        with pytest.raises(AccessDeniedError):
            add_key()
    with connection(engine) as conn:
        assert len(keys.list_keys(conn)) == 1


def test_what_is_written_bears_the_name_of_the_person(engine, database_url: str):
    with signed_in(database_url, name="simulated ann"):
        stricter = DEFAULT_PROFILE.__class__(**{**slots_of(DEFAULT_PROFILE), "name": "Stricter"})
        actions.apply_profile(database_url, stricter, "to see")
    with connection(engine) as conn:
        assert profiles.list_profiles(conn)[0].author == "simulated ann"
    entry = log(engine).iloc[0]
    assert (entry["subject"], entry["before"]["version"], entry["after"]["note"]) == ("profile 2", 1, "to see")


def slots_of(profile) -> dict[str, object]:
    return {name: getattr(profile, name) for name in profile.__dataclass_fields__}


def test_an_admin_adds_an_account_whose_password_is_shown_once(engine, database_url: str):
    with signed_in(database_url):
        app = open_page(database_url, "administration")
        app.text_input[0].input("simulated eve")
        app.multiselect(key="new_roles").set_value([OFFICER])
        button(app, "Add").click().run()
        password = app.code[0].value
        assert "It is shown this once" in text(app)
        assert "simulated eve" in set(app.dataframe[0].value["Name"])
        app.run()
        assert not app.code
    with connection(engine) as conn:
        found = accounts.read_credentials(conn, "simulated eve")
    assert found
    assert found.must_change_password
    assert passwords.check_password(password, found.password_hash)
    assert password not in log(engine).to_csv()


def test_the_last_admin_cannot_be_disabled_and_the_page_says_why(database_url: str):
    with signed_in(database_url):
        app = open_page(database_url, "administration")
        button(app, "Disable").click().run()
        assert "This is the only admin" in text(app)


def choose_key(app: AppTest, key: str) -> None:
    """In the form that replaces and revokes, where none is chosen to begin with."""
    box = next(each for each in app.selectbox if each.label == "Key")
    assert box.value is None
    box.select(next(each for each in box.options if each.startswith(key[:11]))).run()


def test_an_admin_makes_a_key_and_revokes_it(engine, database_url: str):
    with signed_in(database_url):
        app = open_page(database_url, "administration", part="keys")
        assert "No key yet" in text(app)
        app.text_input[0].input("North depot")
        button(app, "Make").click().run()
        key = app.code[0].value
        with connection(engine) as conn:
            assert keys.hash_key(key) in keys.read_ring(conn).usable
        assert button(app, "Revoke").disabled
        choose_key(app, key)
        button(app, "Revoke").click().run()
        assert list(app.dataframe[0].value["State"]) == ["revoked"]
    with connection(engine) as conn:
        assert keys.read_ring(conn).usable == {}


def test_an_admin_binds_a_key_to_a_vehicle_and_replaces_it(engine, database_url: str):
    van = uuid4()
    with connection(engine) as conn:
        roster.upsert_vehicle(conn, van, name="Van 7", group_name=None, vehicle_class=None)
    with signed_in(database_url):
        app = open_page(database_url, "administration", part="keys")
        app.text_input[0].input("Van 7's logger")
        app.multiselect(key="new_vehicles").set_value([str(van)])
        app.number_input[1].set_value(60)
        button(app, "Make").click().run()
        old = app.code[0].value
        choose_key(app, old)
        button(app, "Replace").click().run()
        new = app.code[0].value
        shown = app.dataframe[0].value
    assert list(shown["State"]) == ["good", "replaced, still good"]
    assert list(shown["Vehicles"]) == ["Van 7", "Van 7"]
    assert list(shown["A minute"]) == [60, 60]
    with connection(engine) as conn:
        usable = keys.read_ring(conn).usable
    assert usable.keys() == {keys.hash_key(old), keys.hash_key(new)}
    assert {each.vehicle_ids for each in usable.values()} == {frozenset([van])}
    assert "rotate_key" in set(log(engine)["action"])


@pytest.mark.parametrize("kind", ["drivers", "vehicles"])
def test_the_roster_is_a_table_to_edit(engine, database_url: str, kind: str):
    one, other = uuid4(), uuid4()
    with connection(engine) as conn:
        roster.insert_unknown(conn, [one, other], [one, other])
    with signed_in(database_url):
        app = open_page(database_url, "administration", part=kind)
        assert app.title[0].value == "Administration"
        assert kind.capitalize() in text(app)


def test_only_what_was_edited_in_a_roster_is_saved(engine, database_url: str):
    one, other = uuid4(), uuid4()
    with connection(engine) as conn:
        roster.insert_unknown(conn, [one, other], [one])
        known = registers.list_drivers(conn)
        assert list(registers.list_vehicles(conn)["id"]) == [str(one)]
    edited = known.copy()
    edited.loc[edited["id"] == str(other), ["name", "group_name"]] = [" Simulated Ann ", ""]
    rows = admin_view.changed_rows(known, edited)
    assert rows == [{"id": str(other), "name": "Simulated Ann", "group_name": None}]
    with signed_in(database_url):
        actions.edit_drivers(database_url, rows)
    with connection(engine) as conn:
        assert registers.list_drivers(conn)["name"].to_list() == ["Simulated Ann", None]


def test_the_audit_page_finds_entries_and_says_when_the_chain_is_broken(engine, database_url: str):
    with connection(engine) as conn:
        audit.insert_entry(conn, Who("simulated ann", "192.0.2.9"), "add_key", "ff_1", after={"name": "=1+1"})
        audit.insert_entry(conn, Who("simulated bob"), "sign_in")
    with signed_in(database_url):
        app = open_page(database_url, "audit")
        assert list(app.dataframe[0].value["actor"]) == ["simulated bob", "simulated ann"]
        app.text_input[0].input("192.0.2.9").run()
        assert list(app.dataframe[0].value["action"]) == ["add key"]
        app.text_input[0].input("nobody at all").run()
        assert "No such entry" in text(app)
        with psycopg.connect(database_url) as raw:
            raw.execute("ALTER TABLE telemetry.audit_log DISABLE TRIGGER ALL")
            raw.execute("UPDATE telemetry.audit_log SET actor = 'x' WHERE id = 1")
        app.run()
        assert "entry 1 does not follow" in text(app)


def test_everybody_may_at_least_look():
    assert all(Permission.VIEW in permissions_of([role]) for role in Role)
