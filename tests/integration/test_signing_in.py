"""The pages of signing in over real HTTP: the way in and out, another password, and what guessing comes to."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from dashboard.signin.gate import COOKIE
from fleetflow.access import Role
from tests.support import people
from tests.support.people import PASSWORD
from tests.support.ports import PLAIN
from tests.support.postgres import temporary_database, url_of
from tests.support.programs import make_settings
from tests.support.providers import front_door
from tests.support.site import OTHER, PAGE, Site, site_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.storage.accounts import Account

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def site(postgres_url, postgres_admin, migrated_template) -> Iterator[Site]:
    with temporary_database(postgres_admin, template=migrated_template) as name:
        url = url_of(postgres_url, name)
        with front_door(make_settings(), url) as base, site_at(base, url) as site:
            yield site


@pytest.fixture
def account(site: Site) -> Account:
    return people.add_account(site.url, Role.FLEET_MANAGER)


@pytest.fixture
def own_address() -> dict[str, str]:
    """An address of the test's own, as a trusted proxy would tell it: tries are counted by address."""
    own_address.count = getattr(own_address, "count", 0) + 1  # type: ignore[attr-defined]
    return {"X-Forwarded-For": f"198.51.100.{own_address.count}"}  # type: ignore[attr-defined]


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
        assert client.get("/", headers=PAGE).text == f"{account.name}: fleet_manager"
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
    bare = httpx.post(f"{site.base}/login", data={"name": account.name, "password": PASSWORD}, verify=PLAIN)
    assert bare.status_code == 403
    own = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": "198.51.100.250"}
    assert (
        httpx.post(
            f"{site.base}/login", data={"name": account.name, "password": PASSWORD}, headers=own, verify=PLAIN
        ).status_code
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
        assert "Choose your own." in client.get("/account").text
        client.post("/account", data={"old": PASSWORD, "new": fresh, "again": fresh})
        assert client.get("/", headers=PAGE).status_code == 200
