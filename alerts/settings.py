"""The settings of this room; each notifier's own stand in its file."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from alerts.answers.settings import AnswersSettings
from alerts.heartbeat import HeartbeatSettings
from alerts.mirrors.settings import MirrorsSettings
from alerts.notifiers.table import NOTIFIERS
from domain.episode import Severity

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
    report_within_seconds: float = Field(default=180.0, gt=0)
    """How long a gateway has to say whether what it took arrived; then the person's next channel is used."""
    stop_within_real_seconds: float = Field(default=2.0, ge=0)
    """What is being sent when the service stops has this long to finish."""


class BySeverity(BaseModel):
    """Seconds for each severity."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    info: float = Field(default=0.0, ge=0)
    warning: float = Field(default=0.0, ge=0)
    critical: float = Field(default=0.0, ge=0)

    def of(self, severity: Severity) -> timedelta:
        """Return the duration for a severity."""
        seconds: float = getattr(self, severity.label)
        return timedelta(seconds=seconds)


class TellingSettings(BaseModel):
    """How much is told, how soon, and what is told together."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wait_seconds: BySeverity = BySeverity(info=60, warning=30, critical=0)
    """So long an alarm waits for others that are to be told with it."""
    clear_wait_seconds: float = Field(default=30.0, ge=0)
    """So long an all-clear waits for others."""
    area_from_facilities: int = Field(default=3, ge=2)
    """The same at so many facilities of a district at once is told in one message."""
    messages_per_hour: int = Field(default=6, ge=1)
    """What a person gets beyond this is collected into digests; as many all-clears again, which are counted apart."""
    digest_pause_seconds: BySeverity = BySeverity(info=3600, warning=3600, critical=600)
    """So long after the last message a digest follows, by the worst severity in it."""
    flapping_from: int = Field(default=3, ge=2)
    """What came so often within ``flapping_within_seconds`` is told again only when it stays."""
    flapping_within_seconds: float = Field(default=3600.0, gt=0)
    flapping_hold_seconds: float = Field(default=900.0, ge=0)
    """How long it must stay then."""
    acknowledged_for_seconds: BySeverity = BySeverity(critical=4 * 3600, warning=24 * 3600)
    """After so long an acknowledgement of what still goes on is forgotten; 0: never."""
    past_told_at: time | None = time(8, 0)
    """When excursions that late data alone told of are told, by the clock of the facility; null: never."""
    longest_shelving_seconds: float = Field(default=7 * 86400.0, gt=0)


AT_ONCE = TellingSettings(
    wait_seconds=BySeverity(), clear_wait_seconds=0, messages_per_hour=1_000_000, flapping_from=1_000_000,
    acknowledged_for_seconds=BySeverity(), past_told_at=None,
)  # fmt: skip
"""Everything at once, one message each: for trials of rules, where only who is told of what matters."""


class ClosingSettings(BaseModel):
    """What is asked of the one who closes an alert."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reasons: tuple[str, ...] = ()
    """The allowed ones; empty: any."""
    reason_required: bool = True
    action_required: bool = False
    doses_required: bool = False


class AlertsSettings(BaseModel):
    """Everything that can be set here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    notifiers: NotifiersSettings = Field(default_factory=NotifiersSettings)  # type: ignore[valid-type]  # made from the table
    dispatch: DispatchSettings = DispatchSettings()
    telling: TellingSettings = TellingSettings()
    answers: AnswersSettings = AnswersSettings()
    mirrors: MirrorsSettings = MirrorsSettings()
    heartbeat: HeartbeatSettings | None = None
    closing: ClosingSettings = ClosingSettings()
