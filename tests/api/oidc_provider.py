"""A small real OpenID provider on loopback: it signs real tokens, and lies where a test tells it to."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from api.access.oidc_settings import OidcSettings
from tests.system.servers import serve

CLIENT, SECRET = "vitals", "a secret: with signs/ in it"


@dataclass
class OpenIdProvider:
    """Signs in whoever ``person`` says, at once."""

    now: Callable[[], int] = lambda: 0
    """The second of the clock that the service goes by."""
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "42", "preferred_username": "joseph"})
    """What is said of whoever signs in."""
    url: str = ""
    key: RSAKey | ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "first"}))
    lie: dict[str, Any] = field(default_factory=dict)
    """Claims that are put into the token instead of the right ones; None leaves one out."""
    signed_by: RSAKey | ECKey | OctKey | None = None
    """Another key than the one that is published."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """What is said of the provider itself instead of the truth."""
    in_userinfo: tuple[str, ...] = ()
    """Claims that the token leaves to the userinfo."""
    refuses: bool = False
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def settings(self, **more: Any) -> OidcSettings:
        """Return the settings of a service that trusts this provider."""
        return OidcSettings(issuer=self.url, client_id=CLIENT, client_secret=SECRET, **more)  # type: ignore[arg-type]  # a secret from text

    def application(self) -> web.Application:
        """Return what is served."""
        application = web.Application()
        application.router.add_get("/.well-known/openid-configuration", self._configuration)
        application.router.add_get("/keys", self._keys)
        application.router.add_get("/authorize", self._authorize)
        application.router.add_post("/token", self._token)
        application.router.add_get("/userinfo", self._userinfo)
        return application

    async def _configuration(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo",
                **self.metadata,
            }
        )

    async def _keys(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response(KeySet([self.key]).as_dict(private=False))

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        said = {"error": "access_denied"} if self.refuses else {"code": code}
        raise web.HTTPFound(f"{asked['redirect_uri']}?{urlencode({**said, 'state': asked['state']})}")

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked = self._codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        proven = asked is not None and asked["code_challenge"] == challenge.decode()
        if asked is None or not proven or asked["redirect_uri"] != form["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        if not self._is_client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        token = self._id_token(asked["nonce"])
        return web.json_response({"access_token": "at", "token_type": "Bearer", "id_token": token})

    def _is_client(self, request: web.Request, form: dict[str, str]) -> bool:
        if "client_secret" in form:
            return form["client_secret"] == SECRET
        pair = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        return [unquote_plus(each) for each in pair.split(":")] == [CLIENT, SECRET]

    def _id_token(self, nonce: str) -> str:
        now = self.now()
        said = {each: value for each, value in self.person.items() if each not in self.in_userinfo}
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **said, **self.lie}
        key = self.signed_by or self.key
        algorithm = {"RSA": "RS256", "EC": "ES256", "oct": "HS256"}[key.key_type]
        header = {"alg": algorithm, "kid": self.key.kid}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, kept, key, algorithms=[algorithm])

    async def _userinfo(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer at"
        return web.json_response(self.person)


@asynccontextmanager
async def an_openid_provider() -> AsyncIterator[OpenIdProvider]:
    """Give a provider that is served on a free port."""
    provider = OpenIdProvider()
    async with serve(provider.application()) as url:
        provider.url = str(url).rstrip("/")
        yield provider


def query_of(address: str) -> dict[str, str]:
    """Return what stands in an address."""
    return {name: values[-1] for name, values in parse_qs(urlsplit(address).query).items()}
