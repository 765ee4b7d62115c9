"""The addresses of signing in: /login, /logout and /account, as plain forms."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from dashboard.signin import pages
from dashboard.signin.gate import ACCOUNT, COOKIE, LOGIN, LOGOUT, RETURN, SIGN_ON, read_token
from dashboard.signin.headers import PLAIN_POLICY
from dashboard.signin.throttle import Throttle
from fleetflow.errors import FleetFlowError, StorageUnavailableError
from fleetflow.passwords import PasswordRefusedError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from dashboard.signin.desk import Desk
    from dashboard.signin.sign_on import SignOn
    from fleetflow.settings import Settings

LARGEST_FORM_BYTES = 8_192
MOST_FIELDS = 8
LONGEST_NAME = 100
LOCAL_ADDRESS = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of this site in printable ASCII without a backslash: nothing that a browser takes for another host."""
FOREIGN = "This did not come from a page of FleetFlow."
NO_SIGN_ON = "There is no single sign-on here."
WRONG = "That name and password do not fit."


class Counter:
    """The handlers, over one desk and one throttle."""

    def __init__(self, desk: Desk, settings: Settings, throttle: Throttle | None = None) -> None:
        self._desk = desk
        self._lifetime_s = int(settings.session_lifetime_s)
        self._throttle = throttle or Throttle()
        self._sign_on = load_sign_on(settings) if settings.oidc_issuer else None
        self._label = settings.oidc_label if settings.oidc_issuer else ""

    def routes(self) -> list[Route]:
        """For the ASGI app."""
        return [
            Route(LOGIN, self.show_login, methods=["GET"]),
            Route(LOGIN, self.sign_in, methods=["POST"]),
            Route(SIGN_ON, self.begin_sign_on, methods=["GET"]),
            Route(RETURN, self.complete_sign_on, methods=["GET"]),
            Route(LOGOUT, self.sign_out, methods=["POST"]),
            Route(ACCOUNT, self.show_account, methods=["GET"]),
            Route(ACCOUNT, self.change_password, methods=["POST"]),
        ]

    async def show_login(self, request: Request) -> Response:
        """The form."""
        return self._login(local_address(request.query_params.get("next", "")))

    async def sign_in(self, request: Request) -> Response:
        """Check name and password; the same words for whatever is wrong with them."""
        form = await read_form(request)
        if form is None:
            return page(pages.refused(FOREIGN), 403)
        name, password = form.get("name", "")[:LONGEST_NAME], form.get("password", "")
        back, address = local_address(form.get("next", "")), address_of(request)
        wait_s = self._throttle.admit(name, address)
        if wait_s > 0:
            return await self._slow_down(wait_s, name, address, back)
        try:
            token = await self._desk.sign_in(name, password, address, read_token(request.scope))
        except FleetFlowError as error:
            return self._login(back, name, str(error), 503)
        if token is None:
            return self._login(back, name, WRONG, 401)
        self._throttle.forgive(name, address)
        return self._let_in(request, token, back)

    async def begin_sign_on(self, request: Request) -> Response:
        """The way to the provider of single sign-on."""
        if self._sign_on is None:
            return page(pages.refused(NO_SIGN_ON), 404)
        back = local_address(request.query_params.get("next", ""))
        return_to = str(request.url.replace(path=RETURN, query=""))
        try:
            return await self._sign_on.begin(request, return_to, back, secure=is_secure(request))
        except FleetFlowError as error:
            return self._login(back, fault=str(error), status=503)

    async def complete_sign_on(self, request: Request) -> Response:
        """The way back: a session for whom the provider vouches for."""
        if self._sign_on is None:
            return page(pages.refused(NO_SIGN_ON), 404)
        address = address_of(request)
        tried = (f"single sign-on {address}", address)
        wait_s = self._throttle.admit(*tried)
        if wait_s > 0:
            return await self._slow_down(wait_s, *tried, "/")
        try:
            visitor, back = await self._sign_on.complete(request)
            token = await self._desk.sign_on(visitor, address, read_token(request.scope))
        except StorageUnavailableError as error:
            return self._login("/", fault=str(error), status=503)
        except FleetFlowError as error:
            return self._login("/", fault=str(error), status=403)
        self._throttle.forgive(*tried)
        return self._let_in(request, token, back)

    async def sign_out(self, request: Request) -> Response:
        """End the session and forget the cookie."""
        if not is_own(request):
            return page(pages.refused(FOREIGN), 403)
        await self._desk.sign_out(request.state.token)
        answer = RedirectResponse(LOGIN, 303)
        answer.delete_cookie(COOKIE, path="/", secure=is_secure(request), httponly=True, samesite="lax")
        return answer

    async def show_account(self, request: Request) -> Response:
        """Who one is, and the form for another password."""
        return page(pages.account(request.state.person))

    async def change_password(self, request: Request) -> Response:
        """Set another password."""
        form, person = await read_form(request), request.state.person
        if form is None:
            return page(pages.refused(FOREIGN), 403)
        old, new = form.get("old", ""), form.get("new", "")
        wait_s = self._throttle.admit(person.name, f"session {person.account_id}")
        try:
            if wait_s > 0:
                raise PasswordRefusedError(f"Too many tries. {try_again(wait_s)}")
            if new != form.get("again"):
                raise PasswordRefusedError("The new password was typed in two ways.")
            await self._desk.change_password(request.state.token, person, old, new)
        except FleetFlowError as error:
            return page(pages.account(person, fault=str(error)), 400)
        self._throttle.forgive(person.name, f"session {person.account_id}")
        changed = replace(person, must_change_password=False)
        return page(pages.account(changed, done="Your password is changed; your other sessions have ended."))

    async def _slow_down(self, wait_s: float, name: str, address: str, back: str) -> Response:
        if self._throttle.is_news(address):
            with suppress(FleetFlowError):
                await self._desk.note_slowed(name, address)
        fault = f"Too many tries. {try_again(wait_s)}"
        answer = self._login(back, name, fault, 429)
        answer.headers["Retry-After"] = str(math.ceil(wait_s))
        return answer

    def _login(self, back: str, name: str = "", fault: str = "", status: int = 200) -> Response:
        return page(pages.login(next_address=back, name=name, fault=fault, sign_on=self._label), status)

    def _let_in(self, request: Request, token: str, back: str) -> Response:
        answer = RedirectResponse(back, 303)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=self._lifetime_s,
            path="/",
            secure=is_secure(request),
            httponly=True,
            samesite="lax",
        )
        return answer


def load_sign_on(settings: Settings) -> SignOn:
    """Single sign-on as the settings say. Raises ConfigurationError."""
    from dashboard.signin.sign_on import SignOn  # noqa: PLC0415 - 0.2 s that only who has a provider should wait

    return SignOn(settings)


def page(content: str, status: int = 200) -> Response:
    """A page that may load nothing but its style, font and logo."""
    return HTMLResponse(content, status, {"Content-Security-Policy": PLAIN_POLICY, "Cache-Control": "no-store"})


async def read_form(request: Request) -> dict[str, str] | None:
    """The fields of a form that one of our own pages sent; None for anything else."""
    if not is_own(request):
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM_BYTES:
            return None
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        return None
    return {name: values[-1] for name, values in fields.items()}


def is_own(request: Request) -> bool:
    """Whether a page of this site sent it. Browsers say so, and strangers' pages cannot say it for them."""
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site") == "same-origin"
    return urlsplit(origin).netloc == request.headers.get("host")


def is_secure(request: Request) -> bool:
    """Whether the browser came over TLS, as this server or a trusted proxy in front of it says."""
    return request.url.scheme == "https"


def local_address(asked: str) -> str:
    """Where to go after signing in: on this site, and not to the pages of signing in."""
    if not LOCAL_ADDRESS.fullmatch(asked) or asked.split("?", maxsplit=1)[0] in {LOGIN, LOGOUT}:
        return "/"
    return asked


def address_of(request: Request) -> str:
    """The network address that asks."""
    return request.client.host if request.client else ""


def try_again(wait_s: float) -> str:
    """When, in words."""
    minutes = math.ceil(wait_s / 60)
    return f"Try again in {minutes} minute{'s' if minutes > 1 else ''}."
