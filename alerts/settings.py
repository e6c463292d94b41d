"""The settings of this room; each notifier's own stand in its file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from alerts.notifiers.table import NOTIFIERS

_FIELDS: dict[str, Any] = {row.name: (row.settings | None, row.default) for row in NOTIFIERS}
NotifiersSettings: type[BaseModel] = create_model(
    "NotifiersSettings",
    __config__=ConfigDict(extra="forbid", frozen=True),
    __doc__="One field per row of the notifiers' table; ``null`` turns one off.",
    **_FIELDS,
)


class DispatchSettings(BaseModel):
    """How stubbornly messages are sent; seconds of the service's clock unless a name says otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    retry_first_seconds: float = Field(default=5.0, gt=0)
    """Pause after the first failure; it doubles with every further one."""
    retry_longest_seconds: float = Field(default=600.0, gt=0)
    give_up_after_seconds: float = Field(default=3600.0, gt=0)
    """Counted from queueing; then a message is undeliverable."""
    lease_seconds: float = Field(default=60.0, gt=0)
    """When a sender that was interrupted (killed, power cut) counts as dead and its message is sent again."""
    poll_real_seconds: float = Field(default=2.0, gt=0)
    """How often to look without being woken: another process may queue as well."""
    concurrency: int = Field(default=4, ge=1, le=100)
    """Messages at a time, per notifier."""
    attempt_timeout_real_seconds: float = Field(default=45.0, gt=0)
    """A notifier that takes longer has failed for now, whatever its own limits are."""
    stop_within_real_seconds: float = Field(default=2.0, ge=0)
    """What is being sent when the service stops has this long to finish."""


class AlertsSettings(BaseModel):
    """Everything that can be set here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    notifiers: NotifiersSettings = Field(default_factory=NotifiersSettings)  # type: ignore[valid-type]  # made from the table
    dispatch: DispatchSettings = DispatchSettings()
