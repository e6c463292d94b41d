"""Which foreign devices to listen to."""

from __future__ import annotations

from functools import cached_property
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, field_validator

from collector.foreign.adapter import Adapter
from collector.foreign.table import ADAPTERS
from collector.foreign.topics import filter_problem, matches
from domain.topics import UpLane, up


class ForeignSettings(BaseModel):
    """One kind of device: how it speaks, and on which topics. The quality of service is always 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    adapter: str
    """A name of the table of adapters."""
    topics: tuple[str, ...] = ()
    """Topic filters; where none is given those of the adapter."""
    zone: str | None = None
    """IANA zone of times that devices write without one; without it such times are not believed."""

    @property
    def adapted(self) -> Adapter:
        """Return the adapter."""
        return ADAPTERS[self.adapter]

    @property
    def filters(self) -> tuple[str, ...]:
        """Return the topic filters that count."""
        return self.topics or self.adapted.topics

    @cached_property
    def timezone(self) -> ZoneInfo | None:
        """Return the zone."""
        return None if self.zone is None else ZoneInfo(self.zone)

    @field_validator("adapter")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in ADAPTERS:
            raise ValueError(f"one of {', '.join(ADAPTERS)}")
        return name

    @field_validator("topics")
    @classmethod
    def _are_filters(cls, topics: tuple[str, ...]) -> tuple[str, ...]:
        for topic_filter in topics:
            problem = filter_problem(topic_filter)
            if problem:
                raise ValueError(f"{topic_filter!r}: {problem}")
            if any(matches(topic_filter, up("node", lane)) for lane in UpLane):
                raise ValueError(f"{topic_filter!r} takes in the topics of Vitals's own nodes; write a narrower filter")
        return topics

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, zone: str | None) -> str | None:
        try:
            if zone is not None:
                ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("an IANA time zone such as Africa/Kampala") from None
        return zone
