"""Settings of signing in elsewhere, by OpenID Connect."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from domain.access import Grant, Role
from domain.places import Place
from domain.suggest import allowed_words


def _issuer(written: str) -> str:
    if not is_safe(written):
        raise ValueError("an address that begins with https://")
    return written


def _role(written: str) -> str:
    words = [role.word for role in Role]
    if written not in words:
        raise ValueError(allowed_words(written, words))
    return written


def is_safe(address: str) -> bool:
    """Tell whether nobody on the way can read or change what is said to an address: HTTPS, or this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        plain = parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or plain)


class GroupRole(BaseModel):
    """What the members of a group may do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: str = Field(min_length=1)
    role: Annotated[str, AfterValidator(_role)]
    country: str = ""
    region: str = ""
    district: str = ""
    facility: str = ""

    @property
    def grant(self) -> Grant:
        """Return the role in its place."""
        return Grant(Role[self.role.upper()], Place(self.country, self.region, self.district, self.facility))


class OidcSettings(BaseModel):
    """The provider, and who its people are here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, AfterValidator(_issuer)]
    """As the provider writes it, for example https://id.example.org/realms/health."""
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    """None for a client that the provider calls public."""
    name: str = Field(default="single sign-on", min_length=1, max_length=60)
    """What the button says: Sign in with NAME."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    claim: str = "preferred_username"
    """Whose value is the sign-in name here; people must not be able to choose it themselves at the provider."""
    groups_claim: str = "groups"
    roles: tuple[GroupRole, ...] = ()
    """Where any stand here: whoever has no password here may do what the groups allow, and is made at the first
    sign-in. Without: only who was made here gets in, with the roles that were given here."""
    timeout_seconds: float = Field(default=10, gt=0, le=60)
