"""Settings of signing in."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api.access.oidc_settings import OidcSettings
from domain.instant import read_duration
from registry.sessions import SEEN_EVERY, Lasting


def _long_enough(duration: timedelta) -> timedelta:
    # When a session was last used is known no more exactly than this.
    if duration <= 2 * SEEN_EVERY:
        raise ValueError("a duration of more than 10min")
    return duration


SessionLength = Annotated[timedelta, BeforeValidator(read_duration), AfterValidator(_long_enough)]


class AccessSettings(BaseModel):
    """Who gets in, and for how long."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open: bool = False
    """Nobody signs in, and everybody who reaches the service may do everything: only on loopback."""
    idle: SessionLength = timedelta(hours=12)
    """Who asks for nothing for so long has to sign in again."""
    longest: SessionLength = timedelta(days=14)
    """Who signed in so long ago has to sign in again in any case."""
    link_hours: int = Field(default=24, ge=1, le=24 * 31)
    """So long the link in a message opens its alert without signing in; it is written where ``public_url`` is set."""

    oidc: OidcSettings | None = None
    """Signing in elsewhere; needs: pip install 'vitals[server,oidc]'."""

    @model_validator(mode="after")
    def _in_order(self) -> AccessSettings:
        if self.longest < self.idle:
            raise ValueError("longest is shorter than idle")
        return self

    @property
    def lasting(self) -> Lasting:
        """Return how long a session lasts."""
        return Lasting(self.idle, self.longest)
