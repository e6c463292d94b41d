"""What an operator may set about taking data in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from domain.instant import read_duration, to_ms

_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}

Duration = Annotated[timedelta, BeforeValidator(read_duration), Field(ge=timedelta(0))]
"""Written as 45s, 10min, 1h30min, or as a number of seconds."""
PositiveDuration = Annotated[Duration, Field(gt=timedelta(0))]


class ValidationSettings(BaseModel):
    """Which times are believed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    oldest: datetime = datetime(2010, 1, 1, tzinfo=UTC)
    """Earlier readings are refused. Far back on purpose: recorded data are replayed with their own times."""
    future_tolerance: Duration = timedelta(minutes=10)
    """How far ahead of the collector's clock a node's clock may run."""

    @cached_property
    def oldest_ms(self) -> int:
        """Return ``oldest`` in milliseconds since 1970."""
        return to_ms(self.oldest)

    @cached_property
    def future_tolerance_ms(self) -> int:
        """Return ``future_tolerance`` in milliseconds."""
        return round(self.future_tolerance.total_seconds() * 1000)

    @field_validator("oldest")
    @classmethod
    def _has_a_zone(cls, oldest: datetime) -> datetime:
        if oldest.tzinfo is None:
            raise ValueError("a time needs its zone: write it as 2010-01-01T00:00:00Z")
        return oldest


class PipelineSettings(BaseModel):
    """How much is held in memory, and when a group is committed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    validation: ValidationSettings = ValidationSettings()
    max_payload_bytes: int = Field(default=262_144, ge=256)
    """A longer payload is refused."""
    max_records: int = Field(default=10_000, ge=1)
    """A payload with more records is refused."""
    kept_payload_bytes: int = Field(default=4_096, ge=0)
    """How much of a payload that is too large is kept for inspection; others are kept whole, to be replayed."""
    lane_messages: int = Field(default=2_000, ge=1)
    """How many messages wait in each lane (live, backfill) before the source is held back."""
    lane_bytes: int = Field(default=8_388_608, ge=256)
    """How many payload bytes wait in each lane before the source is held back."""
    group_readings: int = Field(default=5_000, ge=1)
    """A group of this many readings is committed at once."""
    group_age: PositiveDuration = timedelta(milliseconds=50)
    """A smaller group is committed when its first message has waited this long."""
    retry_first: PositiveDuration = timedelta(milliseconds=200)
    """Wait before a failed commit is tried again; doubles up to ``retry_longest``."""
    retry_longest: PositiveDuration = timedelta(seconds=30)


class MqttSourceSettings(BaseModel):
    """Which broker to take messages from, and as whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = "mqtt://127.0.0.1:1883"
    """``mqtt://host:port``, or ``mqtts://host:port`` for TLS; may carry ``user:password@``."""
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    """Certificate authority of the broker, where the system does not know it."""
    certificate_file: Path | None = None
    """The collector's own certificate, with ``key_file``."""
    key_file: Path | None = None
    client_id: str = Field(default="vitals-collector", min_length=1, max_length=60)
    """Names the sessions that the broker keeps; two collectors on one broker need two names."""
    keepalive: PositiveDuration = timedelta(seconds=60)
    reconnect_first: PositiveDuration = timedelta(milliseconds=500)
    """Wait before the first attempt to reconnect; doubles up to ``reconnect_longest``, with jitter."""
    reconnect_longest: PositiveDuration = timedelta(seconds=30)
    buffered_messages: int = Field(default=1_000, ge=1)
    """Messages read and not yet taken by the pipeline; at this many the socket is no longer read."""
    buffered_bytes: int = Field(default=8_388_608, ge=1)
    receipt_delay: Duration = timedelta(milliseconds=50)
    """Receipts of one node within this time go out as one."""
    pending_receipts: int = Field(default=100_000, ge=1)
    """Batches whose receipts wait to be sent; beyond it the oldest are dropped, and their senders ask again."""

    @model_validator(mode="after")
    def _is_usable(self) -> MqttSourceSettings:
        parts = urlsplit(self.url)
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.port == 0:  # .port raises for no number
            raise ValueError("write the broker as mqtt://host:port or mqtts://host:port")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together")
        if self.ca_file is not None and not self.tls:
            raise ValueError("ca_file needs a mqtts:// url")
        return self

    @property
    def tls(self) -> bool:
        """Tell whether the connection is encrypted."""
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def host(self) -> str:
        """Return the broker's host name or address."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Return the broker's port; 1883, or 8883 with TLS, where the url names none."""
        parts = urlsplit(self.url)
        return parts.port or _DEFAULT_PORTS[parts.scheme]

    @property
    def credentials(self) -> tuple[str | None, str | None]:
        """Return username and password: the fields', else those in the url."""
        parts = urlsplit(self.url)
        in_url = tuple(unquote(part) if part else None for part in (parts.username, parts.password))
        password = self.password.get_secret_value() if self.password else in_url[1]
        return self.username or in_url[0], password
