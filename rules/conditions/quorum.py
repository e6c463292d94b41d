"""``quorum``: the same condition holds at so many channels at the same time, as two probes of three are believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field

from rules.conditions.base import Part
from rules.conditions.channels import Channels
from rules.conditions.logic import join
from rules.signals import Scope, Signal

if TYPE_CHECKING:
    from rules.conditions import Term


class Quorum(Part):
    """How many of which channels have to agree on what."""

    at_least: int = Field(ge=1)
    of: Channels
    hold: Term

    def joined(self, scope: Scope) -> Signal | None:
        """Return whether enough agree; None where the registry has fewer channels than that."""
        signals = [self.hold.signal_of(channel, scope) for channel in self.of.selected(scope)]
        known = [signal for signal in signals if signal is not None]
        return (
            join(known, self._agree, told=self.of.quantity == scope.subject.quantity.name, worst=True)
            if len(known) >= self.at_least
            else None
        )

    def sentence(self, words: Sequence[str]) -> str:
        """Return the condition in a sentence."""
        return f"at least {self.at_least} sensors of {self.of.words()} agree that {words[0]}"

    def _agree(self, truths: Sequence[bool | None]) -> bool | None:
        if truths.count(True) >= self.at_least:
            return True
        return None if truths.count(True) + truths.count(None) >= self.at_least else False
