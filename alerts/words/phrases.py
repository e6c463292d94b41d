"""The sentences that messages are made of, short and long alike: what is so, since when, with or without power."""

from __future__ import annotations

import re
from collections import Counter

from alerts.bundle import Bundle, Occasion, Shape
from alerts.facts import Facts
from alerts.notification import NotificationKind
from alerts.words.language import gettext_noop, say, say_many
from alerts.words.times import brief_duration, brief_time

CALLS = frozenset({NotificationKind.ALARM, NotificationKind.WORSE})
"""The kinds that ask somebody to act."""
_KEYWORDS = {
    NotificationKind.ALARM: gettext_noop("ALARM"),
    NotificationKind.WORSE: gettext_noop("WORSE"),
    NotificationKind.ALL_CLEAR: gettext_noop("OK"),
    NotificationKind.PAST: gettext_noop("PAST"),
    NotificationKind.REPLY: gettext_noop("INFO"),
    NotificationKind.TEST: gettext_noop("TEST"),
}
_SEVERITIES = {
    "critical": gettext_noop("critical"),
    "warning": gettext_noop("warning"),
    "info": gettext_noop("info"),
}
# "above 8 °C for 10 hours" says what the rule waits for; a message says how long it has lasted instead.
_RULES_DURATION = re.compile(
    r" (?:for|pendant|depuis|durante|por|há) \d[\d.]* ?[^\W\d_]+$|"
    r" kwa (?:sekunde|dakika|saa|masaa|siku) \d[\d.]*$|"
    r" (?:لمدة|منذ) \d[\d.]* ?[^\W\d_]+$"
)


def keyword(kind: NotificationKind, language: str) -> str:
    """Return the word that a message begins with."""
    return say(language, _KEYWORDS[kind])


def severity(label: str, language: str) -> str:
    """Return how bad it is, as a word."""
    return say(language, _SEVERITIES[label]) if label in _SEVERITIES else label


def what(facts: Facts, language: str) -> str:
    """Return what is so and for how long, or that it is over; without a full stop."""
    lasted = brief_duration((facts.ended_at or facts.now) - facts.started_at, language)
    if facts.kind is NotificationKind.ALL_CLEAR:
        if facts.retracted:
            return say(language, "false alarm, corrected readings show no such event")
        if not _is_number(facts.value):
            return say(language, "over after {lasted}", lasted=lasted)
        return say(language, "over after {lasted}, worst {value}", lasted=lasted, value=facts.value)
    phrase = _RULES_DURATION.sub("", facts.message or facts.title)
    said = _late(facts, phrase, lasted, language)
    said = said or say(language, "{phrase} for {lasted}", phrase=phrase, lasted=lasted)
    value = _value_beside(phrase, facts)
    return say(language, "{value}, {phrase}", value=value, phrase=said) if value else said


def reading(facts: Facts, language: str) -> str:
    """Return what there is room for in a list of many: the value, or the rule's title, or that it is over."""
    if facts.kind is NotificationKind.ALL_CLEAR:
        return keyword(facts.kind, language)
    return facts.value if _is_number(facts.value) else facts.title


def power(facts: Facts, language: str) -> str:
    """Return whether there is power, and since when; empty where nobody knows."""
    if facts.power is None:
        return ""
    if facts.power.since is None:
        return say(language, "Power ON") if facts.power.on else say(language, "Power OFF")
    since = brief_duration(facts.now - facts.power.since, language)
    if facts.power.on:
        return say(language, "Power ON {since}", since=since)
    return say(language, "Power OFF {since}", since=since)


def power_alone(facts: Facts, language: str) -> str:
    """Return the same behind a label that says what it is about."""
    if facts.power is None:
        return ""
    state = say(language, "ON") if facts.power.on else say(language, "OFF")
    return state if facts.power.since is None else f"{state} {brief_duration(facts.now - facts.power.since, language)}"


def action(facts: Facts, language: str) -> str:
    """Return what to do about it."""
    if facts.kind is NotificationKind.PAST:
        return say(language, "Check whether anything was harmed.")
    return facts.action if facts.kind in CALLS else ""


def occasion(bundle: Bundle, language: str, *, who: str) -> str:
    """Return why this person hears of it now; empty where that is plain."""
    match bundle.occasion:
        case Occasion.NOBODY_ANSWERED:
            return say(language, "Nobody has answered yet.")
        case Occasion.HELP_WANTED:
            return say(language, "{who} asks for help.", who=who) if who else say(language, "Help is asked for.")
        case Occasion.UNREACHABLE:
            if who:
                return say(language, "{who} could not be reached.", who=who)
            return say(language, "Nobody else could be reached.")
        case Occasion.AGAIN:
            if bundle.times > 1:
                return say_many(language, "{count} time in an hour.", "{count} times in an hour.", bundle.times)
            return say(language, "It still goes on.")
        case _:
            return ""


def at_facilities(title: str, facilities: int, language: str) -> str:
    """Return what is so at how many places."""
    return say_many(language, "{title} at {count} facility", "{title} at {count} facilities", facilities, title=title)


def area_lasted(bundle: Bundle, language: str) -> str:
    """Return for how long it goes on in the whole area, or went on."""
    if bundle.items[0].kind is NotificationKind.ALL_CLEAR:
        if all(item.retracted for item in bundle.items):
            return say(language, "False alarm.")
        return say(language, "It is over.")
    first = min(bundle.items, key=lambda item: item.started_at)
    return say(language, "For {lasted}.", lasted=brief_duration(first.now - first.started_at, language))


def district(facts: Facts) -> str:
    """Return the smallest area around a facility; empty where none is registered."""
    return facts.region.split(", ")[0]


def also(bundle: Bundle) -> list[str]:
    """Return what else an incident concerns: the equipment, or the title where the equipment is named already."""
    first, *others = bundle.items
    named = {first.equipment}
    names = []
    for item in others:
        names.append(item.title if item.equipment in named else item.equipment_name or item.equipment)
        named.add(item.equipment)
    return list(dict.fromkeys(filter(None, names)))


def is_call(bundle: Bundle) -> bool:
    """Tell whether the message asks somebody to act, and so for an answer."""
    return bundle.shape is not Shape.DIGEST and bundle.items[0].kind in CALLS


def how_to_answer(language: str) -> str:
    """Return what to send back."""
    return say(language, "Reply 1=I go 2=need help.")


def uncapitalised(title: str) -> str:
    """Return a title as it stands inside a sentence; abbreviations stay as they are."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def tally(bundle: Bundle, language: str) -> str:
    """Return how many of a digest's alerts are how bad, past, or over."""
    found = Counter(_standing(item) for item in bundle.items)
    counts = (
        ("critical", say_many(language, "{count} critical", "{count} critical", found["critical"])),
        ("warning", say_many(language, "{count} warning", "{count} warnings", found["warning"])),
        ("info", say_many(language, "{count} info", "{count} info", found["info"])),
        ("past", say_many(language, "{count} told late", "{count} told late", found["past"])),
        ("over", say_many(language, "{count} over", "{count} over", found["over"])),
    )
    return ", ".join(text for standing, text in counts if found[standing])


def _standing(facts: Facts) -> str:
    special = {NotificationKind.ALL_CLEAR: "over", NotificationKind.PAST: "past"}
    return special.get(facts.kind) or (facts.severity if facts.severity in _SEVERITIES else "info")


def _late(facts: Facts, phrase: str, lasted: str, language: str) -> str:
    if facts.kind is not NotificationKind.PAST:
        return ""
    moment = brief_time(facts.started_at, facts.timezone, language)
    return say(language, "{phrase} for {lasted} from {moment}, told late", phrase=phrase, lasted=lasted, moment=moment)


def _value_beside(phrase: str, facts: Facts) -> str:
    """Return the value, unless the phrase says it: as its first word, or as the state that it is about."""
    if facts.message and not _is_number(facts.value):
        return ""
    return "" if phrase.lower().startswith(facts.value.lower()) else facts.value


def _is_number(value: str) -> bool:
    return any(character.isdigit() for character in value)
