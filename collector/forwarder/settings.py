"""What an operator may set about forwarding to InfluxDB."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from domain.instant import read_duration

Duration = Annotated[timedelta, BeforeValidator(read_duration), Field(ge=timedelta(0))]
"""Written as 45s, 10min, 1h30min, or as a number of seconds."""
PositiveDuration = Annotated[Duration, Field(gt=timedelta(0))]

_SHORTEST_RETENTION = timedelta(hours=1)


class InfluxKind(StrEnum):
    """Which write interface the server has."""

    V1 = "v1"
    """InfluxDB 1.x: ``/write``, user name and password."""
    V2 = "v2"
    """InfluxDB 2.x: ``/api/v2/write``, organization, bucket and token."""
    V3 = "v3"
    """InfluxDB 3: ``/api/v2/write``, database and token."""


class InfluxSettings(BaseModel):
    """Where readings are forwarded to, as whom, and in what portions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: InfluxKind = InfluxKind.V1
    url: str = "http://127.0.0.1:8086"
    """Address of the server; a path in front of its own may stand behind the port."""
    database: str = Field(default="vitals", min_length=1)
    """The database of 1.x and 3.x, the bucket of 2.x. In 1.x it is created where it is missing."""
    retention: Duration | None = None
    """How long the database or bucket keeps everything where it is created here (1.x, 2.x); None means for ever."""
    org: str = ""
    """The organization of 2.x."""
    token: SecretStr | None = None
    """The token of 2.x and 3.x; it needs to write this database only."""
    username: str = ""
    password: SecretStr | None = None
    batch_lines: int = Field(default=5_000, ge=1, le=100_000)
    """Lines in one request; fewer after the server has called a request too large."""
    max_age: Duration = timedelta(seconds=1)
    """How long a reading waits for others to share a request with."""
    timeout: PositiveDuration = timedelta(seconds=30)
    """How long one request may take."""
    retry_first: PositiveDuration = timedelta(milliseconds=500)
    """Longest wait before the first repetition; doubles up to ``retry_longest``, with full jitter."""
    retry_longest: PositiveDuration = timedelta(minutes=1)
    retry_slowly: PositiveDuration = timedelta(minutes=1)
    """Wait before the next attempt where a person has to mend something first."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write the server as http://host:port or https://host:port")
        if parts.username is not None or parts.query or parts.fragment:
            raise ValueError("the url holds no user, password or query: they have fields of their own")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> InfluxSettings:
        if ":" in self.username:
            raise ValueError("username: a colon would end it (RFC 7617)")
        if self.kind is InfluxKind.V1:
            if self.token or self.org:
                raise ValueError("token and org belong to v2 and v3; v1 has username and password")
        elif self.username or self.password:
            raise ValueError("username and password belong to v1; v2 and v3 have a token")
        if self.kind is InfluxKind.V2 and not (self.token and self.org):
            raise ValueError("v2 needs org and token")
        if self.retention is not None and self.retention < _SHORTEST_RETENTION:
            raise ValueError("retention is at least 1h: InfluxDB keeps nothing for less")
        if self.kind is InfluxKind.V3 and self.retention is not None:
            raise ValueError("retention belongs to v1 and v2; v3 is told by influxdb3 create database")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password go together")
        return self
