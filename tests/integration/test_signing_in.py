"""The gate and the pages of signing in, over real HTTP and WebSocket, in front of the real dashboard."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import sqlalchemy as sa
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from dashboard.signin import gate
from dashboard.signin.gate import COOKIE
from dashboard.signin.headers import PLAIN_POLICY, STREAMLIT_POLICY
from fleetflow.access import Role
from fleetflow.storage import registers
from fleetflow.storage.database import connection, create_engine
from tests.support import people
from tests.support.browser import running_dashboard
from tests.support.people import PASSWORD
from tests.support.postgres import temporary_database, url_of
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.storage.accounts import Account

pytestmark = pytest.mark.postgres
PAGE = {"Accept": "text/html,application/xhtml+xml"}
OTHER = {"Accept": "*/*"}


@dataclass(frozen=True)
class Site:
    """A running dashboard and its database."""

    base: str
    url: str
    engine: sa.Engine

    def client(self, token: str | None = None, **options: Any) -> httpx.Client:
        cookies = {COOKIE: token} if token else None
        headers = {"Origin": self.base, **options.pop("headers", {})}
        return httpx.Client(base_url=self.base, cookies=cookies, headers=headers, timeout=30, **options)

    def execute(self, statement: str, **values: object) -> None:
        with connection(self.engine) as conn:
            conn.execute(sa.text(statement), values)

    def log_of(self, text: str) -> list[tuple[str, str]]:
        """Action and subject of the entries that hold the text, the oldest first."""
        with connection(self.engine) as conn:
            found = registers.list_audit_entries(conn, text=text).iloc[::-1]
        return list(zip(found["action"], found["subject"], strict=True))

    def sign_in(self, client: httpx.Client, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
        return client.post("/login", data={"name": name, "password": password, **more}, headers=PAGE)


@pytest.fixture(scope="module")
def site(postgres_url, postgres_admin, migrated_template, tmp_path_factory) -> Iterator[Site]:
    with temporary_database(postgres_admin, template=migrated_template) as name:
        url = url_of(postgres_url, name)
        engine = create_engine(url, application_name="test")
        with running_dashboard(url, tmp_path_factory.mktemp("dashboard")) as base:
            yield Site(base, url, engine)
        engine.dispose()


@pytest.fixture
def account(site: Site) -> Account:
    return people.add_account(site.url, Role.FLEET_MANAGER)


@pytest.fixture
def own_address() -> dict[str, str]:
    """An address of the test's own, as a trusted proxy would tell it: tries are counted by address."""
    own_address.count = getattr(own_address, "count", 0) + 1  # type: ignore[attr-defined]
    return {"X-Forwarded-For": f"198.51.100.{own_address.count}"}  # type: ignore[attr-defined]


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


STRANGERS = {
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


def test_identity_headers_of_the_client_let_nobody_in(site: Site, account: Account):
    spoofed = {
        "X-Forwarded-User": account.name, "X-Remote-User": account.name, "Remote-User": account.name,
        "X-Streamlit-User": account.name, "X-Auth-Request-Email": account.name, "X-FleetFlow-Account": account.name,
        "Authorization": "Bearer anything",
    }  # fmt: skip
    with site.client() as client:
        assert client.get("/", headers=OTHER | spoofed).status_code == 401


def test_a_header_that_says_who_one_is_never_reaches_the_app():
    headers = [(b"x-forwarded-user", b"ann"), (b"x-remote-user", b"ann"), (b"cookie", b"a=b"), (b"host", b"h")]
    assert gate.without_identity({"headers": headers})["headers"] == [(b"cookie", b"a=b"), (b"host", b"h")]


def test_signing_in_leads_back_to_where_one_was_going(site: Site, account: Account, own_address):
    with site.client(headers=own_address) as client:
        way_in = client.get("/trip?trip=7&event=2", headers=PAGE).headers["location"]
        form = client.get(way_in, headers=PAGE)
        assert '<input type="hidden" name="next" value="/trip?trip=7&amp;event=2">' in form.text
        answer = site.sign_in(client, account.name.upper(), next="/trip?trip=7&event=2")
        assert (answer.status_code, answer.headers["location"]) == (303, "/trip?trip=7&event=2")
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= {part.strip() for part in cookie.split(";")}
        assert "Secure" not in cookie
        page = client.get("/", headers=PAGE)
        assert page.status_code == 200
        assert "Streamlit" in page.text
        assert socket_status(site, f"{COOKIE}={client.cookies[COOKIE]}") == 101
    assert site.log_of(account.name) == [("sign_in", "")]


def test_over_tls_the_cookie_is_secure_and_browsers_are_told_to_stay(site: Site, account: Account, own_address):
    with site.client(headers={**own_address, "X-Forwarded-Proto": "https"}) as client:
        answer = site.sign_in(client, account.name)
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "javascript:alert(1)",
        "/a\r\nX: y",
        "",
        "/login",
        "/logout?x",
    ],
)
def test_signing_in_never_leads_to_another_site(site: Site, own_address, address: str):
    account = people.add_account(site.url)
    with site.client(headers=own_address) as client:
        assert site.sign_in(client, account.name, next=address).headers["location"] == "/"


def test_signing_in_makes_a_new_session_and_ends_the_one_before(site: Site, account: Account, own_address):
    with site.client(headers=own_address) as client:
        site.sign_in(client, account.name)
        first = client.cookies[COOKIE]
        client.cookies.clear()
        client.cookies.set(COOKIE, first)
        answer = site.sign_in(client, account.name)
        second = answer.cookies[COOKIE]
    assert second != first
    with site.client(first) as old:
        assert old.get("/", headers=OTHER).status_code == 401


def test_what_is_wrong_with_a_name_or_password_is_not_said(site: Site, account: Account, own_address):
    gone = people.add_account(site.url)
    site.execute("UPDATE telemetry.accounts SET disabled_at = now() WHERE id = :id", id=gone.id)
    with site.client(headers=own_address) as client:
        answers = [
            site.sign_in(client, name, password)
            for name, password in ((account.name, "wrong"), ("nobody", "wrong"), (gone.name, PASSWORD), ("", ""))
        ]
    assert {answer.status_code for answer in answers} == {401}
    said = {
        answer.text.replace(f'value="{name}"', "")
        for answer, name in zip(answers, (account.name, "nobody", gone.name), strict=False)
    }
    assert len({text.replace(" autofocus", "") for text in said}) == 1
    assert not any(COOKIE in answer.headers.get("set-cookie", "") for answer in answers)
    assert ("sign_in_failed", account.name) in site.log_of(account.name)
    assert site.log_of("nobody") == []  # what was typed as an unknown name may be a password


def test_an_unknown_account_takes_as_long_as_a_known_one(site: Site):
    accounts = [people.add_account(site.url) for _ in range(5)]

    def seconds(name: str, address: str) -> float:
        with site.client(headers={"X-Forwarded-For": address}) as client:
            started = time.perf_counter()
            assert site.sign_in(client, name, "wrong").status_code == 401
            return time.perf_counter() - started

    pairs = [
        (seconds(each.name, f"203.0.113.{number}"), seconds(f"nobody {number}", f"203.0.113.{number}"))
        for number, each in enumerate(accounts)
    ]
    known, unknown = (statistics.median(each) for each in zip(*pairs, strict=True))
    assert 0.5 < unknown / known < 2.0


def test_a_form_of_another_site_is_refused(site: Site, account: Account):
    for origin in ("https://evil.test", "null", ""):
        with site.client(headers={"Origin": origin}) as client:
            assert site.sign_in(client, account.name).status_code == 403
    bare = httpx.post(f"{site.base}/login", data={"name": account.name, "password": PASSWORD})
    assert bare.status_code == 403
    own = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": "198.51.100.250"}
    assert (
        httpx.post(f"{site.base}/login", data={"name": account.name, "password": PASSWORD}, headers=own).status_code
        == 303
    )


@pytest.mark.parametrize("body", [b"x" * 9000, b"\xff=\xff", b"&".join(b"a=1" for _ in range(20)), b"name=%ff"])
def test_a_form_that_is_none_is_refused(site: Site, body: bytes):
    with site.client() as client:
        assert client.post("/login", content=body).status_code == 403


def test_guessing_is_slowed_and_reported_while_others_sign_in(site: Site, account: Account):
    victim = people.add_account(site.url)

    def guess(number: int) -> int:
        with site.client(headers={"X-Forwarded-For": "192.0.2.66"}) as client:
            return site.sign_in(client, victim.name, f"guess {number}").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(guess, range(100)))
    assert statuses.count(401) == 5
    assert statuses.count(429) == 95
    entries = site.log_of(victim.name)
    assert entries.count(("sign_in_failed", victim.name)) == 5
    assert entries.count(("sign_in_slowed", victim.name)) == 1
    for name, address in ((account.name, "192.0.2.67"), (victim.name, "192.0.2.68")):
        with site.client(headers={"X-Forwarded-For": address}) as client:
            assert site.sign_in(client, name).status_code == 303
    with site.client(headers={"X-Forwarded-For": "192.0.2.66"}) as client:
        answer = site.sign_in(client, victim.name)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert "Try again in 1 minute." in answer.text


def test_signing_out_ends_the_session_everywhere(site: Site):
    token = people.start_session(site.url)
    with site.client(token) as client:
        assert client.post("/logout", headers={"Origin": "https://evil.test"}).status_code == 403
        answer = client.post("/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    with site.client(token) as client:
        assert client.get("/", headers=OTHER).status_code == 401


def test_a_password_is_changed_and_the_other_sessions_end(site: Site, account: Account, own_address):
    fresh = "eight dry stones in a row"
    with site.client(headers=own_address) as one, site.client(headers=own_address) as two:
        site.sign_in(one, account.name)
        site.sign_in(two, account.name)
        refused = one.post("/account", data={"old": "wrong", "new": fresh, "again": fresh})
        assert "The present password is not right." in refused.text
        assert "typed in two ways" in one.post("/account", data={"old": PASSWORD, "new": fresh, "again": "x"}).text
        assert "12 to 200 characters" in one.post("/account", data={"old": PASSWORD, "new": "x", "again": "x"}).text
        done = one.post("/account", data={"old": PASSWORD, "new": fresh, "again": fresh})
        assert "Your password is changed" in done.text
        assert one.get("/", headers=OTHER).status_code == 200
        assert two.get("/", headers=OTHER).status_code == 401
        assert site.sign_in(two, account.name).status_code == 401
        assert site.sign_in(two, account.name, fresh).status_code == 303


def test_a_password_that_somebody_else_gave_has_to_be_changed_first(site: Site, own_address):
    account = people.add_account(site.url, must_change_password=True)
    fresh = "eight dry stones in a row"
    with site.client(headers=own_address) as client:
        site.sign_in(client, account.name)
        assert client.get("/", headers=PAGE).headers["location"] == "/account"
        assert client.get("/", headers=OTHER).status_code == 403
        assert socket_status(site, f"{COOKIE}={client.cookies[COOKIE]}") == 403
        assert "Choose your own." in client.get("/account").text
        client.post("/account", data={"old": PASSWORD, "new": fresh, "again": fresh})
        assert client.get("/", headers=PAGE).status_code == 200


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
