"""Single sign-on against a real provider process, and against one that tells lies."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from dashboard.signin.sign_on import SignOn, find_claim, read_roles
from fleetflow import people
from fleetflow.access import Role
from fleetflow.errors import ConfigurationError
from fleetflow.storage import accounts, registers
from fleetflow.storage.accounts import SignOnAccountError
from fleetflow.storage.database import connection
from tests.support.people import PASSWORD, add_account
from tests.support.ports import PLAIN
from tests.support.programs import make_settings
from tests.support.providers import CLIENT_ID, CLIENT_SECRET, CrookedProvider, front_door, provider_process, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleetflow.settings import Settings

pytestmark = pytest.mark.postgres
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider_process() as issuer:
        yield issuer


@pytest.fixture
def base(issuer: str, database_url: str) -> Iterator[str]:
    with front_door(settings_for(issuer), database_url) as base:
        yield base


def settings_for(issuer: str, **more: Any) -> Settings:
    secret = SecretStr(CLIENT_SECRET)
    return make_settings(oidc_issuer=issuer, oidc_client_id=CLIENT_ID, oidc_client_secret=secret, **more)


def browser(base: str) -> httpx.Client:
    return httpx.Client(base_url=base, headers=PAGE, timeout=20, verify=PLAIN)


def tell(issuer: str, sub: str, **claims: Any) -> None:
    """Let the provider know somebody."""
    httpx.put(f"{issuer}/users/{sub}", json=claims, timeout=20).raise_for_status()


def come_back(client: httpx.Client, sub: str, *, to: str = "/") -> httpx.Response:
    """To the provider, signed in there as `sub`, and back; the answer to the way back."""
    begun = client.get("/login/sso", params={"next": to})
    assert begun.status_code == 302, begun.text
    there = httpx.post(begun.headers["location"], data={"sub": sub}, timeout=20, verify=PLAIN)
    return client.get(there.headers["location"])


def log_of(engine: sa.Engine) -> list[tuple[str, str, str]]:
    with connection(engine) as conn:
        found = registers.list_audit_entries(conn).iloc[::-1]
    return list(zip(found["actor"], found["action"], found["subject"], strict=True))


def test_somebody_with_a_role_at_the_provider_comes_in_and_to_the_page_that_was_asked_for(engine, issuer, base):
    tell(issuer, "7", preferred_username="ann@example.test", roles=["safety_officer", "something else"])
    with browser(base) as client:
        way_in = client.get("/trip?trip=7")
        form = client.get(way_in.headers["location"])
        assert 'href="/login/sso?next=%2Ftrip%3Ftrip%3D7">Single sign-on</a>' in form.text
        back = come_back(client, "7", to="/trip?trip=7")
        assert (back.status_code, back.headers["location"]) == (303, "/trip?trip=7")
        cookie = back.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert client.get("/trip?trip=7").text == "ann@example.test: safety_officer"
        account = client.get("/account").text
        assert "You sign in by single sign-on" in account
        assert "Present password" not in account
        client.post("/logout", headers={"Origin": base})
        assert client.get("/").status_code == 303
    assert log_of(engine) == [
        ("ann@example.test", "add_account", "ann@example.test"), ("ann@example.test", "sign_in", ""),
        ("ann@example.test", "sign_out", ""),
    ]  # fmt: skip


def test_roles_are_those_of_the_provider_at_every_sign_on(engine, issuer, base):
    with browser(base) as client:
        tell(issuer, "8", preferred_username="bob", roles=["fleet_manager"])
        come_back(client, "8")
        assert client.get("/").text == "bob: fleet_manager"
        tell(issuer, "8", preferred_username="another name", roles=["admin", "safety_officer"])
        come_back(client, "8")
        assert client.get("/").text == "bob: admin, safety_officer"
        tell(issuer, "8", preferred_username="bob", roles=[])
        refused = come_back(client, "8")
        assert (refused.status_code, "You have no role in FleetFlow" in refused.text) == (403, True)
    assert [each[1] for each in log_of(engine)] == [
        "add_account", "sign_in", "set_roles", "sign_in", "sign_in_failed",
    ]  # fmt: skip


def test_nobody_takes_over_an_account_by_its_name(issuer, base, database_url):
    add_account(database_url, Role.ADMIN, name="carl@example.test")
    tell(issuer, "9", preferred_username="Carl@example.test", roles=["admin"])
    with browser(base) as client:
        refused = come_back(client, "9")
        assert (refused.status_code, "already, which is not yours" in refused.text) == (403, True)
        assert client.get("/").status_code == 303


def test_who_is_disabled_here_stays_out_whatever_the_provider_says(engine, issuer, base):
    tell(issuer, "10", preferred_username="dora", roles=["fleet_manager"])
    with browser(base) as client:
        come_back(client, "10")
        with connection(engine) as conn:
            people.add_account(conn, "an admin", [Role.ADMIN])  # the last one could not be disabled
            people.disable(conn, "dora")
        assert client.get("/").status_code == 303
        assert "disabled" in come_back(client, "10").text
        assert client.get("/").status_code == 303


def test_an_account_of_single_sign_on_has_no_password_to_guess_or_reset(engine, issuer, base):
    tell(issuer, "11", preferred_username="eve", roles=["fleet_manager"])
    with browser(base) as client:
        come_back(client, "11")
        client.cookies.clear()
        for password in ("", PASSWORD):
            form = {"name": "eve", "password": password}
            assert client.post("/login", data=form, headers={"Origin": base}).status_code == 401
    with connection(engine) as conn:
        assert accounts.read_credentials(conn, "eve") is None
        with pytest.raises(SignOnAccountError, match="no password here"):
            people.reset_password(conn, "eve")


def test_who_says_no_at_the_provider_is_told_so(base):
    with browser(base) as client:
        begun = client.get("/login/sso").headers["location"]
        there = httpx.post(begun, data={"action": "deny"}, timeout=20, verify=PLAIN)
        refused = client.get(there.headers["location"])
        assert (refused.status_code, "did not vouch for you" in refused.text) == (403, True)


def test_a_way_back_that_was_begun_elsewhere_leads_nowhere(issuer, base):
    """Else a stranger could sign a person in under his own name, and read what the person then uploads."""
    tell(issuer, "12", preferred_username="mallory", roles=["admin"])
    with browser(base) as mallory, browser(base) as victim:
        begun = mallory.get("/login/sso").headers["location"]
        link = httpx.post(begun, data={"sub": "12"}, timeout=20, verify=PLAIN).headers["location"]
        assert victim.get(link).status_code == 403
        victim.get("/login/sso")
        assert victim.get(link).status_code == 403
        assert mallory.get(link).status_code == 303
        assert mallory.get(link).status_code == 403  # a code is good once


def test_the_way_back_cannot_be_tried_without_end(base):
    with browser(base) as client:
        statuses = [client.get("/login/sso/return?code=x&state=y").status_code for _ in range(8)]
        assert statuses == [403] * 5 + [429] * 3


def test_without_a_provider_there_is_no_button_and_no_way(database_url):
    with front_door(make_settings(), database_url) as base, browser(base) as client:
        assert "sso" not in client.get("/login").text
        assert {client.get(path).status_code for path in ("/login/sso", "/login/sso/return")} == {404}


def test_a_provider_that_is_away_keeps_nobody_from_signing_in_by_password(database_url):
    account = add_account(database_url, Role.ADMIN)
    with front_door(settings_for("http://127.0.0.1:9"), database_url) as base, browser(base) as client:
        answer = client.get("/login/sso")
        assert (answer.status_code, "does not answer" in answer.text) == (503, True)
        form = {"name": account.name, "password": PASSWORD}
        assert client.post("/login", data=form, headers={"Origin": base}).status_code == 303


@pytest.fixture
def crooked(database_url) -> Iterator[tuple[CrookedProvider, str]]:
    provider = CrookedProvider()
    with serving(provider.app()) as issuer:
        provider.issuer = issuer
        with front_door(settings_for(issuer), database_url) as base:
            yield provider, base


def answer_of(provider: CrookedProvider, base: str) -> int:
    """The status of the way back from the crooked provider; 303 lets in."""
    with browser(base) as client:
        begun = client.get("/login/sso")
        if begun.status_code != 302:
            return begun.status_code
        asked = parse_qs(urlsplit(begun.headers["location"]).query)
        assert asked["code_challenge_method"] == ["S256"]
        provider.nonce = asked["nonce"][0]
        back = client.get("/login/sso/return", params={"code": "x", "state": asked["state"][0]})
        assert ("fleetflow_session" in back.headers.get("set-cookie", "")) == (back.status_code == 303)
        return back.status_code


LIES: dict[str, dict[str, Any]] = {
    "for another client": {"claims": {"aud": "somebody else"}},
    "for several clients, not us": {"claims": {"aud": ["somebody else"], "azp": CLIENT_ID}},
    "of another issuer": {"claims": {"iss": "https://evil.test"}},
    "of another sign-on": {"claims": {"nonce": "x"}},
    "of no sign-on": {"claims": {"nonce": None}},
    "of yesterday": {"claims": {"exp": int(time.time()) - 86_400}},
    "for ever": {"claims": {"exp": None}},
    "of nobody": {"claims": {"sub": None}},
    "without a role": {"claims": {"roles": "nothing of ours"}},
    "unsigned": {"header": {"alg": "none"}},
    "signed by another key": {"signed_by": RSAKey.generate_key(2048, {"kid": "one"})},
    "signed by our own secret": {"header": {"alg": "HS256"}, "signed_by": OctKey.import_key(CLIENT_SECRET)},
    "none at all": {"id_token": None},
    "no token": {"id_token": "a.b.c"},
    "of a provider that calls itself another": {"says_it_is": "https://evil.test"},
}


def test_a_crooked_provider_that_is_honest_for_once_lets_in(crooked):
    """So that the refusals below are for the lie alone."""
    assert answer_of(*crooked) == 303


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_does_not_fit_lets_nobody_in(engine, crooked, lie: str):
    provider, base = crooked
    for name, value in LIES[lie].items():
        setattr(provider, name, value)
    assert answer_of(provider, base) in {403, 503}
    with connection(engine) as conn:
        assert conn.scalar(sa.text("SELECT count(*) FROM telemetry.sessions")) == 0


def test_a_claim_is_found_at_its_path():
    claims = {"roles": ["a", 7], "realm_access": {"roles": ["b"]}, "https://x.test/roles": "c", "n": {"m": 1}}
    found = {path: find_claim(claims, path) for path in ("roles", "realm_access.roles", "https://x.test/roles")}
    assert found == {"roles": ["a"], "realm_access.roles": ["b"], "https://x.test/roles": ["c"]}
    assert find_claim(claims, "n.m") == find_claim(claims, "n.m.o") == find_claim(claims, "nothing") == []


def test_values_of_the_claim_become_roles():
    assert read_roles("") == {str(role): role for role in Role}
    assert read_roles("Fleet=Admins=admin, dispatch = fleet_manager") == {
        "Fleet=Admins": Role.ADMIN, "dispatch": Role.FLEET_MANAGER,
    }  # fmt: skip
    for wrong in ("admin", "x=owner", "=admin"):
        with pytest.raises(ConfigurationError, match="FLEETFLOW_OIDC_ROLES"):
            read_roles(wrong)


@pytest.mark.parametrize(
    ("issuer", "client_id"),
    [("http://login.test", "x"), ("login.test", "x"), ("https://login.test", None)],
)
def test_settings_that_cannot_work_are_refused_at_the_start(issuer: str, client_id: str | None):
    with pytest.raises(ConfigurationError, match="FLEETFLOW_OIDC_"):
        SignOn(make_settings(oidc_issuer=issuer, oidc_client_id=client_id))
