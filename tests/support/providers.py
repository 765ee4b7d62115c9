"""Providers of single sign-on: a real one as a process of its own, and a crooked one that signs what it is told."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from dashboard.signin.desk import Desk
from dashboard.signin.gate import Gate
from dashboard.signin.headers import SecurityHeaders
from dashboard.signin.routes import Counter
from tests.support.ports import PLAIN, free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from fleetflow.settings import Settings

CLIENT_ID, CLIENT_SECRET = "fleetflow", "a secret between the two of us, long enough"


@contextmanager
def provider_process() -> Iterator[str]:
    """The issuer of `oidc-provider-mock`, which does as the specification says."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        issuer = f"http://127.0.0.1:{port}"
        wait_until(lambda: _answers(f"{issuer}/jwks"), 60, what="the provider")
        yield issuer
    finally:
        process.terminate()
        process.wait(timeout=15)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5, verify=PLAIN).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The address of an app that serves while the block runs."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, what="the server")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=15)


@contextmanager
def front_door(settings: Settings, database_url: str) -> Iterator[str]:
    """The gate and the pages of signing in, before a page that only says who was let in."""

    async def inside(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{request.state.person.name}: {', '.join(sorted(request.state.person.roles))}")

    desk = Desk(settings, database_url)
    routes = [*Counter(desk, settings).routes(), Route("/{path:path}", inside)]
    with serving(
        Starlette(routes=routes, middleware=[Middleware(SecurityHeaders), Middleware(Gate, desk=desk)])
    ) as base:
        yield base
    desk.close()


class CrookedProvider:
    """Answers every code with the ID token that `forge` makes of the honest claims."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.issuer = self.nonce = ""
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.signed_by: RSAKey | OctKey = self.key
        self.says_it_is = ""
        self.id_token: str | None = ""

    def app(self) -> ASGIApp:
        """Discovery, keys and tokens; people are not asked anything."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/jwks", self._keys),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    def honest_claims(self) -> dict[str, Any]:
        """What a provider says of somebody who is an admin."""
        now = int(time.time())
        return {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": "42", "iat": now, "exp": now + 60, "nonce": self.nonce,
            "preferred_username": "mallory", "roles": ["admin"],
        }  # fmt: skip

    def _metadata(self, _: Request) -> JSONResponse:
        return JSONResponse(
            {
                "issuer": self.says_it_is or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/jwks",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }
        )

    def _keys(self, _: Request) -> JSONResponse:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def _token(self, _: Request) -> JSONResponse:
        signed = self.id_token
        if signed == "":
            claims = {name: value for name, value in (self.honest_claims() | self.claims).items() if value is not None}
            signed = jwt.encode(self.header, claims, self.signed_by, algorithms=["RS256", "HS256", "none"])
        answer = {"access_token": "x", "token_type": "Bearer", "id_token": signed}
        return JSONResponse({name: value for name, value in answer.items() if value is not None})
