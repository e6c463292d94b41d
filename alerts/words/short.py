"""The text that fits a text message: where, what, since when, power, how to answer, what to do, and the reference."""

from __future__ import annotations

from alerts.bundle import Bundle, Shape
from alerts.facts import Facts
from alerts.words import phrases
from alerts.words.alphabet import Alphabet, alphabet_of
from alerts.words.fitting import Fitted, Part, fit, listing, sentence, unit
from alerts.words.language import say, say_many

_WHOLE = 160
_PLACE, _EQUIPMENT, _WHAT, _AREA, _NAMED, _ALSO = 40, 24, 72, 88, 28, 48
"""What each may take of so many units; where a message has fewer, it is less."""


def write_short(bundle: Bundle, *, language: str, answerable: bool, link: str = "") -> Fitted:
    """Return the text in the alphabet of the language.

    Place and reference are in it whatever the names. Where there is not room for all, what is so comes first, then why
    one hears of it now, power, how to answer, what else is concerned, and last what to do.
    """
    alphabet = alphabet_of(language)
    match bundle.shape:
        case Shape.AREA:
            head, parts = _area(bundle, language, alphabet)
        case Shape.DIGEST:
            head, parts = _digest(bundle, language, alphabet)
        case _:
            head, parts = _incident(bundle, language, alphabet)
    parts += [_reply(bundle, language, alphabet, answerable), _link(link, alphabet)]
    return fit(head, parts, f"ref {bundle.items[0].reference}", alphabet)


def _incident(bundle: Bundle, language: str, alphabet: Alphabet) -> tuple[str, list[Part]]:
    first = bundle.items[0]
    place = alphabet.shorten(_facility(first, alphabet), _share(_PLACE, alphabet))
    equipment = alphabet.shorten(alphabet.name_of(first.equipment_name, first.equipment), _share(_EQUIPMENT, alphabet))
    head = alphabet.clean(f"{phrases.keyword(first.kind, language)} {place} {equipment}".rstrip() + ":")
    also = [alphabet.shorten(alphabet.clean(name), _share(_NAMED, alphabet)) for name in phrases.also(bundle)]
    return head, [
        sentence("what", 0, phrases.what(first, language), alphabet, most=_share(_WHAT, alphabet)),
        _occasion(bundle, language, alphabet),
        unit("power", 2, _stopped(phrases.power(first, language)), alphabet),
        listing(
            "also", 4, also, lambda names: say(language, "Also: {names}.", names=names), alphabet,
            most=_share(_ALSO, alphabet),
        ),
        sentence("action", 5, phrases.action(first, language), alphabet),
    ]  # fmt: skip


def _area(bundle: Bundle, language: str, alphabet: Alphabet) -> tuple[str, list[Part]]:
    first = bundle.items[0]
    area = say(language, "{district} district", district=_district(first, alphabet))
    area = alphabet.shorten(alphabet.clean(area), _share(_PLACE, alphabet))
    head = alphabet.clean(f"{phrases.keyword(first.kind, language)} {area}:")
    title = alphabet.shorten(alphabet.clean(phrases.uncapitalised(first.title)), _share(_WHAT, alphabet) // 2)
    at = phrases.at_facilities(title, len(bundle.facilities), language)
    named = [alphabet.shorten(_facility(item, alphabet), _share(_NAMED, alphabet)) for item in bundle.facilities]
    return head, [
        listing(
            "what", 0, named, lambda names: say(language, "{what}: {names}.", what=at, names=names), alphabet,
            most=_share(_AREA, alphabet),
        ),
        _occasion(bundle, language, alphabet),
        unit("since", 2, phrases.area_lasted(bundle, language), alphabet),
        sentence("action", 5, phrases.action(first, language), alphabet),
    ]  # fmt: skip


def _digest(bundle: Bundle, language: str, alphabet: Alphabet) -> tuple[str, list[Part]]:
    counted = say_many(language, "DIGEST {count} alert", "DIGEST {count} alerts", len(bundle.items))
    named = [_briefly(item, language, alphabet) for item in bundle.items]
    return alphabet.clean(f"{counted}:"), [
        sentence("tally", 0, phrases.tally(bundle, language), alphabet),
        _occasion(bundle, language, alphabet),
        listing("items", 5, named, lambda names: f"{names}.", alphabet, between="; "),
    ]


def _briefly(facts: Facts, language: str, alphabet: Alphabet) -> str:
    """Return place, equipment and value of one alert of many."""
    place = alphabet.shorten(_facility(facts, alphabet), _share(_NAMED, alphabet))
    equipment = alphabet.shorten(alphabet.name_of(facts.equipment_name, facts.equipment), _share(_EQUIPMENT, alphabet))
    said = alphabet.shorten(alphabet.clean(phrases.reading(facts, language)), _share(_NAMED, alphabet))
    return " ".join(filter(None, (place, equipment, said)))


def _occasion(bundle: Bundle, language: str, alphabet: Alphabet) -> Part:
    who = alphabet.shorten(alphabet.clean(bundle.who), _share(_EQUIPMENT, alphabet))
    legible = who if alphabet.is_legible(bundle.who) else ""
    return sentence("occasion", 1, phrases.occasion(bundle, language, who=legible), alphabet)


def _reply(bundle: Bundle, language: str, alphabet: Alphabet, answerable: bool) -> Part:
    wanted = answerable and phrases.is_call(bundle)
    return unit("reply", 3, phrases.how_to_answer(language) if wanted else "", alphabet)


def _link(link: str, alphabet: Alphabet) -> Part:
    # Bare: a word about it would cost the room that it seldom finds.
    # A link that lost a character leads nowhere; and one that takes the place of a fact is worth less than it.
    return unit("link", 6, link if alphabet.clean(link) == link else "", alphabet, optional=True)


def _facility(facts: Facts, alphabet: Alphabet) -> str:
    return alphabet.name_of(facts.facility_name, facts.facility)


def _district(facts: Facts, alphabet: Alphabet) -> str:
    return alphabet.name_of(phrases.district(facts), facts.facility)


def _stopped(text: str) -> str:
    return f"{text}." if text else ""


def _share(units: int, alphabet: Alphabet) -> int:
    return max(12, units * alphabet.limits[-1] // _WHOLE)
