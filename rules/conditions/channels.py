"""``of``: which channels a condition inside a combination looks at, where that is not the one that the rule judges."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from pydantic import field_validator

from domain.places import Channel, EquipmentKind
from domain.quantities import QUANTITIES
from domain.suggest import allowed_words
from rules.conditions.base import Part
from rules.signals import Scope


class Reach(StrEnum):
    """How far away the channels may be."""

    EQUIPMENT = "equipment"
    FACILITY = "facility"


class Channels(Part):
    """The channels of a quantity, at the same piece of equipment or anywhere in the facility."""

    quantity: str
    equipment: tuple[EquipmentKind, ...] = ()
    at: Reach = Reach.FACILITY

    @field_validator("equipment", mode="before")
    @classmethod
    def _one_kind_without_brackets(cls, raw: Any) -> Any:
        return (raw,) if isinstance(raw, str) else raw

    @field_validator("quantity")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in QUANTITIES:
            raise ValueError(allowed_words(name, QUANTITIES))
        return name

    def selected(self, scope: Scope) -> list[Channel]:
        """Return the channels, by id."""
        subject, directory = scope.subject, scope.directory
        return sorted(
            (
                channel
                for channel in directory.channels_of(subject.facility)
                if channel.quantity.name == self.quantity
                and (self.at is Reach.FACILITY or channel.equipment == subject.equipment)
                and (not self.equipment or self._is_kind(channel, scope))
            ),
            key=lambda channel: channel.id,
        )

    def words(self) -> str:
        """Return e.g. ``the supply of a mains supply there``."""
        elsewhere = f"{kinds_words(self.equipment) if self.equipment else 'anything'} there"
        whose = "the same equipment" if self.at is Reach.EQUIPMENT else elsewhere
        return measured_words(self.quantity, whose)

    def _is_kind(self, channel: Channel, scope: Scope) -> bool:
        equipment = scope.directory.equipment.get(channel.equipment)
        return equipment is not None and equipment.kind in self.equipment


def measured_words(quantity: str, whose: str) -> str:
    """Return e.g. ``the supply of a mains supply``; what runs is the equipment itself."""
    return whose if quantity == "running" else f"the {quantity.replace('_', ' ')} of {whose}"


def kinds_words(kinds: Sequence[EquipmentKind]) -> str:
    """Return e.g. ``a fridge, a freezer or a cold room``."""
    words = [_article(_SHORT.get(kind, kind.value.replace("_", " "))) for kind in kinds]
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


_SHORT = {EquipmentKind.UPS: "UPS", EquipmentKind.MAINS: "mains supply", EquipmentKind.SOLAR: "solar panel"}


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
