"""The closed set of condition kinds: a new kind is one file beside this one and one row in a table below."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Self

from pydantic import Field, model_validator

from domain.document import Path
from domain.places import Channel
from domain.quantities import QUANTITIES, Quantity
from rules.conditions.above import Above
from rules.conditions.base import Condition, Flaw, Part, ValueCondition
from rules.conditions.below import Below
from rules.conditions.change import ChangesFasterThan, ChangesSlowerThan
from rules.conditions.channels import Channels
from rules.conditions.count import Count
from rules.conditions.exposure import Exposure
from rules.conditions.flat import FlatFor
from rules.conditions.forecast import TimeToLimit
from rules.conditions.kinetic import MeanKineticTemperature
from rules.conditions.logic import All, Any, Not, join, some
from rules.conditions.outside import Outside
from rules.conditions.quorum import Quorum
from rules.conditions.schedule import Schedule
from rules.conditions.silent_for import SilentFor
from rules.conditions.state import Is
from rules.conditions.then import Then
from rules.conditions.vvm import VvmUsed
from rules.signals import Scope, Signal
from rules.values import Duration

Combination = All | Any | Not | Then | Count | Quorum | Schedule
"""What is made of other conditions, or of none at all."""


class Kinds(Part):
    """The table of kinds; exactly one is written."""

    above: Above | None = None
    below: Below | None = None
    outside: Outside | None = None
    is_: Is | None = Field(default=None, alias="is")
    changes_faster_than: ChangesFasterThan | None = None
    changes_slower_than: ChangesSlowerThan | None = None
    flat_for: FlatFor | None = None
    exposure: Exposure | None = None
    mean_kinetic_temperature: MeanKineticTemperature | None = None
    vvm_used: VvmUsed | None = None
    time_to_limit: TimeToLimit | None = None
    all: All | None = None
    any: Any | None = None
    not_: Not | None = Field(default=None, alias="not")
    then: Then | None = None
    count: Count | None = None
    quorum: Quorum | None = None
    schedule: Schedule | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self._written()) != 1:
            raise ValueError(f"exactly one kind of condition: one of {', '.join(self.kinds())}")
        return self

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Return the names of the kinds as they are written."""
        return tuple(field.alias or name for name, field in cls.model_fields.items() if name not in _BESIDE)

    @property
    def kind(self) -> str:
        """Return the name of the kind as it is written in the rule."""
        name = self._written()[0]
        return type(self).model_fields[name].alias or name

    @property
    def condition(self) -> Condition | Combination | SilentFor:
        """Return the condition itself, whatever its kind."""
        condition: Condition | Combination | SilentFor = getattr(self, self._written()[0])
        return condition

    def signal_of(self, channel: Channel, scope: Scope) -> Signal | None:
        """Return what this says of a channel, or None where the registry lacks what it needs."""
        condition = self.condition
        if isinstance(condition, Condition):
            return condition.signal(channel, scope)
        return None if isinstance(condition, SilentFor) else condition.joined(scope)

    def terms(self) -> Iterator[tuple[Path, Term]]:
        """Yield the conditions that this one is made of, each with its path below this."""
        here, condition = (self.kind,), self.condition
        if isinstance(condition, All | Any):
            yield from (((*here, number), term) for number, term in enumerate(condition.root))
        elif isinstance(condition, Not):
            yield here, condition.root
        elif isinstance(condition, Then):
            yield (*here, "first"), condition.first
            yield (*here, "second"), condition.second
        elif isinstance(condition, Count | Quorum):
            yield (*here, "hold"), condition.hold

    @property
    def looks_elsewhere(self) -> bool:
        """Tell whether it looks at any channel but the one that the rule judges."""
        return isinstance(self.condition, Quorum) or any(
            term.of is not None or term.looks_elsewhere for _, term in self.terms()
        )

    @property
    def longest(self) -> timedelta:
        """Return the longest stretch of time that is named anywhere in it."""
        condition = self.condition
        own = [getattr(condition, name, None) for name in ("duration", "within", "fitted_over")]
        inner = [term.longest for _, term in self.terms()]
        return max((each for each in (*own, *inner) if isinstance(each, timedelta)), default=timedelta(0))

    @property
    def since(self) -> date | None:
        """Return the first day from which on anything in it is counted; None where nothing is."""
        days = [getattr(self.condition, "since", None), *(term.since for _, term in self.terms())]
        return min((day for day in days if isinstance(day, date)), default=None)

    def _written(self) -> list[str]:
        return [name for name in self.model_fields_set - _BESIDE if getattr(self, name) is not None]


_BESIDE = {"of", "duration", "clear_for"}
"""Fields that stand beside the kind."""


class Term(Kinds):
    """A condition inside a combination, on the channel that the rule judges or on others."""

    of: Channels | None = None

    def signal(self, scope: Scope) -> Signal | None:
        """Return whether it holds, at any of the channels that it looks at; None where it judges none."""
        if self.of is None:
            return self.signal_of(scope.subject, scope)
        channels = self.of.selected(scope)
        known = [signal for channel in channels if (signal := self.signal_of(channel, scope)) is not None]
        return join(known, some, told=self.of.quantity == scope.subject.quantity.name, worst=True) if known else None

    def flaws(self, quantity: Quantity | None) -> Iterator[Flaw]:
        """Yield what is wrong, where the rule judges a quantity."""
        condition = self.condition
        if self.of is not None:
            if not isinstance(condition, Condition):
                yield Flaw(("of",), f"'of' beside '{self.kind}'", "'of' beside each condition that looks elsewhere")
            quantity = QUANTITIES[self.of.quantity]
        if isinstance(condition, ValueCondition):
            for path, _ in condition.limits():
                if path[-1] == "clear":
                    found = "a clear level inside a combination"
                    yield Flaw((self.kind, *path), found, "none: 'clear_for' beside the combination is what settles it")
        yield from flaws_of(self, quantity)

    def sentence(self, quantity: Quantity | None) -> str:
        """Return the condition with its subject: ``the supply of a mains there is off``."""
        condition = self.condition
        if isinstance(condition, Condition):
            whose = QUANTITIES[self.of.quantity] if self.of else quantity
            return f"{self.of.words() if self.of else 'it'} {condition.words(whose) if whose else self.kind}"
        if isinstance(condition, SilentFor):
            return ""
        both = "both " if isinstance(condition, All) and len(condition.root) == 2 else ""
        return both + combined_words(self, condition, quantity)


class When(Kinds):
    """What a rule asks."""

    silent_for: SilentFor | None = None
    duration: Duration = Field(default=timedelta(0), alias="for")
    """How long it has to hold without a break, for kinds that do not say so themselves."""
    clear_for: Duration = timedelta(0)
    """An open episode ends only after it has not held for so long, without a break."""

    @property
    def lasting(self) -> timedelta:
        """Return how long it has to hold without a break."""
        condition = self.condition
        return condition.duration if isinstance(condition, ValueCondition | SilentFor) else self.duration

    @property
    def longest(self) -> timedelta:
        """Return the longest stretch of time that is named anywhere in it."""
        return max(super().longest, self.duration) + self.clear_for

    def beside_flaws(self) -> Iterator[Flaw]:
        """Yield what stands beside a kind that it does not go with."""
        if self.duration and isinstance(self.condition, ValueCondition | SilentFor):
            yield Flaw(("for",), f"'for' beside '{self.kind}'", f"'for' inside '{self.kind}'")
        if self.clear_for and isinstance(self.condition, SilentFor):
            yield Flaw(("clear_for",), "'clear_for' beside 'silent_for'", "none: silence ends with the first reading")


def flaws_of(kinds: Kinds, quantity: Quantity | None) -> Iterator[Flaw]:
    """Yield what is wrong inside a condition for a quantity, each at its path below ``kinds``."""
    condition, here = kinds.condition, (kinds.kind,)
    if isinstance(condition, Condition):
        yield from _flaws_on(kinds, condition, quantity) if quantity else ()
        return
    if isinstance(condition, Count | Schedule):
        for flaw in condition.flaws():
            yield flaw._replace(path=here + flaw.path)
    inner = QUANTITIES[condition.of.quantity] if isinstance(condition, Quorum) else quantity
    for path, term in kinds.terms():
        if isinstance(condition, Quorum) and (term.of is not None or not isinstance(term.condition, Condition)):
            yield Flaw(path, f"'{term.kind}' with channels of its own", "one condition, on the channels of the quorum")
        for flaw in term.flaws(inner):
            yield flaw._replace(path=path + flaw.path)


def _flaws_on(kinds: Kinds, condition: Condition, quantity: Quantity) -> Iterator[Flaw]:
    kind = kinds.kind
    if quantity.states and not isinstance(condition, Is):
        allowed = "'is'" if isinstance(kinds, Term) else "'is' or 'silent_for'"
        yield Flaw((kind,), f"'{kind}' on {quantity.name}, which is a state", allowed)
    elif isinstance(condition, Is) and not quantity.states:
        states = [name for name, known in QUANTITIES.items() if known.states]
        yield Flaw((kind,), f"'is' on {quantity.name}, which is a number", f"'is' only on {', '.join(states)}")
    else:
        for flaw in condition.flaws(quantity):
            yield flaw._replace(path=(kind, *flaw.path))


def combined_words(kinds: Kinds, condition: Combination, quantity: Quantity | None) -> str:
    """Return a combination as a clause with its subjects in it."""
    inner = QUANTITIES[condition.of.quantity] if isinstance(condition, Quorum) else quantity
    return condition.sentence([term.sentence(inner) for _, term in kinds.terms()])


for _kind in (All, Any, Not, Then, Count, Quorum):
    _kind.model_rebuild(_types_namespace={"Term": Term})
for _table in (Kinds, Term, When):
    _table.model_rebuild(force=True)

KINDS = When.kinds()
