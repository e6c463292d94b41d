"""The rule as people write it, typed; everything that one document can get wrong by itself is found here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, field_validator

from domain.directory import Directory
from domain.document import Document, Path
from domain.episode import Severity, SubjectKind
from domain.errors import Problem
from domain.places import Channel, EquipmentKind
from domain.quantities import QUANTITIES, Quantity
from domain.suggest import allowed_words
from rules.conditions import Combination, When, flaws_of
from rules.conditions.base import Condition, Flaw, Part
from rules.conditions.channels import Reach
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
    once_per: Reach | None = None
    """For a rule that looks at several channels: one episode for all of them, and not one for each."""

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

    def judged(self, directory: Directory) -> list[Channel]:
        """Return the channels that episodes are about; with ``once_per`` the first of each place, by id."""
        chosen = [channel for channel in directory.channels.values() if self.selects(channel, directory)]
        if self.once_per is None:
            return chosen
        first: dict[str, Channel] = {}
        for channel in sorted(chosen, key=lambda each: each.id):
            first.setdefault(channel.equipment if self.once_per is Reach.EQUIPMENT else channel.facility, channel)
        return list(first.values())

    def selects(self, channel: Channel, directory: Directory) -> bool:
        """Tell whether the rule judges this channel."""
        if self.node or self.quantity not in (ANY, channel.quantity.name):
            return False
        if not self.equipment:
            return True
        equipment = directory.equipment.get(channel.equipment)
        return equipment is not None and equipment.kind in self.equipment


class Translation(Part):
    """What a rule says in another language; what is left out is said as the rule says it."""

    title: str = Field(default="", max_length=120)
    message: str = ""
    action: str = ""


Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
"""A language code such as ``fr`` or ``pt-BR``, as contacts have it in the registry."""


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

    translations: dict[Language, Translation] = Field(default_factory=dict)
    """The same for people with another language in the registry."""
    suppressed_by: tuple[str, ...] = ()
    """Ids of rules whose alerts at the same facility explain this one: as long as there is one, nobody is told."""
    root_cause_of: tuple[str, ...] = ()
    """The same said from the other side: ids of rules whose alerts this one explains."""

    _origin: Origin | None = PrivateAttr(default=None)

    @field_validator("suppressed_by", "root_cause_of", mode="before")
    @classmethod
    def _one_rule_without_brackets(cls, raw: Any) -> Any:
        return (raw,) if isinstance(raw, str) else raw

    @field_validator("severity", mode="before")
    @classmethod
    def _by_label(cls, raw: Any) -> Any:
        if isinstance(raw, Severity):
            return raw
        if not isinstance(raw, str) or raw not in _LABELS:
            raise ValueError(allowed_words(str(raw), _LABELS))
        return _LABELS[raw]

    @property
    def condition(self) -> Condition | Combination | SilentFor:
        """Return the condition, whatever its kind."""
        return self.when.condition

    @property
    def quantity(self) -> Quantity | None:
        """Return the quantity judged, or None for a rule on nodes or on any quantity."""
        return QUANTITIES.get(self.applies_to.quantity)

    @property
    def written(self) -> Any:
        """Return the rule as it was written, as plain data."""
        if self._origin is None:
            return self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        data = self._origin.document.data
        for step in self._origin.path:
            data = data[step]
        return data

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
        for name in ("suppressed_by", "root_cause_of"):
            if self.id in getattr(self, name):
                yield Flaw((name,), f"'{self.id}' itself", "the ids of other rules")
        for flaw in (*self.when.beside_flaws(), *flaws_of(self.when, self.quantity)):
            yield flaw._replace(path=("when", *flaw.path))

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
        if applies.once_per and not self.when.looks_elsewhere:
            found = f"'once_per' with '{self.when.kind}', which judges each channel by itself"
            yield Flaw(
                (*here, "once_per"), found, "'once_per' only with 'quorum', or with a combination that has 'of' in it"
            )
        if applies.quantity == ANY and not silence:
            yield Flaw((*here, "quantity"), "'any'", "the name of one quantity; 'any' goes only with 'silent_for'")
        if silence and self.when.lasting.total_seconds() <= 0:
            yield Flaw(("when", "silent_for"), "no time", "a duration such as 30min")
