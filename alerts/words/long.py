"""The text for channels with room: every field, every alert, local times."""

from __future__ import annotations

from collections.abc import Iterable

from alerts.bundle import Bundle, Shape
from alerts.facts import Facts
from alerts.words import phrases
from alerts.words.language import is_right_to_left, say, say_many
from alerts.words.times import local_time

_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
_SUBJECT_LENGTH = 120


def write_subject(bundle: Bundle, *, language: str) -> str:
    """Return one line with the reference at its end."""
    line = " ".join(_headline(bundle, language, with_place=True).split())
    return f"{line[:_SUBJECT_LENGTH]} (ref {bundle.items[0].reference})"


def write_long(bundle: Bundle, *, language: str, answerable: bool, link: str = "") -> str:
    """Return lines of plain text; in scripts from right to left, what may run the other way is isolated."""
    occasion = phrases.occasion(bundle, language, who=_one_line(bundle.who))
    lines = [_headline(bundle, language, with_place=False), *([occasion] if occasion else []), ""]
    match bundle.shape:
        case Shape.AREA:
            lines += _area(bundle, language)
        case Shape.DIGEST:
            lines += [*(_listed(item, language) for item in bundle.items)]
        case _:
            lines += _incident(bundle, language)
    closing = [*_answer(bundle, language, answerable), *([say(language, "See {link}", link=link)] if link else [])]
    return "\n".join([*lines, *([""] if closing else []), *closing]) + "\n"


def _headline(bundle: Bundle, language: str, *, with_place: bool) -> str:
    first = bundle.items[0]
    word = phrases.keyword(first.kind, language)
    if bundle.shape is Shape.DIGEST:
        counted = say_many(language, "DIGEST {count} alert", "DIGEST {count} alerts", len(bundle.items))
        return f"{counted}: {phrases.tally(bundle, language)}"
    if bundle.shape is Shape.AREA:
        area = say(language, "{district} district", district=phrases.district(first) or first.facility)
        title = phrases.at_facilities(_one_line(first.title), len(bundle.facilities), language)
        return f"{word} {area}: {title}" if with_place else f"{word}: {title}"
    place = f"{first.facility_name}, {first.equipment_name}"
    return f"{word} {place}: {first.title}" if with_place else f"{word}: {_one_line(first.title)}"


def _incident(bundle: Bundle, language: str) -> list[str]:
    first, *others = bundle.items
    lines = _block(first, language)
    for item in others:
        lines += ["", say(language, "Also: {names}.", names=_one_line(item.title)), *_block(item, language, brief=True)]
    return lines


def _block(facts: Facts, language: str, *, brief: bool = False) -> list[str]:
    place = ", ".join(filter(None, (facts.facility_name, facts.region)))
    rows = (
        (say(language, "Place"), "" if brief else place),
        (say(language, "Equipment"), facts.equipment_name),
        (say(language, "What"), phrases.what(facts, language)),
        (say(language, "Since"), local_time(facts.started_at, facts.timezone, language)),
        (say(language, "Until"), local_time(facts.ended_at, facts.timezone, language) if facts.ended_at else ""),
        (say(language, "Power"), "" if brief else phrases.power_alone(facts, language)),
        (say(language, "What to do"), phrases.action(facts, language)),
        (say(language, "Severity"), phrases.severity(facts.severity, language)),
        (say(language, "Reference"), str(facts.reference)),
    )
    return _labelled(rows, language)


def _area(bundle: Bundle, language: str) -> list[str]:
    first = bundle.items[0]
    earliest = min(bundle.items, key=lambda item: item.started_at)
    rows = (
        (say(language, "Place"), first.region),
        (say(language, "Since"), local_time(earliest.started_at, first.timezone, language)),
        (say(language, "What to do"), phrases.action(first, language)),
        (say(language, "Severity"), phrases.severity(first.severity, language)),
        (say(language, "Reference"), str(first.reference)),
    )
    return [*_labelled(rows, language), "", *(_listed(item, language, beside=first) for item in bundle.items)]


def _listed(facts: Facts, language: str, *, beside: Facts | None = None) -> str:
    """Return one alert as a line of a list; ``beside`` one whose title and place the heading says already."""
    place = _isolated(_one_line(f"{facts.facility_name}, {facts.equipment_name}"), language)
    said = _isolated(_one_line(phrases.what(facts, language)), language)
    since = local_time(facts.started_at, facts.timezone, language)
    word = "" if beside else f"{_urgency(facts, language)} "
    return say(
        language,
        "- {place}: {what} (since {moment}, ref {reference})",
        place=f"{word}{place}",
        what=said,
        moment=_isolated(since, language),
        reference=facts.reference,
    )


def _urgency(facts: Facts, language: str) -> str:
    if facts.kind in phrases.CALLS:
        return phrases.severity(facts.severity, language).upper()
    return phrases.keyword(facts.kind, language)


def _answer(bundle: Bundle, language: str, answerable: bool) -> list[str]:
    if not phrases.is_call(bundle):
        return []
    reference = bundle.items[0].reference
    acknowledge = say(language, "If you take care of it, acknowledge alert {reference}.", reference=reference)
    return [acknowledge, *([phrases.how_to_answer(language)] if answerable else [])]


def _labelled(rows: Iterable[tuple[str, str]], language: str) -> list[str]:
    return [
        say(language, "{label}: {text}", label=label, text=_isolated(_one_line(text), language))
        for label, text in rows
        if text.strip()
    ]


def _isolated(text: str, language: str) -> str:
    return f"{_ISOLATE}{text}{_END_OF_ISOLATE}" if is_right_to_left(language) else text


def _one_line(text: str) -> str:
    return " ".join(text.split())
