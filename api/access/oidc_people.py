"""Who somebody is here whom a provider sent: decided by claims alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.access.oidc_settings import OidcSettings
from domain.access import Grant
from registry.accounts import Account, AccountError, sign_in_name


def name_claimed(claims: Mapping[str, Any], settings: OidcSettings) -> str | None:
    """Return the sign-in name that the provider says; None where it says none that can be one.

    An e-mail address that the provider calls not verified is none: anybody could have written it.
    """
    if settings.claim == "email" and claims.get("email_verified") is not True:
        return None
    value = claims.get(settings.claim)
    try:
        return sign_in_name(value) if isinstance(value, str) else None
    except AccountError:
        return None


def grants_claimed(claims: Mapping[str, Any], settings: OidcSettings) -> frozenset[Grant]:
    """Return what the groups of somebody allow."""
    found = claims.get(settings.groups_claim)
    groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return frozenset(each.grant for each in settings.roles if each.group in groups)


def account_meant(
    known: Account | None, name: str, claims: Mapping[str, Any], settings: OidcSettings, now: datetime
) -> Account | None:
    """Return who signs in, as they are to be from now on; None for nobody who may.

    Where roles come from groups, whoever has a password here keeps what was given here: a group cannot take it away.
    """
    if not settings.roles or (known is not None and known.secret):
        return known
    grants = grants_claimed(claims, settings)
    if not grants:
        return None
    if known is not None:
        return Account(known.id, known.name, grants, known.created_at, known.language, known.disabled_at)
    full = claims.get("name")
    return Account(name, full.strip()[:80] if isinstance(full, str) and full.strip() else name, grants, now)
