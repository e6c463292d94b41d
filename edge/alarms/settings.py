"""What a technician may set about the alarms of one node."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from domain.places import EquipmentKind
from edge.alarms.at import NUMBER
from edge.alarms.board import When
from edge.alarms.outputs import SomeOutput
from edge.drivers import ChannelName
from edge.durations import Duration
from edge.hardware.lines import LineSettings
from edge.quantity_settings import QuantityName


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"an IANA time zone such as Africa/Kampala; found {name!r}") from None
    return name


PhoneNumber = Annotated[str, Field(pattern=f"^{NUMBER}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LocalRule(_Part):
    """A rule that judges here too."""

    rule: str
    """Its id, in the catalogue or in one of the rule files: the same as at the service."""
    when: When = When.LINK_DOWN


class LocalChannel(_Part):
    """What the rules have to know of a channel; the service has it in its registry."""

    channel: str = Field(min_length=1, max_length=200)
    """The channel's id in the registry: ``kasese-hc3/fridge-1/temperature``."""
    quantity: QuantityName
    equipment: EquipmentKind
    name: str = ""
    """What the equipment is called in a message."""
    limits: Mapping[str, float] = {}
    """Named limits in the quantity's own unit, for rules that ask for them: ``{low: 2, high: 8}``."""
    interval: Duration | None = None
    """How often a reading is expected, where that is not the node's interval; the same as in the registry."""


class ButtonSettings(LineSettings):
    """A push button that silences buzzers."""

    driver: Literal["button"] = "button"
    pressed_is: Literal["low", "high"] = "low"
    """The line's level while the button is down: low, where it pulls against a resistor to the supply."""


class SmsSettings(_Part):
    """A GSM modem, and who is told by it."""

    port: Path
    """``/dev/serial/by-id/...`` stays the same when cables are plugged elsewhere."""
    baud: int = Field(default=115_200, ge=300)
    numbers: tuple[PhoneNumber, ...] = Field(min_length=1, max_length=10)
    from_: Literal["warning", "critical"] = Field(default="warning", alias="from")
    """The least severity that is told."""
    when: When = When.LINK_DOWN
    """``link_down``: only while the service cannot tell; ``always``: whatever is heard here."""
    most_per_hour: int = Field(default=6, ge=1)
    """More messages than this wait."""
    give_up_after: Duration = timedelta(hours=6)
    """A message that could not be sent for this long is given up."""


class LocalAlarmSettings(_Part):
    """Which rules judge on the node, over what, and who hears of it."""

    place: str
    """What the facility is called in a message."""
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    rules: tuple[LocalRule, ...] = Field(min_length=1)
    rule_files: tuple[Path, ...] = ()
    """Rule files, or folders of them, beside the rules that come with Vitals."""
    channels: Mapping[ChannelName, LocalChannel] = Field(min_length=1)
    """By the node's own name for the channel."""
    outputs: tuple[SomeOutput, ...] = ()
    button: ButtonSettings | None = None
    silence_for: Duration = timedelta(minutes=30)
    """How long the button silences what sounds."""
    sms: SmsSettings | None = None
    link_down_after: Duration = timedelta(minutes=5)
    """The link counts as down when the service has confirmed nothing for so long, and at least three intervals."""
    state: Path | None = None
    """Where alarms are kept over restarts; beside the outbox unless it stands here."""

    @model_validator(mode="after")
    def _names_everything_once(self) -> LocalAlarmSettings:
        rules = [each.rule for each in self.rules]
        channels = [each.channel for each in self.channels.values()]
        for what, names in (("rule", rules), ("channel", channels)):
            if len(set(names)) < len(names):
                raise ValueError(f"every {what} once; found {', '.join(names)}")
        return self
