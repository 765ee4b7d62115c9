"""The gate in front of the real dashboard, over real HTTP and WebSocket: strangers, and every role on every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from dashboard.signin import gate
from dashboard.signin.gate import COOKIE
from dashboard.signin.headers import PLAIN_POLICY, STREAMLIT_POLICY
from fleetflow.access import Role, Scope
from fleetflow.storage import accounts, audit, keys
from fleetflow.storage.audit import Who
from fleetflow.storage.database import connection
from tests.integration.test_administration import MAY_OPEN
from tests.support import people
from tests.support.browser import running_dashboard
from tests.support.postgres import temporary_database, url_of
from tests.support.site import OTHER, PAGE, Site, site_at
from tests.support.sockets import tab
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def site(postgres_url, postgres_admin, migrated_template, tmp_path_factory) -> Iterator[Site]:
    with temporary_database(postgres_admin, template=migrated_template) as name:
        url = url_of(postgres_url, name)
        with running_dashboard(url, tmp_path_factory.mktemp("dashboard")) as base, site_at(base, url) as site:
            yield site


def socket_status(site: Site, cookie: str | None) -> int:
    """101 when the socket opens, else the status of the refusal."""
    headers = {"Cookie": cookie} if cookie else {}
    try:
        with connect(f"{site.base.replace('http', 'ws')}/_stcore/stream", additional_headers=headers, origin=site.base):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


def revoked(site: Site) -> str:
    token = people.start_session(site.url, name="simulated revoked")
    site.execute("DELETE FROM telemetry.sessions")
    site.execute("DELETE FROM telemetry.accounts WHERE name = 'simulated revoked'")
    return token


def expired(site: Site) -> str:
    token = people.start_session(site.url)
    site.execute("UPDATE telemetry.sessions SET expires_at = now()")
    return token


def disabled(site: Site) -> str:
    token = people.start_session(site.url, Role.SAFETY_OFFICER, name="simulated disabled")
    site.execute("UPDATE telemetry.accounts SET disabled_at = now() WHERE name = 'simulated disabled'")
    site.execute("DELETE FROM telemetry.accounts WHERE name = 'simulated disabled'")
    return token


def api_key(site: Site) -> str:
    with connection(site.engine) as conn:
        return keys.insert_key(conn, "a gateway", list(Scope), created_by="test")[1]


STRANGERS = {
    "with an API key for a cookie": api_key,
    "without a cookie": lambda _: None,
    "with a forged cookie": lambda _: "A" * 43,
    "with a revoked session": revoked,
    "with an expired session": expired,
    "with a disabled account": disabled,
}
PATHS = (
    "/", "/trip?trip=1", "/account", "/media/x.csv", "/_stcore/host-config", "/_stcore/metrics", "/static/../media/x",
    "/_stcore/upload_file/a/b", "/app/static/../../server.py", "/login/", "//login", "/LOGIN", "/nonsense",
    "/draw/interval.svg?1.0",
)  # fmt: skip


@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_gets_the_way_in_and_nothing_else(site: Site, who: str):
    token = STRANGERS[who](site)
    with site.client(token) as client:
        for path in PATHS:
            page, other = client.get(path, headers=PAGE), client.get(path, headers=OTHER)
            assert (page.status_code, other.status_code) == (303, 401), path
            assert page.headers["location"].startswith("/login?next=%2F")
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
            assert client.request(method, "/_stcore/upload_file/a/b").status_code == 401
        assert client.get("/login").status_code == 200
        assert client.get("/_stcore/health").status_code == 200
        assert client.get("/static/js/unknown.js", headers=PAGE).status_code == 303
    assert socket_status(site, f"{COOKIE}={token}" if token else None) == 403


def test_identity_headers_and_api_keys_let_nobody_in(site: Site):
    name, key = people.add_account(site.url).name, api_key(site)
    spoofed = {
        "X-Forwarded-User": name, "X-Remote-User": name, "Remote-User": name, "X-Streamlit-User": name,
        "X-Auth-Request-Email": name, "X-FleetFlow-Account": name, "Authorization": f"Bearer {key}",
    }  # fmt: skip
    with site.client() as client:
        assert client.get("/", headers=OTHER | spoofed).status_code == 401
    with pytest.raises(InvalidStatus, match="403"), tab(site.base, None, **spoofed):
        pass


def test_a_header_that_says_who_one_is_never_reaches_the_app():
    headers = [(b"x-forwarded-user", b"ann"), (b"x-remote-user", b"ann"), (b"cookie", b"a=b"), (b"host", b"h")]
    assert gate.without_identity({"headers": headers})["headers"] == [(b"cookie", b"a=b"), (b"host", b"h")]


def test_the_name_of_the_first_page_leads_to_it_with_what_the_address_asks_for(site: Site):
    with site.client(people.start_session(site.url)) as client:
        for query in ("", "?period=7&group=North%20depot"):
            led = client.get(f"/overview{query}", headers=PAGE)
            assert str(led.url.join(led.headers["location"])) == f"{site.base}/{query}"


def test_every_answer_carries_the_security_headers(site: Site):
    token = people.start_session(site.url)
    with site.client(token) as client:
        answers = [client.get(path, headers=PAGE) for path in ("/", "/login", "/account", "/_stcore/health")]
    with site.client() as stranger:
        answers.append(stranger.get("/", headers=OTHER))
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "server" not in answer.headers
    policies = [answer.headers["content-security-policy"] for answer in answers]
    assert policies == [STREAMLIT_POLICY, PLAIN_POLICY, PLAIN_POLICY, STREAMLIT_POLICY, STREAMLIT_POLICY]
    assert "frame-ancestors 'none'" in STREAMLIT_POLICY
    assert all("no-store" in answer.headers["cache-control"] for answer in answers[1:3])


def test_an_open_socket_closes_after_its_session(site: Site):
    token = people.start_session(site.url)
    headers = {"Cookie": f"{COOKIE}={token}"}
    with connect(
        f"{site.base.replace('http', 'ws')}/_stcore/stream", additional_headers=headers, origin=site.base
    ) as socket:
        site.execute("DELETE FROM telemetry.sessions")

        def is_closed() -> bool:
            try:
                socket.send(b"")
            except ConnectionClosed:
                return True
            return False

        wait_until(is_closed, gate.SOCKET_GRACE_S + 10, what="the end of the socket")


def test_while_the_database_is_away_nobody_gets_in_and_a_page_tries_again(site: Site, postgres_admin):
    token = people.start_session(site.url)
    name = sa.engine.make_url(site.url).database
    postgres_admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    try:
        postgres_admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        with site.client(token) as client:
            page = client.get("/", headers=PAGE)
            assert page.status_code == 503
            assert '<meta http-equiv="refresh" content="5">' in page.text
            assert client.get("/media/x", headers=OTHER).status_code == 503
            assert site.sign_in(client, "anybody").status_code == 503
        assert socket_status(site, f"{COOKIE}={token}") == 403
    finally:
        postgres_admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    site.engine.dispose()
    with site.client(token) as client:
        assert client.get("/", headers=PAGE).status_code == 200


def test_a_password_that_has_to_be_changed_opens_that_page_alone(site: Site):
    token = people.start_session(site.url)
    site.execute("UPDATE telemetry.accounts SET must_change_password = true")
    with site.client(token) as client:
        for path in PATHS:
            if path != "/account":
                page, other = client.get(path, headers=PAGE), client.get(path, headers=OTHER)
                assert (page.status_code, page.headers.get("location"), other.status_code) == (303, "/account", 403), (
                    path
                )
        assert client.get("/account", headers=PAGE).status_code == 200
    assert socket_status(site, f"{COOKIE}={token}") == 403


@pytest.mark.parametrize("role", Role)
def test_over_a_real_socket_a_role_opens_its_pages_and_no_other(site: Site, role: Role):
    token = people.start_session(site.url, role)
    with tab(site.base, token) as opened:
        drawn = {page: opened.open("" if page == "overview" else page) for page in MAY_OPEN}
    shut = {page for page, text in drawn.items() if "Not for your role" in text}
    assert shut == {page for page, roles in MAY_OPEN.items() if role not in roles}
    assert not any("could not be drawn" in text for text in drawn.values())


def test_the_click_of_an_admin_does_nothing_when_somebody_else_sends_it(site: Site):
    """A widget's id is no secret: who knows the page can send what its buttons would."""
    admin, others = people.start_session(site.url), [people.start_session(site.url, each) for each in NO_ADMINS]
    person = people.add_account(site.url, Role.SAFETY_OFFICER, name="a simulated person")  # the first of the list

    def is_disabled() -> bool:
        with connection(site.engine) as conn:
            return accounts.read_account(conn, person.name).disabled_at is not None

    with tab(site.base, admin) as opened:
        opened.open("administration")
        button = opened.buttons()["Disable"]
        for token in others:
            with tab(site.base, token) as forger:
                forger.open("administration")
                assert "Not for your role" in forger.click(button, "administration")
                forger.open()
                forger.click(button)
            assert not is_disabled()
        opened.click(button, "administration")
        assert is_disabled()


NO_ADMINS = [Role.FLEET_MANAGER, Role.SAFETY_OFFICER]


def test_an_open_tab_is_locked_at_its_next_run_by_whatever_ends_its_session(site: Site):
    for end in (
        "DELETE FROM telemetry.sessions",
        "UPDATE telemetry.sessions SET expires_at = now()",
        "UPDATE telemetry.accounts SET disabled_at = now()",
        "UPDATE telemetry.accounts SET must_change_password = true",
    ):
        token = people.start_session(site.url)
        with tab(site.base, token) as opened:
            assert "You are signed out" not in opened.open("audit")
            site.execute(end)
            locked = opened.open("audit")
        assert "You are signed out" in locked
        assert "Entries are added and never changed" not in locked
        site.execute("UPDATE telemetry.accounts SET must_change_password = false, disabled_at = NULL")


def test_a_tab_is_locked_once_somebody_else_signs_in_by_the_same_browser(site: Site):
    token, other = people.start_session(site.url), people.add_account(site.url, Role.FLEET_MANAGER)
    with tab(site.base, token) as opened, site.client(token) as client:
        assert "Audit log" in opened.open("audit")
        assert site.sign_in(client, other.name).status_code == 303
        assert "You are signed out" in opened.open("audit")


def test_a_role_that_was_taken_away_shuts_the_page_in_an_open_tab(site: Site):
    token = people.start_session(site.url, Role.ADMIN, name="simulated demoted")
    with tab(site.base, token) as opened:
        assert "Not for your role" not in opened.open("audit")
        site.execute("UPDATE telemetry.accounts SET roles = '{fleet_manager}' WHERE name = 'simulated demoted'")
        assert "Not for your role" in opened.open("audit")


@pytest.fixture
def entry(site: Site) -> None:
    """Something in the audit log, for a file to hold."""
    with connection(site.engine) as conn:
        audit.insert_entry(conn, Who("simulated ann"), "sign_in")


@pytest.mark.usefixtures("entry")
def test_a_download_needs_the_session_and_is_in_the_audit_log(site: Site):
    token = people.start_session(site.url, name="simulated exporter")
    with tab(site.base, token) as opened:
        opened.open("audit")
        address = opened.fetch(opened.files()["CSV"])
        with site.client(token) as client:
            assert client.get(address).content.startswith(b"\xef\xbb\xbfid,at,actor")
        site.execute("DELETE FROM telemetry.sessions")
        for stranger in (None, token, "A" * 43):
            with site.client(stranger) as client:
                assert client.get(address, headers=OTHER).status_code == 401
                assert client.get(address, headers=PAGE).headers["location"].startswith("/login")
    assert ("download", "fleetflow-audit.csv") in site.log_of("simulated exporter")


@pytest.mark.usefixtures("entry")
def test_a_file_is_not_made_for_a_tab_whose_session_or_role_has_ended(site: Site):
    token = people.start_session(site.url, Role.ADMIN, name="simulated leaver")
    with tab(site.base, token) as opened:
        opened.open("audit")
        file = opened.files()["CSV"]
        site.execute("UPDATE telemetry.accounts SET roles = '{fleet_manager}' WHERE name = 'simulated leaver'")
        assert opened.fetch(file) == ""
        site.execute("DELETE FROM telemetry.sessions")
        assert opened.fetch(file) == ""
    assert site.log_of("simulated leaver") == [("refused", "fleetflow-audit.csv")]
