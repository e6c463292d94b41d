"""People: who is on call now and next, who is told for what, and the forms that change it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from dashboards.pages.forms import Choice, Field
from dashboards.pages.wording import SEVERITY_WORDS, LocalTime, local_time
from dashboards.pages.words import Words
from domain.directory import Directory
from domain.episode import Severity
from domain.people import Contact, Roster

LANGUAGES: Final = ("en", "fr", "pt", "sw", "ar")
"""In which messages are written; others are allowed, and get English."""
MOST_NAMES: Final = 3
"""Of facilities, in the line of a person."""
MEDIA: Final = ("telegram", "whatsapp")


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is on call for a stretch of time, as plain data."""

    contacts: tuple[str, ...]
    start: datetime
    end: datetime | None
    """None: not in sight."""
    stands_in: bool = False
    """By an override, instead of whom the rotations name."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TurnLine:
    """A turn in words."""

    who: str
    """Names; empty: nobody."""
    start: LocalTime
    end: LocalTime | None
    stands_in: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RosterCard:
    """A roster with who is on call now and after that."""

    id: str
    name: str
    now: TurnLine
    following: TurnLine | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A person in the list."""

    id: str
    name: str
    language: str
    answers_for: str
    reached: tuple[str, ...]
    """Telephone, e-mail and other addresses."""
    quiet: str


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """The list of people."""

    sentence: str
    rosters: tuple[RosterCard, ...]
    contacts: tuple[ContactRow, ...]
    places: tuple[str, ...]
    """Districts with facilities for which nobody answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPage:
    """One roster: its turns, and somebody else standing in."""

    card: RosterCard
    turns: tuple[TurnLine, ...]
    contacts: tuple[tuple[str, str], ...]
    """Ids and names to choose from."""
    zone: str
    calendar: str
    """Where the roster is as a calendar."""
    filled: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


def turn_line(turn: Turn, roster: Roster, directory: Directory, now_ms: int, words: Words) -> TurnLine:
    """Return a turn in words, in the roster's own time."""
    names = (directory.contacts[each].name if each in directory.contacts else each for each in turn.contacts)
    return TurnLine(
        who=", ".join(names),
        start=local_time(turn.start, roster.timezone, now_ms, words),
        end=None if turn.end is None else local_time(turn.end, roster.timezone, now_ms, words),
        stands_in=turn.stands_in,
        reason=turn.reason,
    )


def roster_card(roster: Roster, turns: Sequence[Turn], directory: Directory, now_ms: int, words: Words) -> RosterCard:
    """Return a roster; the first of the turns is the one that lasts."""
    lines = [turn_line(each, roster, directory, now_ms, words) for each in turns[:2]]
    return RosterCard(roster.id, roster.name, lines[0], lines[1] if len(lines) > 1 else None)


def people_page(
    directory: Directory, rosters: Iterable[RosterCard], contacts: Iterable[Contact], words: Words
) -> PeoplePage:
    """Return the list of the people who answer for the facilities of a directory."""
    rows = tuple(_contact_row(each, directory, words) for each in sorted(contacts, key=lambda each: each.name))
    alone = {each.district or each.name for each in directory.facilities.values() if not directory.contacts_for(each)}
    sentence = words("For every facility somebody answers")
    if alone:
        sentence = words.many("In {count} place nobody is told", "In {count} places nobody is told", len(alone))
    return PeoplePage(sentence, tuple(rosters), rows, tuple(sorted(alone)))


def contact_fields(directory: Directory, known: Contact | None, words: Words) -> list[Field]:
    """Return the fields of a person, by the columns of contacts.csv; None: of somebody new."""
    hint = words("small letters and digits, stays for ever")
    identity = Field(name="id", label=words("Short name"), hint=hint, required=True, longest=64)
    media = sorted({*MEDIA, *(known.addresses if known else ())})
    languages = dict.fromkeys((*LANGUAGES, *([known.language] if known else [])))
    return [
        *([] if known else [identity]),
        Field(name="name", label=words("Name"), required=True),
        Field(
            name="phone",
            label=words("Telephone"),
            hint=words("Such as {example}", example="+256700000001"),
            kind="tel",
            longest=16,
        ),
        Field(name="email", label=words("E-mail"), kind="email", longest=254),
        *(
            Field(name=f"address.{medium}", label=words("Address on {medium}", medium=medium.capitalize()))
            for medium in media
        ),
        _choice("language", words("Language"), languages, value="en"),
        *_place_fields(directory, words),
        *_telling_fields(words),
    ]


def _place_fields(directory: Directory, words: Words) -> list[Field]:
    label = words("{name}: {what}", name=words("Answers for"), what=words("Certain facilities"))
    places = directory.facilities.values()
    districts, regions = {each.district for each in places}, {each.region for each in places}
    everywhere = words("nothing chosen: the whole country")
    return [
        Field(name="facilities", label=label, hint=words("their ids, with blanks between"), longest=4000),
        _choice("district", words("or a district"), ["", *sorted(districts - {""})]),
        _choice("region", words("or a region"), ["", *sorted(regions - {""})], hint=everywhere),
    ]


def _telling_fields(words: Words) -> list[Field]:
    hours = words("Quiet hours")
    begin = words("{name}: {what}", name=hours, what=words("From"))
    end = words("{name}: {what}", name=hours, what=words("Until"))
    woken = words("Woken nevertheless from this severity on")
    severities = [Choice("", "–"), *(Choice(each.label, words(SEVERITY_WORDS[each])) for each in Severity)]
    ways = words("such as: sms voice; empty: every way at once")
    return [
        Field(name="channels", label=words("How to tell, in order"), hint=ways),
        Field(name="quiet.from", label=begin, hint=words("Such as {example}", example="21:00"), longest=5),
        Field(name="quiet.to", label=end, hint=words("Such as {example}", example="06:00"), longest=5),
        Field(
            name="quiet.timezone", label=words("Time zone"), hint=words("Such as {example}", example="Africa/Kampala")
        ),
        Field(name="quiet.woken_from", label=woken, kind="select", choices=severities),
    ]


def _choice(name: str, label: str, values: Iterable[str], *, value: str = "", hint: str = "") -> Field:
    choices = [Choice(each, each or "–") for each in values]
    return Field(name=name, label=label, kind="select", choices=choices, value=value, hint=hint)


def _contact_row(contact: Contact, directory: Directory, words: Words) -> ContactRow:
    named = [directory.facilities[each].name for each in contact.facilities if each in directory.facilities]
    shown = named[:MOST_NAMES]
    more = len(contact.facilities) - len(shown)
    where = ", ".join([*shown, *([f"+{more}"] if more else [])])
    quiet = contact.quiet
    return ContactRow(
        id=contact.id,
        name=contact.name,
        language=contact.language,
        answers_for=where or contact.district or contact.region or words("the whole country"),
        reached=tuple(filter(None, (contact.phone, contact.email, *contact.addresses.values()))),
        quiet=f"{quiet.start:%H:%M}–{quiet.end:%H:%M} {quiet.timezone}" if quiet else "",
    )
