"""Settings of the HTTP side."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from api.languages import page_languages


class ApiSettings(BaseModel):
    """What an operator may want to change about pages and API."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    """Names under which the service answers, without port. Others are refused, so that a foreign page cannot
    reach a loopback service by pointing its own name at it. ``*`` answers to every name."""
    language: str = "en"
    """In which pages are shown to whom neither a choice, nor an account, nor the browser says which."""
    event_interval_seconds: float = Field(default=1.0, ge=0.05, le=60)
    """How often changes are looked for while somebody listens."""
    heartbeat_seconds: float = Field(default=15.0, ge=0.05, le=60)
    """A silent event stream says this often that it lives."""
    max_event_streams: int = Field(default=200, ge=1, le=10_000)
    max_body_bytes: int = Field(default=16_384, ge=1024, le=1_048_576)
    """A request with a larger body is refused."""

    @field_validator("language")
    @classmethod
    def _known(cls, language: str) -> str:
        page_languages(language)
        return language
