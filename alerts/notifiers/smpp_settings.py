"""The settings of the SMPP channel."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class LongMessages(StrEnum):
    """How a text that needs several parts is sent."""

    PARTS = "parts"
    """In parts of our own making, each with a user data header."""
    PAYLOAD = "payload"
    """Whole, as ``message_payload``: the message centre splits it."""


class SmppSettings(BaseModel):
    """The operator's message centre, and our account there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    port: int = Field(default=2775, ge=1, le=65535)
    system_id: str = Field(max_length=15)
    password: SecretStr
    system_type: str = Field(default="", max_length=12)
    tls: bool = False
    ca_file: Path | None = None
    sender: str = Field(max_length=20)
    """What people see and answer to: a short code, ``+256...``, or a name, which nobody can answer."""
    delivery_reports: bool = True
    """Ask whether it arrived. Without, what the message centre took counts as delivered."""
    long_messages: LongMessages = LongMessages.PARTS
    hexadecimal_ids: bool = False
    """Some centres name a message in hexadecimal when they take it, and in decimal in its receipt."""
    throttled_wait_seconds: float = Field(default=10.0, gt=0)
    """How long to wait after "too fast" or "queue full"."""
    enquire_real_seconds: float = Field(default=30.0, gt=0)
    timeout_real_seconds: float = Field(default=10.0, gt=0, le=300)
    reconnect_first_real_seconds: float = Field(default=1.0, gt=0)
    reconnect_longest_real_seconds: float = Field(default=60.0, gt=0)
    join_within_real_seconds: float = Field(default=600.0, gt=0)
    """How long to wait for the missing parts of a long text before taking what is there."""
