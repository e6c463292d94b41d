"""What a technician may set about one node."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    SerializeAsAny,
    field_validator,
    model_validator,
)

from domain.senml import WireFormat
from domain.signed import MIN_KEY_CHARACTERS
from domain.topics import NODE_NAME
from edge.alarms.settings import LocalAlarmSettings
from edge.calibration import Calibration
from edge.drivers import DRIVERS, DriverSettings
from edge.durations import Duration
from edge.keeping_settings import ClockSettings, KeepSettings

_DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


class BrokerAddress(NamedTuple):
    """Where the broker is and who we are there, in the shape that a client takes."""

    host: str
    port: int
    tls: bool
    username: str | None
    password: str | None

    def __str__(self) -> str:
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


class BrokerSettings(BaseModel):
    """Which broker to publish to, and as whom: an address, or its parts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    """``mqtt://host:port``, or ``mqtts://host:port`` for TLS; may carry ``user:password@``."""
    host: str | None = None
    port: int | None = Field(default=None, ge=1, le=65_535)
    tls: bool = False
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    """Certificate authority of the broker, where the system does not know it."""
    certificate_file: Path | None = None
    """The node's own certificate, with ``key_file``."""
    key_file: Path | None = None
    keepalive: Duration = timedelta(seconds=60)

    @model_validator(mode="after")
    def _names_one_broker(self) -> BrokerSettings:
        if (self.url is None) == (self.host is None):
            raise ValueError("write either url: mqtt://host:port or host: (and port:, tls:)")
        if self.url is not None and (self.port is not None or self.tls):
            raise ValueError("port and tls stand in the url: mqtt://host:port or mqtts://host:port")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together")
        if not self.address().tls and (self.ca_file or self.certificate_file):
            raise ValueError("ca_file and certificate_file need a mqtts:// url")
        return self

    def address(self) -> BrokerAddress:
        """Return the broker's address; raise ``ValueError`` for a url of another shape."""
        password = self.password.get_secret_value() if self.password else None
        if self.host is not None:
            port = self.port or _DEFAULT_PORTS["mqtts" if self.tls else "mqtt"]
            return BrokerAddress(self.host, port, self.tls, self.username, password)
        parts = urlsplit(self.url or "")
        if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path.strip("/"):
            raise ValueError("write the broker as mqtt://host:port or mqtts://host:port")
        return BrokerAddress(
            parts.hostname,
            parts.port or _DEFAULT_PORTS[parts.scheme],
            parts.scheme == "mqtts",
            self.username or (unquote(parts.username) if parts.username else None),
            password or (unquote(parts.password) if parts.password else None),
        )


class PublishSettings(BaseModel):
    """How readings travel, and how patiently."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: WireFormat = WireFormat.JSON
    """``json`` or ``cbor``; deflated, one is as small as the other."""
    deflate: bool = True
    """Compress every payload; without it a broker's tools can show what JSON says."""
    batch_readings: int = Field(default=100, ge=1, le=10_000)
    """At most this many readings travel in one batch."""
    window: int = Field(default=8, ge=2, le=1000)
    """At most this many batches are under way without a receipt; half of them are kept for live readings."""
    live_for: Duration = timedelta(minutes=10)
    """A reading older than this is history, and travels as backfill."""
    backfill_readings_per_second: float | None = Field(default=500.0, gt=0)
    """Backfill is held to this rate, so that a national outage does not end in a flood; null means no limit."""
    receipt_timeout: Duration = timedelta(seconds=30)
    """A batch without a receipt for this long is sent again; doubles up to 20 times this while no receipt comes."""
    reconnect_first: Duration = timedelta(seconds=15)
    """The longest wait before the first attempt to reconnect; doubles up to ``reconnect_longest``, with full jitter.
    Ten thousand nodes that lose their broker together come back with at most about a thousand attempts a second."""
    reconnect_longest: Duration = timedelta(minutes=2)


def _driver_settings(found: Any) -> DriverSettings:
    if isinstance(found, DriverSettings):
        return found
    name = found.get("driver") if isinstance(found, Mapping) else None
    if name not in DRIVERS:
        raise ValueError(f"every driver needs driver: one of {', '.join(DRIVERS)}; found {name!r}")
    return DRIVERS[name].settings_class().model_validate(found)


SomeDriver = Annotated[SerializeAsAny[DriverSettings], BeforeValidator(_driver_settings)]
"""The settings of the driver that ``driver`` names; its module is imported only then."""


class CommandSettings(BaseModel):
    """How the node obeys; it obeys only with ``command_key``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trial: Duration = timedelta(minutes=10)
    """A configuration from afar that has not led to a measured and confirmed reading by then is rolled back."""
    history: Duration | None = timedelta(days=7)
    """How long confirmed readings are kept to be sent again on demand; null keeps none."""
    history_bytes: int = Field(default=20_000_000, ge=100_000)
    """The most that they may take on the disk."""


class EdgeSettings(BaseModel):
    """One node: who it is, what it measures, where it keeps and sends its readings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    node: str = Field(pattern=f"^{NODE_NAME}$")
    """The node's name in the registry, and its identity at the broker."""
    broker: BrokerSettings
    outbox: Path
    """Where readings wait for their receipts; it needs a disk that survives a power cut."""
    status: Path | None = None
    """Where the agent says how it fares, for ``vitals edge status``; beside the outbox unless it stands here. It is
    written every half minute: a folder in memory, such as /run/vitals, saves the flash."""
    command_key: SecretStr | None = Field(default=None, min_length=MIN_KEY_CHARACTERS)
    """What the service signs commands and configurations with; without it the node obeys nobody."""
    commands: CommandSettings = CommandSettings()
    interval: Duration = timedelta(minutes=1)
    """How often every driver is read; aligned to the clock."""
    publish: PublishSettings = PublishSettings()
    keep: KeepSettings = KeepSettings()
    clock: ClockSettings = ClockSettings()
    drivers: tuple[SomeDriver, ...]
    calibrations: tuple[Calibration, ...] = ()
    """Corrections of channels, each with its date and author."""
    local_alarms: LocalAlarmSettings | None = None
    """Rules that judge on the node itself, and who hears of what they find."""

    @field_validator("broker", mode="before")
    @classmethod
    def _broker_by_url(cls, broker: Any) -> Any:
        return {"url": broker} if isinstance(broker, str) else broker

    @field_validator("drivers")
    @classmethod
    def _measures_something(cls, drivers: tuple[SomeDriver, ...]) -> tuple[SomeDriver, ...]:
        # Not as a length of the field: a driver with a mistake in it would then be reported as missing as well.
        if not drivers:
            raise ValueError("at least one driver, such as - {driver: ds18b20, ...}")
        return drivers

    @property
    def status_file(self) -> Path:
        """Return where the agent says how it fares."""
        return self.status or self.outbox.with_name(f"{self.outbox.name}.status.json")

    def own_drivers(self) -> tuple[DriverSettings, ...]:
        """Return the drivers' settings with what the node knows of itself filled in."""
        return tuple(each.in_node(outbox=self.outbox, status=self.status_file) for each in self.drivers)
