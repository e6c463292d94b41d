"""The closed set of condition kinds: a new kind is one file beside this one and one row in ``When``."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from rules.conditions.above import Above
from rules.conditions.base import Part, ValueCondition
from rules.conditions.below import Below
from rules.conditions.outside import Outside
from rules.conditions.silent_for import SilentFor
from rules.conditions.state import Is

Condition = ValueCondition | SilentFor


class When(Part):
    """The table of kinds; a rule has exactly one of them."""

    above: Above | None = None
    below: Below | None = None
    outside: Outside | None = None
    is_: Is | None = Field(default=None, alias="is")
    silent_for: SilentFor | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1 or getattr(self, next(iter(self.model_fields_set))) is None:
            raise ValueError(f"exactly one kind of condition: one of {', '.join(KINDS)}")
        return self

    @property
    def kind(self) -> str:
        """Return the name of the kind as it is written in the rule."""
        return KINDS_BY_FIELD[next(iter(self.model_fields_set))]

    @property
    def condition(self) -> Condition:
        """Return the condition itself."""
        condition: Condition = getattr(self, next(iter(self.model_fields_set)))
        return condition


KINDS_BY_FIELD = {name: field.alias or name for name, field in When.model_fields.items()}
KINDS = tuple(KINDS_BY_FIELD.values())
