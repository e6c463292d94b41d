"""The rule as people write it, typed; everything that one document can get wrong by itself is found here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, PrivateAttr, field_validator

from domain.directory import Directory
from domain.document import Document, Path
from domain.episode import Severity, SubjectKind
from domain.errors import Problem
from domain.places import Channel, EquipmentKind
from domain.quantities import QUANTITIES, Quantity
from domain.suggest import allowed_words
from rules.conditions import Condition, When
from rules.conditions.base import Flaw, Part, ValueCondition
from rules.conditions.silent_for import SilentFor
from rules.trial import Trial, trial_flaws

ANY = "any"
_LABELS = {severity.label: severity for severity in Severity}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a rule stands."""

    document: Document
    path: Path


class AppliesTo(Part):
    """What a rule judges: the channels of a quantity, at some kinds of equipment or at all, or the nodes."""

    quantity: str = ""
    equipment: tuple[EquipmentKind, ...] = ()
    node: Literal["any"] | None = None

    @field_validator("equipment", mode="before")
    @classmethod
    def _one_kind_without_brackets(cls, raw: Any) -> Any:
        return (raw,) if isinstance(raw, str) else raw

    @field_validator("quantity")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in QUANTITIES and name != ANY:
            raise ValueError(allowed_words(name, QUANTITIES))
        return name

    @property
    def subject_kind(self) -> SubjectKind:
        """Return what an episode of such a rule is about."""
        return SubjectKind.NODE if self.node else SubjectKind.CHANNEL

    def selects(self, channel: Channel, directory: Directory) -> bool:
        """Tell whether the rule judges this channel."""
        if self.node or self.quantity not in (ANY, channel.quantity.name):
            return False
        if not self.equipment:
            return True
        equipment = directory.equipment.get(channel.equipment)
        return equipment is not None and equipment.kind in self.equipment


class Rule(Part):
    """One rule of a rule document."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    title: str = Field(min_length=1, max_length=120)
    severity: Severity
    applies_to: AppliesTo
    when: When
    message: str = ""
    """A phrase that follows the value: ``above 8 °C for 10 h``; ``$limits.high`` and ``$value`` may stand in it."""
    action: str = ""
    """What to do about it, one sentence."""
    tests: tuple[Trial, ...] = ()
    """What the rule has to make of made-up readings; `vitals rules test` tries them."""
    worse_by: float | None = Field(default=None, gt=0)
    """How much worse the value has to get for people to be told again, as a number in the quantity's own unit (°C, V,
    ratio); left out, only a higher severity tells them again."""

    _origin: Origin | None = PrivateAttr(default=None)

    @field_validator("severity", mode="before")
    @classmethod
    def _by_label(cls, raw: Any) -> Any:
        if isinstance(raw, Severity):
            return raw
        if not isinstance(raw, str) or raw not in _LABELS:
            raise ValueError(allowed_words(str(raw), _LABELS))
        return _LABELS[raw]

    @property
    def condition(self) -> Condition:
        """Return the condition, whatever its kind."""
        return self.when.condition

    @property
    def quantity(self) -> Quantity | None:
        """Return the quantity judged, or None for a rule on nodes or on any quantity."""
        return QUANTITIES.get(self.applies_to.quantity)

    def placed(self, origin: Origin) -> Rule:
        """Return the rule knowing where it stands."""
        rule = self.model_copy()
        rule._origin = origin  # noqa: SLF001 - its own copy
        return rule

    def problem(self, path: Path, found: str, allowed: str) -> Problem:
        """Return a problem at ``path`` below the rule, with its line and column where the rule came from a file."""
        if self._origin is None:
            return Problem(self.id, 1, 1, ".".join(str(step) for step in path), found, allowed)
        return self._origin.document.problem(self._origin.path + path, found, allowed)

    def flaws(self) -> Iterator[Flaw]:
        """Yield what is wrong between the parts of the rule, each at a path below it."""
        yield from self._subject_flaws()
        for number, trial in enumerate(self.tests):
            for flaw in trial_flaws(trial, self.quantity):
                yield flaw._replace(path=("tests", number, *flaw.path))
        quantity = self.quantity
        if quantity is None or not isinstance(self.condition, ValueCondition):
            return
        here: Path = ("when", self.when.kind)
        if quantity.states and self.when.kind != "is":
            yield Flaw(here, f"'{self.when.kind}' on {quantity.name}, which is a state", "'is' or 'silent_for'")
        elif self.when.kind == "is" and not quantity.states:
            states = [name for name, known in QUANTITIES.items() if known.states]
            yield Flaw(here, f"'is' on {quantity.name}, which is a number", f"'is' only on {', '.join(states)}")
        else:
            for flaw in self.condition.flaws(quantity):
                yield flaw._replace(path=here + flaw.path)

    def _subject_flaws(self) -> Iterator[Flaw]:
        applies, silence = self.applies_to, isinstance(self.condition, SilentFor)
        here: Path = ("applies_to",)
        if bool(applies.quantity) == bool(applies.node):
            found = "both a quantity and a node" if applies.node else "neither a quantity nor a node"
            yield Flaw(here, found, "{quantity: NAME, equipment: [KIND, ...]} or {node: any}")
        if applies.node and applies.equipment:
            yield Flaw((*here, "equipment"), "equipment beside a node", "equipment only beside a quantity")
        if applies.node and not silence:
            yield Flaw((*here, "node"), f"a node with '{self.when.kind}'", "'silent_for' is all a node can be asked")
        if applies.quantity == ANY and not silence:
            yield Flaw((*here, "quantity"), "'any'", "the name of one quantity; 'any' goes only with 'silent_for'")
        if silence and self.condition.duration.total_seconds() <= 0:
            yield Flaw(("when", "silent_for"), "no time", "a duration such as 30min")
