"""The gate in front of Streamlit, as pure ASGI: pages, WebSocket, uploads and media all pass here or not at all."""

from __future__ import annotations

import time
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from dashboard.signin import pages
from fleetflow.errors import ConfigurationError, StorageUnavailableError

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from dashboard.signin.desk import Desk
    from fleetflow.storage.sessions import Session

COOKIE = "fleetflow_session"
LOGIN, ACCOUNT, LOGOUT = "/login", "/account", "/logout"
SIGN_ON, RETURN = "/login/sso", "/login/sso/return"
STATIC = tuple(f"/app/static/{name}" for name in ("icon.svg", "logo.svg", "inter-tnum.woff2", "signin.css"))
OPEN = frozenset({LOGIN, SIGN_ON, RETURN, "/_stcore/health", *STATIC})
"""Served to anybody: the way in, what it looks like, and whether the process lives."""
BUNDLE = "/static/"
"""Streamlit's own JavaScript, which is the same everywhere: dozens of files, for which nobody has to be looked up."""
WITH_OLD_PASSWORD = frozenset({ACCOUNT, LOGOUT})
IDENTITY_HEADERS = (
    b"remote-user", b"x-remote-", b"x-forwarded-user", b"x-forwarded-email", b"x-forwarded-preferred-username",
    b"x-auth-request-", b"x-authenticated-", b"x-user", b"x-email", b"x-streamlit-user", b"x-fleetflow-",
)  # fmt: skip
"""Nothing here believes them; they are dropped so that nothing ever does by mistake."""
SOCKET_GRACE_S = 5.0
"""A page whose session has ended is run once more, to say so; what else its socket asks later finds it closed."""


class Gate:
    """ASGI middleware; `scope["state"]["person"]` is the session of whoever was let in."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in, redirect, or refuse."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        scope = without_identity(scope)
        if scope["type"] == "http" and is_open(scope):
            await self._app(scope, receive, send)
            return
        token = read_token(scope)
        try:
            session = await self._desk.find(token)
        except (StorageUnavailableError, ConfigurationError) as error:
            await _refuse(scope, receive, send, unavailable(scope, str(error)))
            return
        answer = refusal(scope, session)
        if answer is not None:
            await _refuse(scope, receive, send, answer)
            return
        scope["state"] = {**scope.get("state", {}), "person": session, "token": token}
        if scope["type"] == "websocket":
            receive = self._watched(token, receive, send)
        await self._app(scope, receive, send)

    def _watched(self, token: str | None, receive: Receive, send: Send) -> Receive:
        """Messages of a browser for as long as its session lives."""
        ended_at: float | None = None

        async def watched() -> Message:
            nonlocal ended_at
            message = await receive()
            if message["type"] != "websocket.receive" or await self._is_alive(token):
                return message
            ended_at = ended_at or time.monotonic()
            if time.monotonic() - ended_at < SOCKET_GRACE_S:
                return message
            await send({"type": "websocket.close", "code": 1008})
            return {"type": "websocket.disconnect", "code": 1008}

        return watched

    async def _is_alive(self, token: str | None) -> bool:
        try:
            session = await self._desk.find(token)
        except (StorageUnavailableError, ConfigurationError):
            return True  # the page asks for itself and shows nothing without an answer
        return session is not None and not session.must_change_password


def is_open(scope: Scope) -> bool:
    """Whether anybody may have it; no page is in the bundle, nor is a path that climbs out of its folder."""
    path: str = scope["path"]
    return path in OPEN or (path.startswith(BUNDLE) and ".." not in path and not wants_page(scope))


def refusal(scope: Scope, session: Session | None) -> Response | None:
    """The answer for who may not pass; None for who may."""
    if session is None:
        if wants_page(scope):
            return RedirectResponse(f"{LOGIN}?next={quote(address_of(scope), safe='')}", 303)
        return PlainTextResponse("Sign in first.", 401)
    if session.must_change_password and scope["path"] not in WITH_OLD_PASSWORD:
        return RedirectResponse(ACCOUNT, 303) if wants_page(scope) else PlainTextResponse("Change the password.", 403)
    return None


def unavailable(scope: Scope, reason: str) -> Response:
    """While nobody can say who is there, nobody gets in; a page tries again by itself."""
    if wants_page(scope):
        return HTMLResponse(pages.unavailable(reason), 503, {"Retry-After": "5"})
    return PlainTextResponse(reason, 503, {"Retry-After": "5"})


async def _refuse(scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted, this is a 403
        return
    await answer(scope, receive, send)


def wants_page(scope: Scope) -> bool:
    """Whether a browser asks for a page that a person will look at."""
    return scope.get("method") in {"GET", "HEAD"} and "text/html" in Headers(scope=scope).get("accept", "")


def address_of(scope: Scope) -> str:
    """Path and query, to come back to."""
    query = scope.get("query_string", b"").decode("latin-1")
    path: str = quote(scope["path"])
    return f"{path}?{query}" if query else path


def read_token(scope: Scope) -> str | None:
    """The session's token from the cookie, if there is one."""
    cookie: SimpleCookie = SimpleCookie()
    try:
        cookie.load(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return None
    found: Any = cookie.get(COOKIE)
    return found.value if found else None


def without_identity(scope: Scope) -> Scope:
    """The request without any header by which a client may say who it is."""
    kept = [each for each in scope["headers"] if not each[0].startswith(IDENTITY_HEADERS)]
    return {**scope, "headers": kept}
