"""Devices that answer a GET with JSON: Shelly, Tasmota, and whatever else can be described by paths."""

from __future__ import annotations

import http.client
import json
import logging
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from domain.instant import Clock
from domain.reading import Sample
from edge.counters import CounterLimits, Counters
from edge.drivers import ChannelName, DriverSettings
from edge.findings import Finding, Reporter, bad_value, bus_error
from edge.hardware.blocking import Lane
from edge.hardware.http import Fetched, Request, TooLargeError
from edge.http_presets import PRESETS, of_component
from edge.json_values import JsonValue

logger = logging.getLogger(__name__)

# Above these the counters of one clinic's device do not grow; settings may say otherwise.
_COUNTERS: Mapping[str, CounterLimits] = {
    "energy": CounterLimits("energy", most_per_hour=100_000.0, rounding=200.0),
    "volume": CounterLimits("volume", most_per_hour=100_000.0, rounding=10.0),
}


class HttpPollSettings(DriverSettings):
    """Which device to ask, and what its answer means."""

    driver: Literal["http_poll"] = "http_poll"
    url: str
    """``http://192.168.1.20`` with a preset, or the whole address of a JSON document."""
    preset: str | None = None
    component: int = Field(default=0, ge=0, le=999)
    """Which input, switch, phase or probe of the device is meant, counted as the device does."""
    channels: Mapping[ChannelName, str | JsonValue] = Field(min_length=1)
    """What each channel measures: one of the preset's measures, or a path with its quantity."""
    username: str | None = None
    password: SecretStr | None = None
    timeout_seconds: float = Field(default=5.0, gt=0, le=30)
    most_bytes: int = Field(default=65_536, ge=64, le=1_048_576)
    state: Path | None = None
    """Where energy and water counters are kept over restarts, so that a reset of the device is noticed."""

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("write the address as http://192.168.1.20 or http://192.168.1.20/path")
        return url

    @model_validator(mode="after")
    def _knows_its_measures(self) -> HttpPollSettings:
        if self.preset is not None and self.preset not in PRESETS:
            raise ValueError(f"a preset is one of {', '.join(PRESETS)}; found {self.preset!r}")
        for wanted in self.channels.values():
            if isinstance(wanted, str) and (self.preset is None or wanted not in PRESETS[self.preset].measures):
                known = PRESETS[self.preset].measures if self.preset else ()
                said = (
                    f"a {self.preset} measures one of {', '.join(known)}" if known else "without a preset write a path"
                )
                raise ValueError(f"{said}; found {wanted!r}")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        return self

    def address(self) -> str:
        """Return what to ask: a preset's path where the settings name only the device."""
        bare = urlsplit(self.url).path in ("", "/") and not urlsplit(self.url).query
        return self.url.rstrip("/") + PRESETS[self.preset].path if bare and self.preset else self.url

    def values(self) -> dict[str, JsonValue]:
        """Return where each channel's value stands."""
        measures = PRESETS[self.preset].measures if self.preset else {}
        return {
            channel: of_component(measures[wanted], self.component) if isinstance(wanted, str) else wanted
            for channel, wanted in self.channels.items()
        }

    def headers(self) -> dict[str, str]:
        """Return what to send along."""
        if self.username is None or self.password is None:
            return {"Accept": "application/json"}
        pair = f"{self.username}:{self.password.get_secret_value()}".encode()
        return {"Accept": "application/json", "Authorization": f"Basic {b64encode(pair).decode('ascii')}"}


class HttpPollDriver:
    """Asks one device at every read, in a thread, within a time that holds for the whole answer."""

    def __init__(self, settings: HttpPollSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._values = settings.values()
        self._lane = Lane(urlsplit(settings.url).hostname or settings.url)
        self._reporter = Reporter(clock, {c: value.quantity for c, value in self._values.items()}, logger)
        self._counters = Counters(_limits(self._values), settings.state)

    @property
    def channels(self) -> Sequence[str]:
        """Return the names that were given to what is measured."""
        return self._reporter.channels

    async def read(self) -> list[Sample]:
        """Return one sample per channel."""
        try:
            fetched = await self._fetch()
        except TooLargeError as error:
            return self._reporter.all(bad_value("the device sends more than it should", str(error)))
        except http.client.HTTPException as error:
            return self._reporter.all(bus_error("this is not a web server", type(error).__name__))
        except OSError as error:  # includes the time-out
            return self._reporter.all(bus_error("the device cannot be reached", str(error) or type(error).__name__))
        findings = judge(fetched, self._values)
        return self._reporter.samples(await self._counters.settle(findings, self._clock.now_ms()))

    async def _fetch(self) -> Fetched:
        settings = self._settings
        seconds = settings.timeout_seconds
        request = Request(
            settings.address(), settings.headers(), timeout_seconds=seconds, most_bytes=settings.most_bytes
        )
        try:
            return await self._lane.run(request, timeout_seconds=seconds)
        finally:
            request.abort()

    async def close(self) -> None:
        """Do nothing: no connection stays open."""


def judge(fetched: Fetched, values: Mapping[str, JsonValue]) -> dict[str, Finding]:
    """Return what a device's answer says about each channel."""
    if fetched.status in (401, 403):
        return dict.fromkeys(values, bus_error("the device wants another user name and password"))
    if fetched.status != 200:
        return dict.fromkeys(values, bus_error(f"the device answers with status {fetched.status}"))
    try:
        document: Any = json.loads(fetched.body)
    except (ValueError, RecursionError) as error:
        return dict.fromkeys(values, bad_value("the answer is not JSON", type(error).__name__))
    return {channel: value.find(document) for channel, value in values.items()}


def _limits(values: Mapping[str, JsonValue]) -> dict[str, CounterLimits]:
    limits = {}
    for channel, value in values.items():
        if value.quantity in _COUNTERS:
            usual = _COUNTERS[value.quantity]
            limits[channel] = usual._replace(most_per_hour=value.most_per_hour or usual.most_per_hour)
    return limits


def create(settings: HttpPollSettings, clock: Clock) -> HttpPollDriver:
    """Return the driver of this device."""
    return HttpPollDriver(settings, clock)
