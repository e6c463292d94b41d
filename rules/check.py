"""Rules against the registry: what is not wrong in the document, and yet cannot do what its writer meant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from domain.directory import Directory
from domain.document import Path
from domain.errors import Problem
from domain.places import Channel
from domain.suggest import allowed_words
from rules.conditions import Kinds
from rules.conditions.above import Above
from rules.conditions.base import Condition, ValueCondition
from rules.conditions.below import Below
from rules.conditions.logic import Any
from rules.conditions.quorum import Quorum
from rules.conditions.silent_for import SilentFor
from rules.model import Rule
from rules.settings import EngineSettings
from rules.signals import Scope
from rules.values import Reference, spaced


def check_rules(rules: Sequence[Rule], directory: Directory) -> list[Problem]:
    """Return what is worth a person's attention: none of it stops the rules that are right."""
    problems: list[Problem] = []
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            problems.append(rule.problem(("id",), f"'{rule.id}' again", "an id that no rule in any file has"))
        seen.add(rule.id)
        problems += _check(rule, directory)
    for rule in rules:
        problems += _explanations(rule, {each.id: each for each in rules})
    return problems + list(_superfluous(rules, directory))


def _superfluous(rules: Sequence[Rule], directory: Directory) -> Iterator[Problem]:
    """Yield rules on a limit that another one makes superfluous: it tells the same, no later and no less gravely."""
    bounds = [
        (rule, rule.condition, {channel.id: channel for channel in rule.applies_to.judged(directory)})
        for rule in rules
        if isinstance(rule.condition, Above | Below)
    ]
    for rule, condition, channels in bounds:
        for other, others, elsewhere in bounds:
            if (
                other is rule
                or not channels
                or other.severity < rule.severity
                or not channels.keys() <= elsewhere.keys()
            ):
                continue
            if not all(_implies(condition, others, channel) for channel in channels.values()):
                continue
            same = all(_implies(others, condition, channel) for channel in channels.values())
            if same and other.severity == rule.severity and channels.keys() == elsewhere.keys() and rule.id < other.id:
                continue  # of two that are the same one is enough to name
            found = f"nothing that '{other.id}' does not tell as well, no later and no less gravely"
            yield rule.problem(("when", rule.when.kind), found, "another limit, a shorter 'for', or a higher severity")
            break


def _implies(one: Above | Below, other: Above | Below, channel: Channel) -> bool:
    """Tell whether the other has held for its time whenever the one has."""
    mine, theirs = one.levels(channel), other.levels(channel)
    if mine is None or theirs is None or one.sign != other.sign or one.duration < other.duration:
        return False
    further = (mine[0] - theirs[0]) * one.sign
    return further > 0 or (further == 0 and ("=" in other.comparison or "=" not in one.comparison))


def _explanations(rule: Rule, known: Mapping[str, Rule]) -> Iterator[Problem]:
    """Yield explanations that are not in force, and rules that explain each other, so that nobody would be told."""
    for field in ("suppressed_by", "root_cause_of"):
        for name in getattr(rule, field):
            if name not in known:
                allowed = allowed_words(name, list(known))
                yield rule.problem((field,), f"'{name}', which is no rule in force", allowed)
    for name in sorted(_explained_by(rule, known)):
        if name > rule.id and rule.id in _explained_by(known[name], known):
            field = "suppressed_by" if name in rule.suppressed_by else "root_cause_of"
            found = f"'{name}': each of the two explains the other, so that nobody would be told of either"
            yield rule.problem((field,), found, "one that explains the other")


def _explained_by(rule: Rule, known: Mapping[str, Rule]) -> set[str]:
    causes = {each.id for each in known.values() if rule.id in each.root_cause_of}
    return causes.union(rule.suppressed_by).intersection(known)


def _check(rule: Rule, directory: Directory) -> Iterator[Problem]:
    if rule.applies_to.node:
        if not directory.nodes:
            yield rule.problem(("applies_to", "node"), "no node in the registry", "at least one registered node")
        return
    channels = rule.applies_to.judged(directory)
    if not channels:
        yield _selects_nothing(rule, directory)
        return
    yield from _too_short(rule, channels)
    yield from _check_condition(rule, ("when",), rule.when, channels, directory)


def _check_condition(
    rule: Rule, path: Path, kinds: Kinds, channels: Sequence[Channel], directory: Directory
) -> Iterator[Problem]:
    """Check a condition and all that it is made of against the channels that each looks at."""
    condition = kinds.condition
    if isinstance(condition, Condition):
        yield from _missing_limits(rule, (*path, kinds.kind), condition, channels)
        yield from _flaws(rule, (*path, kinds.kind), condition, channels)
    for below, term in kinds.terms():
        of = condition.of if isinstance(condition, Quorum) else term.of
        looked_at = channels
        if of is not None:
            scopes = [Scope(channel, directory, EngineSettings()) for channel in channels]
            found = {each.id: each for scope in scopes for each in of.selected(scope)}
            looked_at = list(found.values())
            if isinstance(condition, Quorum):
                here, fewest = (*path, *below[:1], "of"), condition.at_least
            else:
                here, fewest = (*path, *below, "of"), 1
            without = [scope.subject for scope in scopes if len(of.selected(scope)) < fewest]
            if without:
                few = f"no {of.quantity}" if fewest == 1 else f"fewer than {fewest} channels of {of.quantity}"
                text = f"{few} there for {_named(without)}: {_consequence(kinds, without)}"
                yield rule.problem(here, text, "as many registered channels of that quantity, at that place")
        if looked_at:
            yield from _check_condition(rule, (*path, *below), term, looked_at, directory)


def _selects_nothing(rule: Rule, directory: Directory) -> Problem:
    quantity = rule.applies_to.quantity
    measured = [channel for channel in directory.channels.values() if channel.quantity.name == quantity]
    if not measured:
        known = sorted({channel.quantity.name for channel in directory.channels.values()})
        found = f"'{quantity}', which no registered channel measures"
        return rule.problem(("applies_to", "quantity"), found, allowed_words(quantity, known))
    kinds = sorted(
        {directory.equipment[each.equipment].kind for each in measured if each.equipment in directory.equipment}
    )
    found = f"no {quantity} measured at {' or '.join(rule.applies_to.equipment)}"
    return rule.problem(
        ("applies_to", "equipment"), found, f"where {quantity} is measured: {', '.join(kinds) or 'nowhere'}"
    )


def _too_short(rule: Rule, channels: Sequence[Channel]) -> Iterator[Problem]:
    duration = rule.when.lasting
    slow = [channel for channel in channels if duration and duration < channel.interval]
    if not slow:
        return
    longest = max(channel.interval for channel in slow)
    inside = isinstance(rule.condition, ValueCondition | SilentFor)
    path: Path = ("when", rule.when.kind, "for") if inside else ("when", "for")
    found = f"{spaced(duration)}, shorter than the interval between readings of {_named(slow)}"
    yield rule.problem(path, found, f"at least {spaced(longest)}, or no 'for' where one reading is to be enough")


def _missing_limits(rule: Rule, here: Path, condition: Condition, channels: Sequence[Channel]) -> Iterator[Problem]:
    known = sorted({name for channel in channels for name in channel.limits})
    for path, limit in condition.limits():
        if isinstance(limit, Reference) and (without := [each for each in channels if limit.name not in each.limits]):
            hint = allowed_words(limit.name, known) if known else "a limit of that name at the channel, in the registry"
            found = f"{limit}, which is not set for {_named(without)}: the rule does not judge there"
            yield rule.problem((*here, *path), found, hint)


def _flaws(rule: Rule, here: Path, condition: Condition, channels: Iterable[Channel]) -> Iterator[Problem]:
    """Yield what is wrong with limits taken from the registry, each text once with the channels it stands for."""
    where: defaultdict[tuple[Path, str, str], list[Channel]] = defaultdict(list)
    for channel in channels:
        for path, found, allowed in (*condition.flaws_at(channel), *_impossible(condition, channel)):
            where[path, found, allowed].append(channel)
    for (path, found, allowed), at in where.items():
        yield rule.problem((*here, *path), f"{found} at {_named(at)}", allowed)


def _impossible(condition: Condition, channel: Channel) -> Iterator[tuple[Path, str, str]]:
    quantity = channel.quantity
    for path, limit in condition.limits():
        value = channel.limits.get(limit.name) if isinstance(limit, Reference) else None
        if value is not None and not quantity.lowest <= value <= quantity.highest:
            allowed = f"from {quantity.lowest:g} to {quantity.highest:g}, in {quantity.unit.name}"
            yield path, f"{limit} = {value:g}", allowed


def _consequence(kinds: Kinds, channels: Sequence[Channel]) -> str:
    it = "it" if len(channels) == 1 else "them"
    if isinstance(kinds.condition, Any):
        return f"for {it}, only the other conditions beside this one are judged"
    return f"the rule does not judge {it}"


def _named(channels: Sequence[Channel]) -> str:
    more = len(channels) - 1
    return channels[0].id + (f" and {more} other channel{'s' if more > 1 else ''}" if more else "")
