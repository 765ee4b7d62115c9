"""Single sign-on by OpenID Connect: the way to the provider and back. What it says is believed only when it is signed.

The code flow with PKCE, state and nonce, all by Authlib; whoever comes back gets a session like everybody else's.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from authlib.integrations.starlette_client import OAuth
from itsdangerous import BadSignature, URLSafeTimedSerializer

from dashboard.signin.gate import SIGN_ON
from dashboard.signin.visitors import SignOnError, Visitor
from fleetflow.access import Role
from fleetflow.doors import is_loopback
from fleetflow.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from fleetflow.settings import Settings

STATE_COOKIE = "fleetflow_sign_on"
STATE_S = 600
"""How long a person may take at the provider."""
TIMEOUT_S = 10
SIGNED_BY = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a key that only the provider has; never `none`, and never one by our own secret."""
LONGEST_NAME = 100

log = structlog.get_logger()


class SignOn:
    """One provider. Raises ConfigurationError for settings that cannot work."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = _checked_issuer(settings)
        self._client_id = settings.oidc_client_id
        self._name_claim, self._roles_claim = settings.oidc_name_claim, settings.oidc_roles_claim
        self._roles = read_roles(settings.oidc_roles)
        self._seal = URLSafeTimedSerializer(secrets.token_bytes(32))
        secret = settings.oidc_client_secret
        self._provider = OAuth().register(
            "provider",
            client_id=settings.oidc_client_id,
            client_secret=secret.get_secret_value() if secret else None,
            server_metadata_url=f"{self._issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={"scope": settings.oidc_scopes, "code_challenge_method": "S256", "timeout": TIMEOUT_S},
        )

    async def begin(self, request: Request, return_to: str, back: str, *, secure: bool) -> Response:
        """The way to the provider, which sends the browser to `return_to`; `back` is where it goes in the end."""
        request.scope["session"] = {"back": back}
        try:
            await self._load_provider()
            answer: Response = await self._provider.authorize_redirect(request, return_to)
        except Exception as error:
            log.warning("sign_on_provider_away", reason=repr(error))
            raise SignOnError("The provider of single sign-on does not answer.") from error
        answer.set_cookie(
            STATE_COOKIE, self._seal.dumps(request.session), max_age=STATE_S, path=SIGN_ON, secure=secure,
            httponly=True, samesite="lax",
        )  # fmt: skip
        return answer

    async def complete(self, request: Request) -> tuple[Visitor, str]:
        """Who came back, and where to. Raises SignOnError for anything that does not fit."""
        try:
            request.scope["session"] = self._seal.loads(request.cookies.get(STATE_COOKIE, ""), max_age=STATE_S)
        except BadSignature:
            raise SignOnError("That took too long, or was begun in another browser.") from None
        back = str(request.session["back"])
        try:
            await self._load_provider()
            claims = await self._read_claims(request)
        except Exception as error:  # whatever a provider answers, nobody gets in by it
            log.warning("sign_on_failed", reason=repr(error))
            raise SignOnError("The provider of single sign-on did not vouch for you.") from error
        return self._visitor(claims), back

    async def _load_provider(self) -> None:
        """What the provider says of itself, read once; it may only speak for itself, and only sign well."""
        metadata = await self._provider.load_server_metadata()
        if metadata["issuer"].rstrip("/") != self._issuer.rstrip("/"):
            raise SignOnError("The provider calls itself another.")
        metadata["id_token_signing_alg_values_supported"] = SIGNED_BY

    async def _read_claims(self, request: Request) -> Mapping[str, Any]:
        expected = {
            "iss": {"essential": True, "value": self._provider.server_metadata["issuer"]},
            "aud": {"essential": True, "value": self._client_id},
        }
        token = await self._provider.authorize_access_token(request, claims_options=expected)
        claims: Mapping[str, Any] = token["userinfo"]
        return claims

    def _visitor(self, claims: Mapping[str, Any]) -> Visitor:
        names = (claims.get(claim) for claim in (self._name_claim, "email", "sub"))
        name = next(str(each).strip()[:LONGEST_NAME] for each in names if str(each or "").strip())
        given = find_claim(claims, self._roles_claim)
        roles = frozenset(role for each in given if (role := self._roles.get(each)))
        return Visitor(f"{self._issuer} {claims['sub']}", name, roles)


def find_claim(claims: Mapping[str, Any], path: str) -> list[str]:
    """The texts at a path such as `realm_access.roles`; one text counts as a list of one."""
    value: Any = claims
    for step in [path] if path in claims else path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def read_roles(text: str) -> dict[str, Role]:
    """FleetFlow's role for each value of the claim, from `value=role,...`. Raises ConfigurationError."""
    if not text.strip():
        return {str(role): role for role in Role}
    roles = {}
    for pair in text.split(","):
        value, _, role = pair.rpartition("=")
        if not value.strip() or role.strip() not in set(Role):
            raise ConfigurationError(
                f"FLEETFLOW_OIDC_ROLES: {pair.strip()!r} is not VALUE=ROLE with one of {', '.join(Role)}"
            )
        roles[value.strip()] = Role(role.strip())
    return roles


def _checked_issuer(settings: Settings) -> str:
    issuer = urlsplit(settings.oidc_issuer or "")
    if issuer.scheme != "https" and not (issuer.scheme == "http" and is_loopback(issuer.hostname or "")):
        raise ConfigurationError("FLEETFLOW_OIDC_ISSUER: must begin with https://")
    if not settings.oidc_client_id:
        raise ConfigurationError("FLEETFLOW_OIDC_CLIENT_ID: is needed for single sign-on")
    return settings.oidc_issuer or ""
