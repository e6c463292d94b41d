"""A rule as one plain English sentence."""

from __future__ import annotations

from domain.episode import Severity
from domain.places import EquipmentKind
from rules.conditions.base import ValueCondition
from rules.model import ANY, AppliesTo, Rule
from rules.values import spaced

_VERB = {Severity.INFO: "Note", Severity.WARNING: "Warn", Severity.CRITICAL: "Alarm"}
_VACCINES = {EquipmentKind.FRIDGE, EquipmentKind.FREEZER, EquipmentKind.COLD_ROOM, EquipmentKind.COLD_BOX}
_SHORT = {EquipmentKind.UPS: "UPS", EquipmentKind.MAINS: "mains supply"}


def describe(rule: Rule) -> str:
    """Return the sentence: "Alarm when the vaccine compartment of a fridge is above 8 °C without a break for 10 h."."""
    return f"{_VERB[rule.severity]} when {_subject(rule.applies_to)} {_predicate(rule)}."


def _predicate(rule: Rule) -> str:
    condition, quantity = rule.condition, rule.quantity
    if not isinstance(condition, ValueCondition):
        return condition.words(node=rule.applies_to.node is not None)
    if quantity is None:
        return rule.when.kind
    lasting = f" without a break for {spaced(condition.duration)}" if condition.duration else ""
    ending = condition.ending(quantity)
    return f"{condition.words(quantity)}{lasting}" + (f"; {ending}" if ending else "")


def _subject(applies: AppliesTo) -> str:
    if applies.node:
        return "a node"
    what = "anything measured" if applies.quantity == ANY else f"the {applies.quantity.replace('_', ' ')}"
    if not applies.equipment:
        return what
    if applies.quantity == "temperature" and _VACCINES.issuperset(applies.equipment):
        what = "the vaccine compartment"
    kinds = [_article(_SHORT.get(kind, kind.value.replace("_", " "))) for kind in applies.equipment]
    listed = " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
    return f"{what} of {listed}"


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeio' else 'a'} {noun}"
