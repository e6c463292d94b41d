"""Whose address a text came from: telephone numbers made alike, machines told from people. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from alerts.answers.settings import AnswersSettings
from alerts.routing import Route
from domain.people import Contact

PHONE_MEDIA = frozenset({"sms", "voice", "whatsapp", "signal"})
"""Media whose addresses are telephone numbers."""
_SHORTEST_PHONE = 7
_LONGEST_PHONE = 15
_TRUNK_IN_BRACKETS = re.compile(r"\(0\)")


def is_machine(medium: str, sender: str) -> bool:
    """Tell whether a sender is a name or a short code, which no person's telephone sends from."""
    if medium not in PHONE_MEDIA:
        return False
    plain = unicodedata.normalize("NFKC", sender)
    digits = sum(character.isdecimal() for character in plain)
    return digits < _SHORTEST_PHONE or any(character.isalpha() for character in plain)


def international(number: str, settings: AnswersSettings) -> str:
    """Return a telephone number as ``+256700000001``; digits alone where its country is unknown, empty for none."""
    plain = _TRUNK_IN_BRACKETS.sub("", unicodedata.normalize("NFKC", number)).strip()
    if any(character.isalpha() for character in plain):
        return ""
    digits = "".join(str(int(character)) for character in plain if character.isdecimal())
    if not _SHORTEST_PHONE <= len(digits.removeprefix("00")) <= _LONGEST_PHONE:
        return ""
    if plain.startswith("+"):
        return _without_trunk(digits, settings)
    if digits.startswith("00"):
        return _without_trunk(digits[2:], settings)
    return _from_home(digits, settings)


def _from_home(digits: str, settings: AnswersSettings) -> str:
    country, trunk = settings.country_prefix, settings.trunk_prefix
    if not country:
        return digits
    if trunk and digits.startswith(trunk):
        return country + digits.removeprefix(trunk)
    code = country.removeprefix("+")
    is_whole = digits.startswith(code) and len(digits) >= len(code) + _SHORTEST_PHONE
    return f"+{digits}" if is_whole else country + digits


def _without_trunk(digits: str, settings: AnswersSettings) -> str:
    """Return the number without the trunk digit that people leave in behind their own country's prefix."""
    country = settings.country_prefix.removeprefix("+")
    trunk = settings.trunk_prefix
    if country and trunk == "0" and digits.startswith(country + trunk):
        return f"+{country}{digits.removeprefix(country + trunk)}"
    return f"+{digits}"


def contacts_at(
    sender: str, route: Route, contacts: Iterable[Contact], settings: AnswersSettings
) -> tuple[Contact, ...]:
    """Return everybody who is registered with the address that a text came from, in the order of registration."""
    wanted = _comparable(sender, route.medium, settings)
    if not wanted:
        return ()
    return tuple(
        contact
        for contact in contacts
        if wanted in {_comparable(each, route.medium, settings) for each in _addresses(contact, route)}
    )


def _addresses(contact: Contact, route: Route) -> tuple[str, ...]:
    return (route.address_of(contact), contact.addresses.get(route.medium, ""))


def _comparable(address: str, medium: str, settings: AnswersSettings) -> str:
    return international(address, settings) if medium in PHONE_MEDIA else address.strip().casefold()
