"""A rule as one plain English sentence."""

from __future__ import annotations

from domain.episode import Severity
from domain.places import EquipmentKind
from rules.conditions import combined_words
from rules.conditions.base import Condition, ValueCondition
from rules.conditions.channels import kinds_words, measured_words
from rules.conditions.silent_for import SilentFor
from rules.model import ANY, AppliesTo, Rule
from rules.values import spaced

_VERB = {Severity.INFO: "Note", Severity.WARNING: "Warn", Severity.CRITICAL: "Alarm"}
_VACCINES = {EquipmentKind.FRIDGE, EquipmentKind.FREEZER, EquipmentKind.COLD_ROOM, EquipmentKind.COLD_BOX}


def describe(rule: Rule) -> str:
    """Return the sentence: "Alarm when the vaccine compartment of a fridge is above 8 °C without a break for 10 h."."""
    if isinstance(rule.condition, Condition | SilentFor):
        return f"{_VERB[rule.severity]} when {_clause(rule)}{_lasting(rule)}."
    words = combined_words(rule.when, rule.condition, rule.quantity)
    return f"{_VERB[rule.severity]} about {_subject(rule.applies_to)} when {words}{_lasting(rule)}."


def _clause(rule: Rule) -> str:
    condition, quantity, subject = rule.condition, rule.quantity, _subject(rule.applies_to)
    if isinstance(condition, SilentFor):
        return f"{subject} {condition.words(node=rule.applies_to.node is not None)}"
    return f"{subject} {condition.words(quantity) if isinstance(condition, Condition) and quantity else rule.when.kind}"


def _lasting(rule: Rule) -> str:
    condition, quantity = rule.condition, rule.quantity
    alone = isinstance(condition, Condition)
    words = f"{'' if alone else ', all of it'} without a break for {spaced(rule.when.duration)}"
    words = words if rule.when.duration else ""
    ending = condition.ending(quantity) if isinstance(condition, ValueCondition) and quantity else ""
    if rule.when.clear_for:
        ending = f"{ending or 'it ends'} once it has been over for {spaced(rule.when.clear_for)}"
    return words + (f"; {ending}" if ending else "")


def _subject(applies: AppliesTo) -> str:
    if applies.node:
        return "a node"
    what = "anything measured" if applies.quantity == ANY else f"the {applies.quantity.replace('_', ' ')}"
    if not applies.equipment:
        return what
    if applies.quantity == "temperature" and _VACCINES.issuperset(applies.equipment):
        return f"the vaccine compartment of {kinds_words(applies.equipment)}"
    whose = kinds_words(applies.equipment)
    return f"{what} of {whose}" if applies.quantity == ANY else measured_words(applies.quantity, whose)
