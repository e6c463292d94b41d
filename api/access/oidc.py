"""Signing in elsewhere: OpenID Connect, the code flow with PKCE, state and nonce.

What the provider says is believed only after its signature, issuer, audience, nonce and times were looked at.
"""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus, urlencode

import aiohttp
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.access.oidc_settings import OidcSettings, is_safe
from domain.errors import PeerError
from domain.instant import HOUR_MS, MINUTE_MS, Clock

logger = logging.getLogger(__name__)

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the provider can make: none of them uses what both sides know."""
_LEEWAY_SECONDS: Final = 60
_MOST_BYTES: Final = 1_048_576
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class SingleSignOnError(PeerError):
    """The provider did not answer, or said what cannot be believed; the sentence is for the log."""


class Errand(NamedTuple):
    """What a browser keeps while its owner is at the provider."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class _Known:
    """What the provider says of itself."""

    document: Mapping[str, Any]
    keys: KeySet
    at_ms: int


class Provider:
    """One provider, asked when somebody signs in; what it says of itself is kept for an hour."""

    def __init__(self, settings: OidcSettings, clock: Clock) -> None:
        self.settings, self._clock = settings, clock
        self._known: _Known | None = None

    async def address(self, errand: Errand, back: str) -> str:
        """Return where the browser is sent; ``back`` is where the provider sends it afterwards."""
        known = await self._discovered()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self.settings.scopes),
            "state": errand.state,
            "nonce": errand.nonce,
            "code_challenge": create_s256_code_challenge(errand.verifier),
            "code_challenge_method": "S256",
        }
        endpoint = str(known.document["authorization_endpoint"])
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def claims(self, errand: Errand, code: str, back: str) -> Mapping[str, Any]:
        """Return what the provider says of the person whom it sent back with a code."""
        known = await self._discovered()
        answer = await self._exchange(known, errand, code, back)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise SingleSignOnError("the provider gave no id_token; the scopes must hold openid")
        claims = await self._believed(known, token, errand.nonce, str(answer.get("access_token", "")))
        wanted = {self.settings.claim, *([self.settings.groups_claim] if self.settings.roles else ())}
        if wanted <= claims.keys() or "userinfo_endpoint" not in known.document:
            return claims
        return await self._completed(known, claims, str(answer.get("access_token", "")))

    async def _believed(self, known: _Known, token: str, nonce: str, access_token: str) -> dict[str, Any]:
        try:
            return self._checked(known.keys, token, nonce, access_token)
        except (JoseError, ValueError) as error:
            # The provider may have taken a new key since it was asked; asked again at most each minute.
            if self._clock.now_ms() - known.at_ms < MINUTE_MS:
                raise SingleSignOnError(f"the id_token cannot be believed: {error}") from error
        self._known = None
        known = await self._discovered()
        try:
            return self._checked(known.keys, token, nonce, access_token)
        except (JoseError, ValueError) as error:
            raise SingleSignOnError(f"the id_token cannot be believed: {error}") from error

    def _checked(self, keys: KeySet, token: str, nonce: str, access_token: str) -> dict[str, Any]:
        decoded = jwt.decode(token, keys, algorithms=_ALGORITHMS)
        client = self.settings.client_id
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": self.settings.issuer},
                "aud": {"essential": True, "value": client},
            },
            params={"nonce": nonce, "client_id": client, "access_token": access_token},
        )
        claims.validate(now=self._clock.now_ms() // 1000, leeway=_LEEWAY_SECONDS)
        return dict(claims)

    async def _discovered(self) -> _Known:
        now_ms = self._clock.now_ms()
        if self._known is not None and now_ms - self._known.at_ms < HOUR_MS:
            return self._known
        issuer = self.settings.issuer
        document = await self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != issuer:
            raise SingleSignOnError(f"the provider calls itself {document.get('issuer')!r} and not {issuer!r}")
        for name in _ENDPOINTS:
            if not is_safe(str(document.get(name, ""))):
                raise SingleSignOnError(f"the provider's {name} is no address with https://")
        try:
            keys = KeySet.import_key_set(await self._ask("GET", str(document["jwks_uri"])))  # type: ignore[arg-type]
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise SingleSignOnError(f"the provider's keys cannot be read: {error}") from error
        self._known = _Known(document, keys, now_ms)
        return self._known

    async def _exchange(self, known: _Known, errand: Errand, code: str, back: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": errand.verifier,
            "client_id": self.settings.client_id,
        }
        headers, secret = {}, self.settings.client_secret
        if secret is not None:
            methods = known.document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
            if "client_secret_basic" in methods:
                pair = ":".join(quote_plus(each) for each in (self.settings.client_id, secret.get_secret_value()))
                headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
            else:
                form["client_secret"] = secret.get_secret_value()
        return await self._ask("POST", str(known.document["token_endpoint"]), data=form, headers=headers)

    async def _completed(self, known: _Known, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        endpoint = str(known.document["userinfo_endpoint"])
        if not is_safe(endpoint):
            return claims
        more = await self._ask("GET", endpoint, headers={"Authorization": f"Bearer {access_token}"})
        if not hmac.compare_digest(str(more.get("sub", "")).encode(), str(claims["sub"]).encode()):
            raise SingleSignOnError("the provider's userinfo is about somebody else")
        return {**more, **claims}

    async def _ask(self, method: str, address: str, **options: Any) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=self.settings.timeout_seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(method, address, allow_redirects=False, **options) as answer,
            ):
                body = await answer.content.read(_MOST_BYTES)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SingleSignOnError(f"{address} cannot be asked: {type(error).__name__} {error}") from error
        if status != 200:
            raise SingleSignOnError(f"{address} answered {status}: {_reason(body)}")
        document = _parsed(body)
        if document is None:
            raise SingleSignOnError(f"{address} answered what is no JSON object")
        return document


def _reason(body: bytes) -> str:
    """Return what an OAuth error says, and nothing else of an answer: it may repeat what was asked."""
    document = _parsed(body) or {}
    return " ".join(str(document.get(name, ""))[:200] for name in ("error", "error_description")).strip()


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
